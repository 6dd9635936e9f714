package io.fragua.optim;

import static io.fragua.optim.Verb.count;
import static io.fragua.optim.Verb.stateless;
import static io.fragua.optim.Verb.unit;

import io.fragua.nn.ParamTree;
import io.fragua.optim.GradientTransform.Update;
import io.fragua.tensor.Check;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The verbs of {@link Optimizers#adafactor}: second moments of a matrix [R, C] in R + C numbers
 * instead of R C.
 *
 * @source Shazeer and Stern, "Adafactor", ICML 2018; Optax
 */
public final class Adafactor {
  private Adafactor() {}

  /**
   * With d = 1 - t^-exponent, s = g^2 + eps: for a parameter with two axes of at least {@code
   * minSize}, r = d r + (1 - d) mean of s over the largest axis, c the same over the second
   * largest, u = g / sqrt(r / mean(r)) / sqrt(c); for others v = d v + (1 - d) s, u = g / sqrt(v).
   * State: {@code count}, {@code v_row.*} and {@code v_col.*}, or {@code v.*}.
   *
   * @param minSize 1 or more; Optax has 128
   * @param exponent in [0, 1); Optax has 0.8
   * @source {@code optax.scale_by_factored_rms}
   */
  public static GradientTransform scaleByFactoredRms(int minSize, double exponent, double eps) {
    Check.that(minSize >= 1, "scale_by_factored_rms: sizes are positive: %d; correct it", minSize);
    unit("scale_by_factored_rms", "the exponent", exponent);
    return new Verb(
        "scaleByFactoredRms(" + minSize + ", " + exponent + ", " + eps + ")",
        params -> {
          Map<String, Tensor> m = new LinkedHashMap<>(count().asMap());
          params
              .asMap()
              .forEach(
                  (name, p) -> {
                    int[] axes = largest(p.shape(), minSize);
                    if (axes == null) {
                      m.put("v." + name, Tensor.full(p.type(), 0));
                    } else {
                      m.put("v_row." + name, zeros(p, axes[0]));
                      m.put("v_col." + name, zeros(p, axes[1]));
                    }
                  });
          return ParamTree.of(m);
        },
        (g, s, p) -> {
          Tensor t = s.get("count").add(1);
          Tensor decay = t.pow(-exponent).neg().add(1);
          Map<String, Tensor> state = new LinkedHashMap<>();
          state.put("count", t);
          Map<String, Tensor> u = new LinkedHashMap<>();
          g.asMap()
              .forEach(
                  (name, x) -> {
                    Tensor d = decay.cast(x.dtype());
                    Tensor square = x.square().add(eps);
                    int[] axes = largest(x.shape(), minSize);
                    if (axes == null) {
                      Tensor v = average(d, s.get("v." + name), square);
                      state.put("v." + name, v);
                      u.put(name, x.mul(v.rsqrt()));
                      return;
                    }
                    Tensor row = average(d, s.get("v_row." + name), square.mean(axes[0]));
                    Tensor col = average(d, s.get("v_col." + name), square.mean(axes[1]));
                    state.put("v_row." + name, row);
                    state.put("v_col." + name, col);
                    int axis = axes[1] > axes[0] ? axes[1] - 1 : axes[1];
                    Tensor share = row.div(row.meanKeep(axis)).rsqrt();
                    u.put(
                        name,
                        x.mul(share.expandDims(axes[0])).mul(col.rsqrt().expandDims(axes[1])));
                  });
          return new Update(ParamTree.of(u), ParamTree.of(state));
        });
  }

  private static Tensor average(Tensor decay, Tensor old, Tensor value) {
    return Verb.faded(decay.mul(old)).add(decay.neg().add(1).mul(value));
  }

  private static Tensor zeros(Tensor p, int without) {
    return Tensor.zeros(p.dtype(), p.shape().without(without).dims());
  }

  /** The largest axis and the second largest (of equal ones the last); null if too small. */
  private static int[] largest(Shape s, int minSize) {
    int first = -1;
    int second = -1;
    for (int i = 0; i < s.rank(); i++) {
      if (first < 0 || s.dim(i) >= s.dim(first)) {
        second = first;
        first = i;
      } else if (second < 0 || s.dim(i) >= s.dim(second)) {
        second = i;
      }
    }
    return second < 0 || s.dim(second) < minSize ? null : new int[] {first, second};
  }

  /**
   * u = g / max(1, rms(g) / threshold) for each parameter, rms the root of the mean square.
   *
   * @param threshold above 0
   * @source {@code optax.clip_by_block_rms}
   */
  public static GradientTransform clipByBlockRms(double threshold) {
    Check.that(threshold > 0, "clip_by_block_rms: the bound is above 0: %s; correct it", threshold);
    return stateless(
        "clipByBlockRms(" + threshold + ")",
        (g, p) -> g.map(x -> x.div(rms(x).div(threshold).maximum(1))));
  }

  /**
   * u = g max(rms(p), min) for each parameter.
   *
   * @source {@code optax.scale_by_param_block_rms}
   */
  public static GradientTransform scaleByParamBlockRms(double min) {
    Verb.notNegative("scale_by_param_block_rms", "the least scale", min);
    return stateless(
        "scaleByParamBlockRms(" + min + ")",
        (g, p) -> g.zip(p, (x, w) -> x.mul(rms(w).maximum(min))));
  }

  private static Tensor rms(Tensor x) {
    return x.square().mean().sqrt();
  }
}
