package io.fragua.optim;

import static io.fragua.optim.Verb.stateless;

import io.fragua.tensor.Check;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import java.util.stream.IntStream;

/** Bounds for gradients of one parameter; {@link Transforms} has those for all at once. */
public final class Clipping {
  private Clipping() {}

  /**
   * u = g if the norm of the parameter's gradient is at most {@code max}, otherwise g max / norm.
   *
   * @source Keras {@code clipnorm}
   */
  public static GradientTransform clipByLayerNorm(double max) {
    Check.that(max > 0, "clip_by_layer_norm: the bound is above 0: %s; correct it", max);
    return stateless(
        "clipByLayerNorm(" + max + ")",
        (g, p) ->
            g.map(
                x -> {
                  Tensor norm = x.square().sum().sqrt();
                  return x.mul(Tensor.scalar(x.dtype(), max).div(norm.maximum(max)));
                }));
  }

  /**
   * Adaptive clipping: the gradient of each unit (a column of a matrix, the kernel of an output
   * channel, a whole vector) has at most {@code clipping} times the norm of its weights.
   *
   * @param clipping above 0; 0.01 in the paper
   * @param eps norms of weights count as this at least; 1e-3 in the paper
   * @source Brock et al., ICML 2021; {@code optax.adaptive_grad_clip}
   */
  public static GradientTransform adaptiveGradClip(double clipping, double eps) {
    Check.that(
        clipping > 0 && eps > 0,
        "adaptive_grad_clip: clipping and eps are above 0: %s, %s; correct them",
        clipping,
        eps);
    return stateless(
        "adaptiveGradClip(" + clipping + ", " + eps + ")",
        (g, p) ->
            g.zip(
                p,
                (x, w) -> {
                  Tensor norm = unitNorm(x);
                  Tensor max = unitNorm(w).maximum(eps).mul(clipping);
                  Tensor clipped = x.mul(max.div(norm.maximum(1e-6)));
                  return norm.less(max).select(x, clipped);
                }));
  }

  /** Norms over all axes but the last, or over all of a vector; they broadcast to it. */
  private static Tensor unitNorm(Tensor x) {
    Shape s = x.shape();
    long wide = IntStream.range(0, s.rank()).filter(i -> s.dim(i) != 1).count();
    if (wide <= 1) {
      return x.square().sum().sqrt();
    }
    // a stack of matrices [in, heads, units] is one matrix
    int axes = s.rank() == 3 ? 1 : s.rank() - 1;
    Tensor sum = x.square().sum(IntStream.range(0, axes).toArray());
    int[] dims = s.dims();
    java.util.Arrays.fill(dims, 0, axes, 1);
    return sum.sqrt().reshape(dims);
  }
}
