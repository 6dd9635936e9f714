package io.fragua.examples.engine;

import io.fragua.exec.Backends;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.random.Key;
import io.fragua.random.Random;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.transform.Fn;
import io.fragua.transform.Grad;
import io.fragua.transform.Jit;
import java.io.PrintWriter;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** A function as a graph, as a program, and what the compiler made of it. */
@Command(
    name = "jit-and-explain",
    description = "Trace and compile a function and see what the compiler made of it.",
    mixinStandardHelpOptions = true)
public final class JitAndExplain implements Runnable {
  @Spec private CommandSpec spec;

  /** Made by picocli. */
  public JitAndExplain() {}

  @Override
  public void run() {
    show(spec.commandLine().getOut());
  }

  /** Gives the largest difference between eager and compiled gradients. */
  static double show(PrintWriter out) {
    List<Key> keys = Key.of(0).split(3);
    Tensor x = Random.normal(keys.get(0), Shape.of(64, 32));
    Tensor w = Random.normal(keys.get(1), Shape.of(32, 16)).mul(0.2);
    Tensor b = Random.normal(keys.get(2), Shape.of(16));
    Fn loss = args -> List.of(layer(args).square().mean());
    Fn gradient = Grad.grad(loss, 1, 2); // by weights and bias

    // A function is traced by calling it once on placeholders: what it did is data.
    List<Tensor> args = List.of(x, w, b);
    Graph graph = Jit.graph(gradient, args.stream().map(Tensor::type).toList());
    out.println("The gradient as a graph:");
    out.println(graph);

    // A backend makes a program of it: products are oneDNN's, all else is fused into kernels.
    try (Program program = Backends.cpu().compile(graph, CompileOptions.DEFAULT)) {
      out.println("The same, compiled:");
      out.println(program.explain());
    }

    // In daily use jit does both, once for each list of operand types.
    List<Tensor> fast = Jit.jit(gradient).apply(args);
    List<Tensor> eager = gradient.apply(args);
    double most = 0;
    for (int i = 0; i < fast.size(); i++) {
      most = Math.max(most, fast.get(i).sub(eager.get(i)).abs().max().item());
    }
    out.printf("Compiled and eager gradients differ by at most %.1e.%n", most);
    return most;
  }

  /** tanh(x w + b). */
  private static Tensor layer(List<Tensor> args) {
    return args.get(0).matmul(args.get(1)).add(args.get(2)).tanh();
  }
}
