package io.fragua.optim;

import static io.fragua.optim.Verb.average;
import static io.fragua.optim.Verb.count;
import static io.fragua.optim.Verb.gathered;
import static io.fragua.optim.Verb.unit;
import static io.fragua.optim.Verb.zeros;

import io.fragua.nn.ParamTree;
import io.fragua.optim.GradientTransform.Update;
import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;

/**
 * The verb of {@link Optimizers#muon}: momentum whose singular values are all made about 1, so that
 * rare directions of a matrix learn as fast as frequent ones.
 *
 * @source Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024; {@code
 *     optax.contrib.scale_by_muon}
 */
public final class Muon {
  private static final double A = 3.4445;
  private static final double B = -4.7750;
  private static final double C = 2.0315;

  private Muon() {}

  /**
   * m = beta m + (1 - beta) g; n = beta m / (1 - beta^(t + 1)) + (1 - beta) g / (1 - beta^t); u =
   * orthogonalized n times sqrt(max(1, columns / rows)). Every parameter is a matrix [in, out].
   * State: {@code count}, {@code mu.*}.
   *
   * @param beta in [0, 1); 0.95 is usual
   * @param steps of {@link #orthogonalized}; 5 is usual
   */
  public static GradientTransform scaleByMuon(double beta, int steps) {
    return scaleByMuon(beta, steps, true);
  }

  /**
   * As {@link #scaleByMuon(double, int)}; without {@code nesterov} n = m / (1 - beta^t).
   *
   * @param nesterov true is usual
   */
  public static GradientTransform scaleByMuon(double beta, int steps, boolean nesterov) {
    unit("scale_by_muon", "beta", beta);
    Check.that(steps >= 1, "scale_by_muon: needs at least one step: %d; correct it", steps);
    return new Verb(
        "scaleByMuon(" + beta + ", " + steps + (nesterov ? ")" : ", false)"),
        p -> count().concat(zeros(p).prefixed("mu.")),
        (g, s, p) -> {
          Tensor t = s.get("count").add(1);
          Tensor now = gathered(beta, t);
          Tensor next = gathered(beta, t.add(1));
          ParamTree mu = g.zip(s.under("mu."), (x, m) -> average(beta, m, x));
          ParamTree u =
              mu.zip(
                  g,
                  (m, x) -> {
                    Tensor n =
                        nesterov
                            ? m.div(next.cast(x.dtype()))
                                .mul(beta)
                                .add(x.div(now.cast(x.dtype())).mul(1 - beta))
                            : m.div(now.cast(x.dtype()));
                    double rows = Math.max(1, x.shape().dim(0));
                    double wide = Math.max(1, x.shape().dim(1) / rows);
                    return orthogonalized(n, steps).mul(Math.sqrt(wide));
                  });
          return new Update(u, ParamTree.of("count", t).concat(mu.prefixed("mu.")));
        });
  }

  /**
   * A matrix with the singular vectors of another and singular values between about 0.7 and 1.2, by
   * products alone: x = x / |x|, then {@code steps} times x = a x + (b s + c s^2) x with s = x x^T.
   *
   * @param x floating [R, C]
   * @source Newton and Schulz; coefficients of Jordan et al.
   */
  public static Tensor orthogonalized(Tensor x, int steps) {
    Check.shape(
        x.shape().rank() == 2 && x.dtype().isFloating(),
        "orthogonalized: takes a floating matrix: %s; reshape it, or leave the parameter to another"
            + " optimizer",
        x.type());
    boolean tall = x.shape().dim(0) > x.shape().dim(1); // the smaller product is enough
    Tensor y = tall ? x.transpose() : x;
    y = y.div(y.square().sum().sqrt().add(1e-8));
    for (int i = 0; i < steps; i++) {
      Tensor square = y.matmul(y.transpose());
      Tensor step = square.mul(B).add(square.matmul(square).mul(C));
      y = y.mul(A).add(step.matmul(y));
    }
    return tall ? y.transpose() : y;
  }
}
