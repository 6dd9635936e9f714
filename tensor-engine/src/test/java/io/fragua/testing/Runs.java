package io.fragua.testing;

import io.fragua.exec.Allocator;
import io.fragua.exec.Backend;
import io.fragua.exec.Backends;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Execution;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.transform.Fn;
import io.fragua.transform.Jit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Compiles and runs once; the allocator behind it is closed, so a leak fails the test. */
public final class Runs {
  static {
    spoilMemory();
  }

  private Runs() {}

  /** From now on a step that reads what nobody wrote sees NaN and -1. */
  public static void spoilMemory() {
    Allocator.spoil(true);
  }

  /** The results of a graph. */
  public static List<Tensor> on(Backend backend, Graph g, List<Tensor> inputs) {
    try (Program p = backend.compile(g, CompileOptions.DEFAULT)) {
      return Jit.run(p, inputs);
    }
  }

  /** The results of a graph whose operands at these positions are bound for all executions. */
  public static List<Tensor> bound(
      Backend backend, Graph g, List<Tensor> inputs, Set<Integer> fixed) {
    Map<Integer, Buffer> operands = new HashMap<>();
    fixed.forEach(i -> operands.put(i, inputs.get(i).buffer()));
    try (Allocator memory = new Allocator("bound");
        Program p = backend.compile(g, CompileOptions.DEFAULT.withFixed(fixed));
        Program q = p.bindFixed(operands, memory);
        Execution e = q.newExecution(memory)) {
      for (int i = 0; i < inputs.size(); i++) {
        if (!fixed.contains(i)) {
          e.bindInput(i, inputs.get(i).buffer());
        }
      }
      e.run();
      List<Tensor> results = new ArrayList<>();
      for (int i = 0; i < g.outputs().size(); i++) {
        Buffer copy = Buffer.collected(e.output(i).size());
        copy.copyFrom(e.output(i));
        results.add(Tensor.of(g.outputTypes().get(i), copy));
      }
      return results;
    }
  }

  /** The results of a function by the reference backend. */
  public static List<Tensor> reference(Fn f, Tensor... inputs) {
    List<TensorType> types = List.of(inputs).stream().map(Tensor::type).toList();
    return on(Backends.reference(), Jit.graph(f, types), List.of(inputs));
  }

  /** The only result of a function by the reference backend. */
  public static Tensor eval(Fn f, Tensor... inputs) {
    return reference(f, inputs).get(0);
  }
}
