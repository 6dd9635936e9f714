package io.fragua.cpu;

import io.fragua.exec.Allocator;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Execution;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.op.Op;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.Evaluator;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Computes one op at once: a graph of one equation, compiled by {@link CpuBackend} and kept.
 * Results are freed by the garbage collector. Thread-safe.
 */
public final class EagerEvaluator implements Evaluator {
  private static final int LIMIT = 512;

  private record Key(String op, Attrs attrs, List<TensorType> types) {}

  /** A program and how many threads are running it; closed when dropped and unused. */
  private static final class Entry {
    final Program program;
    int users;
    boolean dropped;

    Entry(Program program) {
      this.program = program;
    }
  }

  private final Map<Key, Entry> programs = new LinkedHashMap<>(64, 0.75f, true);

  /** For {@link java.util.ServiceLoader}. */
  public EagerEvaluator() {}

  @Override
  public List<Tensor> evaluate(Op op, Attrs attrs, List<TensorType> results, List<Tensor> inputs) {
    Entry e = acquire(op, attrs, results, inputs.stream().map(Tensor::type).toList());
    try (Allocator allocator = new Allocator("eager " + op);
        Execution x = e.program.newExecution(allocator)) {
      for (int i = 0; i < inputs.size(); i++) {
        x.bindInput(i, inputs.get(i).buffer());
      }
      List<Tensor> out = new ArrayList<>();
      for (TensorType t : results) {
        Buffer b = Buffer.collected(t.byteSize());
        x.bindOutput(out.size(), b);
        out.add(Tensor.of(t, b));
      }
      x.run();
      return out;
    } finally {
      release(e);
    }
  }

  private Entry acquire(Op op, Attrs attrs, List<TensorType> results, List<TensorType> types) {
    Key key = new Key(op.name(), attrs, types);
    synchronized (programs) {
      Entry e = programs.get(key);
      if (e != null) {
        e.users++;
        return e;
      }
    }
    Program p = new CpuBackend().compile(graph(op, attrs, results, types), CompileOptions.DEFAULT);
    synchronized (programs) {
      Entry e = programs.get(key);
      if (e != null) {
        p.close();
      } else {
        e = new Entry(p);
        programs.put(key, e);
      }
      e.users++;
      if (programs.size() > LIMIT) {
        Entry oldest = programs.remove(programs.keySet().iterator().next());
        oldest.dropped = true;
        if (oldest.users == 0) {
          oldest.program.close();
        }
      }
      return e;
    }
  }

  private void release(Entry e) {
    synchronized (programs) {
      if (--e.users == 0 && e.dropped) {
        e.program.close();
      }
    }
  }

  private static Graph graph(Op op, Attrs attrs, List<TensorType> results, List<TensorType> types) {
    List<Graph.Input> in = new ArrayList<>();
    List<Integer> numbers = new ArrayList<>();
    for (int i = 0; i < types.size(); i++) {
      in.add(new Graph.Input("arg" + i, types.get(i)));
      numbers.add(i);
    }
    List<Graph.Output> out = new ArrayList<>();
    for (int i = 0; i < results.size(); i++) {
      out.add(new Graph.Output("out" + i, types.size() + i));
    }
    return new Graph(in, List.of(), List.of(new Graph.Equation(op, attrs, numbers, results)), out);
  }
}
