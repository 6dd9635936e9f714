package io.fragua.examples.engine;

import io.fragua.random.Key;
import io.fragua.random.Random;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.transform.Fn;
import io.fragua.transform.Grad;
import java.io.PrintWriter;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** A line through points, found by walking down its gradient. */
@Command(
    name = "first-gradient",
    description = "Fit a line by its gradient, the smallest program there is.",
    mixinStandardHelpOptions = true)
public final class FirstGradient implements Runnable {
  @Spec private CommandSpec spec;

  /** Made by picocli. */
  public FirstGradient() {}

  @Override
  public void run() {
    fit(spec.commandLine().getOut());
  }

  /** Gives slope and intercept. */
  static float[] fit(PrintWriter out) {
    // Points near y = 3 x - 1. Random numbers come from keys: the same key, the same numbers.
    List<Key> keys = Key.of(0).split(2);
    Tensor x = Random.uniform(keys.get(0), Shape.of(100), -1, 1);
    Tensor y = x.mul(3).sub(1).add(Random.normal(keys.get(1), Shape.of(100)).mul(0.1));

    // A function of the line's two numbers. Inside it stands ordinary arithmetic.
    Fn loss = Fn.of((slope, intercept) -> slope.mul(x).add(intercept).sub(y).square().mean());

    // Grad.grad takes a function and gives a function, as in JAX.
    Fn gradient = Grad.grad(loss);
    Tensor slope = Tensor.scalar(DType.F32, 0);
    Tensor intercept = Tensor.scalar(DType.F32, 0);
    for (int step = 0; step < 60; step++) {
      List<Tensor> g = gradient.apply(List.of(slope, intercept));
      if (step % 10 == 0) {
        out.printf("step %2d  loss %.4f%n", step, loss.call(slope, intercept).item());
      }
      slope = slope.sub(g.get(0).mul(0.5));
      intercept = intercept.sub(g.get(1).mul(0.5));
    }
    out.printf("y = %.2f x %+.2f%n", slope.item(), intercept.item());
    return new float[] {(float) slope.item(), (float) intercept.item()};
  }
}
