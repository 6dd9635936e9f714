package io.fragua.transform;

import io.fragua.exec.Allocator;
import io.fragua.exec.Backend;
import io.fragua.exec.Backends;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Execution;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.graph.Tracer;
import io.fragua.tensor.Autograd;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Compiles a function: it is traced once for each list of operand types and the program is kept.
 * Inside another transform it simply inlines. On tensors that require an eager gradient the whole
 * function is one step to go back through, by a second compiled program, which computes the
 * function again. Thread-safe.
 */
public final class Jit {
  private Jit() {}

  /** A function that computes the same through compiled programs of the CPU backend. */
  public static Fn jit(Fn f) {
    return jit(f, Backends.cpu(), CompileOptions.DEFAULT);
  }

  /** As {@link #jit(Fn)}, on a given backend. */
  public static Fn jit(Fn f, Backend backend, CompileOptions options) {
    Map<List<TensorType>, Program> programs = new ConcurrentHashMap<>();
    Map<Back, Program> backs = new ConcurrentHashMap<>();
    CompileOptions same = options.withDonated(Map.of()).withFixed(Set.of());
    return args -> {
      if (args.stream().anyMatch(Tensor::isTraced)) {
        return f.apply(args);
      }
      List<TensorType> types = args.stream().map(Tensor::type).toList();
      Program p = programs.computeIfAbsent(types, t -> backend.compile(graph(f, t), options));
      List<Integer> wrt = Autograd.isOn() ? CompiledStep.tracked(args) : List.of();
      return wrt.isEmpty()
          ? run(p, args)
          : CompiledStep.run(
              p,
              args,
              wrt,
              () ->
                  backs.computeIfAbsent(
                      new Back(types, wrt),
                      b -> backend.compile(CompiledStep.back(p.graph(), wrt), same)));
    };
  }

  /** What a program that goes back is compiled for: types of operands, which want gradients. */
  private record Back(List<TensorType> types, List<Integer> wrt) {}

  /** The graph of a function for these operand types. */
  public static Graph graph(Fn f, List<TensorType> types) {
    List<Graph.Input> inputs = new ArrayList<>();
    for (int i = 0; i < types.size(); i++) {
      inputs.add(new Graph.Input("arg" + i, types.get(i)));
    }
    return Tracer.trace(inputs, f::apply);
  }

  /**
   * Runs a program once; results are new tensors.
   *
   * @throws IllegalArgumentException if an operand requires an eager gradient
   */
  public static List<Tensor> run(Program p, List<Tensor> args) {
    Check.that(
        args.stream().noneMatch(Tensor::isTracked) || !Autograd.isOn(),
        "jit: eager gradients do not go through a program: %s requires one; apply Jit.jit of the"
            + " function, or detach the operands",
        args.stream().filter(Tensor::isTracked).map(Tensor::type).findFirst().orElse(null));
    p.graph().checkArguments(args.stream().map(Tensor::type).toList());
    try (Allocator allocator = new Allocator("jit");
        Execution e = p.newExecution(allocator)) {
      for (int i = 0; i < args.size(); i++) {
        e.bindInput(i, args.get(i).buffer());
      }
      List<Tensor> results = new ArrayList<>();
      List<TensorType> types = p.graph().outputTypes();
      for (int i = 0; i < types.size(); i++) {
        Buffer b = Allocator.spoiled(Buffer.collected(types.get(i).byteSize()));
        e.bindOutput(i, b);
        results.add(Tensor.of(types.get(i), b));
      }
      e.run();
      return results;
    }
  }
}
