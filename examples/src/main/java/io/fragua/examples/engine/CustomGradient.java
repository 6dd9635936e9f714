package io.fragua.examples.engine;

import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.transform.CustomVjp;
import io.fragua.transform.Fn;
import io.fragua.transform.Grad;
import io.fragua.transform.Jit;
import java.io.PrintWriter;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** An operation with a derivative of one's own: weights of two values, trained all the same. */
@Command(
    name = "custom-gradient",
    description = "Train weights that are -1 or 1 by a derivative of your own.",
    mixinStandardHelpOptions = true)
public final class CustomGradient implements Runnable {
  @Spec private CommandSpec spec;

  /** Made by picocli. */
  public CustomGradient() {}

  @Override
  public void run() {
    train(spec.commandLine().getOut());
  }

  /** Gives the loss at the end. */
  static double train(PrintWriter out) {
    Tensor wanted = Tensor.of(new float[] {1, -1, -1, 1, 1, -1}, 6);

    // The sign has derivative 0 everywhere, so nothing could be learnt through it. A rule of one's
    // own passes the gradient straight through, where the weight is not far from 0 already
    // (Bengio et al., 2013).
    Fn plain =
        Fn.of(w -> w.greater(0).select(Tensor.scalar(DType.F32, 1), Tensor.scalar(DType.F32, -1)));
    Fn binary =
        CustomVjp.customVjp(
            plain,
            (operands, g) -> List.of(g.get(0).mul(operands.get(0).abs().less(1).cast(DType.F32))));

    Fn loss = Fn.of(w -> binary.call(w).sub(wanted).square().mean());
    Fn gradient = Jit.jit(Grad.valueAndGrad(loss));
    out.println(
        "through the sign itself: "
            + Grad.grad(Fn.of(w -> plain.call(w).sub(wanted).square().mean())).call(start()));
    Tensor w = start();
    double value = Double.NaN;
    for (int step = 0; step <= 10; step++) {
      List<Tensor> r = gradient.apply(List.of(w));
      value = r.get(0).item();
      out.printf("step %2d  loss %.3f  weights %s%n", step, value, w);
      w = w.sub(r.get(1).mul(0.2));
    }
    return value;
  }

  private static Tensor start() {
    return Tensor.of(new float[] {-0.3f, 0.2f, -0.1f, 0.4f, -0.5f, 0.1f}, 6);
  }
}
