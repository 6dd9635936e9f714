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
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * Compiles a function: it is traced once for each list of operand types and the program is kept.
 * Inside another transform it simply inlines. On tensors that require an eager gradient the whole
 * function is one step to go back through, by a second compiled program, which computes the
 * function again. The programs, and what they hold, are freed some time after nobody holds the
 * function any more. Thread-safe.
 */
public final class Jit {
  private Jit() {}

  /** A function that computes the same through compiled programs of the CPU backend. */
  public static Fn jit(Fn f) {
    return jit(f, Backends.cpu(), CompileOptions.DEFAULT);
  }

  /** As {@link #jit(Fn)}, on a given backend. */
  public static Fn jit(Fn f, Backend backend, CompileOptions options) {
    return new Compiled(f, backend, options);
  }

  /**
   * What a program is compiled for: types of operands, and which want gradients if it goes back.
   */
  private record Use(List<TensorType> types, List<Integer> wrt) {}

  /** Programs that are closed when nobody holds their function any more. */
  private static final class Programs extends ConcurrentHashMap<Use, Program> implements Runnable {
    private static final long serialVersionUID = 1L;
    private static final Cleaner CLEANER = Cleaner.create();

    @Override
    public void run() {
      values().forEach(Program::close);
    }
  }

  private static final class Compiled implements Fn {
    private final Fn f;
    private final Backend backend;
    private final CompileOptions options;
    private final Programs programs = new Programs();

    /** Those that trace or compile this function now. */
    private final Set<Thread> compiling = ConcurrentHashMap.newKeySet();

    Compiled(Fn f, Backend backend, CompileOptions options) {
      this.f = f;
      this.backend = backend;
      this.options = options;
      Programs.CLEANER.register(this, programs);
    }

    @Override
    public List<Tensor> apply(List<Tensor> args) {
      if (args.stream().anyMatch(Tensor::isTraced)) {
        return f.apply(args);
      }
      try {
        List<TensorType> types = args.stream().map(Tensor::type).toList();
        Program p =
            program(new Use(types, List.of()), () -> backend.compile(graph(f, types), options));
        List<Integer> wrt = Autograd.isOn() ? CompiledStep.tracked(args) : List.of();
        return wrt.isEmpty()
            ? run(p, args)
            : CompiledStep.run(p, args, wrt, operands -> back(new Use(types, wrt), p, operands));
      } finally {
        Reference.reachabilityFence(this);
      }
    }

    private List<Tensor> back(Use use, Program p, List<Tensor> operands) {
      try {
        CompileOptions same = options.withDonated(Map.of()).withFixed(Set.of());
        return run(
            program(use, () -> backend.compile(CompiledStep.back(p.graph(), use.wrt), same)),
            operands);
      } finally {
        Reference.reachabilityFence(this);
      }
    }

    private Program program(Use use, Supplier<Program> compile) {
      Program known = programs.get(use);
      if (known != null) {
        return known;
      }
      Check.that(
          compiling.add(Thread.currentThread()),
          "jit: a function must not call itself with values while it is compiled: operands %s; call"
              + " there the function that was given to jit",
          use.types);
      try {
        return programs.computeIfAbsent(use, u -> compile.get());
      } finally {
        compiling.remove(Thread.currentThread());
      }
    }
  }

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
