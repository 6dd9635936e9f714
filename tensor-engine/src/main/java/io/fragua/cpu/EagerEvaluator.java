package io.fragua.cpu;

import io.fragua.exec.Allocator;
import io.fragua.exec.CompileOptions;
import io.fragua.graph.Graph;
import io.fragua.op.Op;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.Evaluator;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Computes one op at once: a graph of one equation, compiled by {@link CpuBackend} and kept, with a
 * few executions that wait for the next call. Results are freed by the garbage collector.
 * Thread-safe.
 */
public final class EagerEvaluator implements Evaluator {
  private static final int LIMIT = 512;

  /** Executions of a program that wait; further ones are closed. */
  private static final int IDLE = 4;

  /** An execution with a larger workspace does not wait with it. */
  private static final long IDLE_BYTES = 1 << 16;

  private final Map<Key, Entry> programs = new LinkedHashMap<>(64, 0.75f, true);

  /** For {@link java.util.ServiceLoader}. */
  public EagerEvaluator() {}

  /** What a program is compiled for. */
  private static final class Key {
    final String op;
    final Attrs attrs;
    final TensorType[] types;
    private final int hash;

    Key(Op op, Attrs attrs, List<Tensor> inputs) {
      this.op = op.name();
      this.attrs = attrs;
      types = new TensorType[inputs.size()];
      int h = this.op.hashCode() * 31 + (attrs == Attrs.NONE ? 0 : attrs.hashCode());
      for (int i = 0; i < types.length; i++) {
        types[i] = inputs.get(i).type();
        h = h * 31 + types[i].hashCode();
      }
      hash = h;
    }

    @Override
    public boolean equals(Object o) {
      return o instanceof Key k
          && hash == k.hash
          && op.equals(k.op)
          && (attrs == k.attrs || attrs.equals(k.attrs))
          && Arrays.equals(types, k.types);
    }

    @Override
    public int hashCode() {
      return hash;
    }
  }

  /** A program, and how many threads are running it; closed when dropped and unused. */
  private static final class Entry {
    final CpuProgram program;
    final Allocator memory;
    final CpuExecution[] idle;
    int waiting;
    int users;
    boolean dropped;

    Entry(CpuProgram program, String op) {
      this.program = program;
      memory = new Allocator("eager " + op);
      idle = new CpuExecution[program.plan().workspaceBytes() <= IDLE_BYTES ? IDLE : 0];
    }

    /** True if it has to be closed now. */
    boolean leave() {
      return --users == 0 && dropped;
    }

    /** Only when nobody uses or finds it any more. */
    void close() {
      while (waiting > 0) {
        idle[--waiting].close();
      }
      program.close();
      memory.close();
    }
  }

  @Override
  public List<Tensor> evaluate(Op op, Attrs attrs, List<TensorType> types, List<Tensor> inputs) {
    Key key = new Key(op, attrs, inputs);
    Entry e;
    CpuExecution x = null;
    synchronized (programs) {
      e = programs.get(key);
      if (e != null) {
        e.users++;
        x = e.waiting > 0 ? e.idle[--e.waiting] : null;
      }
    }
    if (e == null) {
      e = compile(key, op, types);
    }
    try {
      if (x == null) {
        x = e.program.newExecution(e.memory);
      }
      for (int i = 0; i < inputs.size(); i++) {
        x.bindInput(i, inputs.get(i).buffer());
      }
      Tensor[] out = new Tensor[types.size()];
      for (int i = 0; i < out.length; i++) {
        Buffer b = Allocator.spoiled(Buffer.collected(types.get(i).byteSize()));
        x.bindOutput(i, b);
        out[i] = Tensor.of(types.get(i), b);
      }
      x.run();
      return List.of(out);
    } finally {
      release(e, x);
    }
  }

  private Entry compile(Key key, Op op, List<TensorType> types) {
    CpuProgram p = new CpuProgram(graph(key, op, types), CompileOptions.DEFAULT);
    Entry e;
    Entry unused = null;
    synchronized (programs) {
      e = programs.get(key);
      if (e == null) {
        e = new Entry(p, key.op);
        programs.put(key, e);
        p = null;
      }
      e.users++;
      if (programs.size() > LIMIT) {
        Entry oldest = programs.remove(programs.keySet().iterator().next());
        oldest.dropped = true;
        unused = oldest.users == 0 ? oldest : null;
      }
    }
    if (p != null) { // another thread compiled it too
      p.close();
    }
    if (unused != null) {
      unused.close();
    }
    return e;
  }

  private void release(Entry e, CpuExecution x) {
    boolean over = x != null;
    boolean last = false;
    if (over) {
      x.unbind();
    }
    synchronized (programs) {
      if (over && !e.dropped && e.waiting < e.idle.length) {
        e.idle[e.waiting++] = x;
        over = false;
      }
      last = !over && e.leave();
    }
    if (over) {
      x.close(); // before this thread leaves, after which the program may be closed
      synchronized (programs) {
        last = e.leave();
      }
    }
    if (last) {
      e.close();
    }
  }

  private static Graph graph(Key key, Op op, List<TensorType> types) {
    List<Graph.Input> in = new ArrayList<>();
    List<Integer> numbers = new ArrayList<>();
    for (int i = 0; i < key.types.length; i++) {
      in.add(new Graph.Input("arg" + i, key.types[i]));
      numbers.add(i);
    }
    List<Graph.Output> out = new ArrayList<>();
    for (int i = 0; i < types.size(); i++) {
      out.add(new Graph.Output("out" + i, in.size() + i));
    }
    return new Graph(
        in, List.of(), List.of(new Graph.Equation(op, key.attrs, numbers, types)), out);
  }
}
