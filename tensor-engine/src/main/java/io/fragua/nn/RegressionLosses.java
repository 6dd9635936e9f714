package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.OneSide;
import io.fragua.tensor.Tensor;

/**
 * Losses of predicted numbers, row by row, without reduction; e is prediction - target. Beside
 * them, {@link Losses#squaredError}. All operands and results are [...], floating, of one type.
 */
public final class RegressionLosses {
  private RegressionLosses() {}

  /**
   * |e|, for the median. Gradient sign(e), 0 at 0.
   *
   * @source PyTorch {@code l1_loss}
   */
  public static Tensor absoluteError(Tensor predictions, Tensor targets) {
    return error("absolute_error", predictions, targets).abs();
  }

  /**
   * e^2 / 2 for |e| up to delta, delta (|e| - delta / 2) beyond it.
   *
   * @param delta above 0; Optax's default is 1
   * @source Huber, 1964; {@code optax.huber_loss}
   */
  public static Tensor huber(Tensor predictions, Tensor targets, double delta) {
    positive("huber", "delta", delta);
    Tensor size = error("huber", predictions, targets).abs();
    Tensor inner = size.minimum(delta);
    return inner.square().mul(0.5).add(size.sub(inner).mul(delta));
  }

  /**
   * e^2 / (2 beta) for |e| up to beta, |e| - beta / 2 beyond it: Huber's loss / beta.
   *
   * @param beta above 0; PyTorch's default is 1
   * @source Girshick, ICCV 2015; PyTorch {@code smooth_l1_loss}
   */
  public static Tensor smoothL1(Tensor predictions, Tensor targets, double beta) {
    positive("smooth_l1", "beta", beta);
    Tensor size = error("smooth_l1", predictions, targets).abs();
    Tensor inner = size.minimum(beta);
    return inner.square().mul(0.5 / beta).add(size.sub(inner));
  }

  /**
   * log(cosh(e)), without overflow: about e^2 / 2 near 0 and |e| - log(2) far from it. Gradient
   * tanh(e).
   *
   * @source {@code optax.log_cosh}
   */
  public static Tensor logCosh(Tensor predictions, Tensor targets) {
    Tensor e = error("log_cosh", predictions, targets);
    Tensor size = OneSide.larger(e, e.neg());
    return size.add(size.mul(-2).exp().log1p()).sub(Math.log(2));
  }

  /**
   * Pinball loss, for a quantile: q |e| for predictions below the target, (1 - q) |e| above.
   *
   * @param q in (0, 1); 0.5 is half the absolute error
   * @source Koenker and Bassett, 1978; scikit-learn {@code mean_pinball_loss}
   */
  public static Tensor quantile(Tensor predictions, Tensor targets, double q) {
    Check.that(q > 0 && q < 1, "quantile: q lies in (0, 1): %s; correct it", q);
    Tensor e = error("quantile", predictions, targets);
    return e.mul(-q).maximum(e.mul(1 - q));
  }

  /**
   * exp(z) - z target, the negative log likelihood of a count under rate exp(z), without the
   * target's own term. Infinite in f32 for z above 88, as the rate itself.
   *
   * @param logRates z
   * @param targets counts, not negative
   * @source PyTorch {@code poisson_nll_loss(log_input=True, full=False)}
   */
  public static Tensor poissonNll(Tensor logRates, Tensor targets) {
    Losses.same("poisson_nll", logRates, targets);
    return logRates.exp().sub(logRates.mul(targets));
  }

  /**
   * (log(v) + e^2 / v) / 2, the negative log likelihood under mean and variance v, without its
   * constant. Variances count as 1e-6 at least; below it they have no gradient (PyTorch passes it
   * on).
   *
   * @param variances not negative, for instance {@code Activations.softplus} of an output
   * @source Nix and Weigend, 1994; PyTorch {@code gaussian_nll_loss}
   */
  public static Tensor gaussianNll(Tensor means, Tensor targets, Tensor variances) {
    Losses.same("gaussian_nll", means, variances);
    Tensor e = error("gaussian_nll", means, targets);
    Tensor v = variances.maximum(1e-6);
    return v.log().add(e.square().div(v)).mul(0.5);
  }

  private static Tensor error(String who, Tensor predictions, Tensor targets) {
    Losses.same(who, predictions, targets);
    return predictions.sub(targets);
  }

  private static void positive(String who, String name, double v) {
    Check.that(
        v > 0 && Double.isFinite(v), "%s: %s is finite and above 0: %s; correct it", who, name, v);
  }
}
