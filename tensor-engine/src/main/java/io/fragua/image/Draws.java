package io.fragua.image;

import io.fragua.random.Key;
import io.fragua.random.Random;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import java.util.List;

/**
 * Random numbers, one for each image of a batch: of the batch's dtype, or f32 for f16 and bf16,
 * which have too few numbers for places.
 */
final class Draws {
  /*
   * Rounds of Marsaglia and Tsang's rejection that are computed at once. Each rejects at most one
   * number in twenty, so what is left after them is rarer than one in 10^15.
   */
  private static final int ROUNDS = 12;

  private Draws() {}

  /** [N] in [low, high). */
  static Tensor uniform(Key key, Tensor images, double low, double high) {
    return Random.uniform(key.lift(images), Shape.of(images.shape().dim(0)), low, high)
        .cast(images.dtype().wide());
  }

  /** i32 [N] in [0, count). */
  static Tensor below(Key key, Tensor images, int count) {
    return uniform(key, images, 0, 1).mul(count).floor().minimum(count - 1.0).cast(DType.I32);
  }

  /** bool [N, 1, 1, 1], true with probability p. */
  static Tensor chance(String who, Key key, Tensor images, double p) {
    Check.that(p >= 0 && p <= 1, "%s: a probability lies in [0, 1]: %s; correct it", who, p);
    int n = images.shape().dim(0);
    return Random.bernoulli(key.lift(images), p, Shape.of(n)).reshape(n, 1, 1, 1);
  }

  /**
   * [N] from the symmetric beta distribution: G / (G + H) of two gamma numbers, by logarithms, so
   * that no alpha underflows.
   */
  static Tensor beta(Key key, Tensor images, double alpha) {
    List<Key> keys = key.lift(images).split(2);
    return logGamma(keys.get(0), images, alpha)
        .sub(logGamma(keys.get(1), images, alpha))
        .logistic()
        .cast(images.dtype().wide());
  }

  /** Logarithm of a gamma number: Marsaglia and Tsang, 2000, for alpha + 1, times U^(1 / alpha). */
  static Tensor logGamma(Key key, Tensor images, double alpha) {
    Shape n = Shape.of(images.shape().dim(0));
    List<Key> keys = key.split(2 * ROUNDS + 1);
    double d = alpha + 1 - 1 / 3.0;
    Tensor v = null;
    for (int i = ROUNDS - 1; i >= 0; i--) {
      Tensor x = Random.normal(keys.get(2 * i), n);
      Tensor u = Random.uniform(keys.get(2 * i + 1), n, Float.MIN_NORMAL, 1);
      Tensor root = x.mul(1 / Math.sqrt(9 * d)).add(1);
      Tensor cube = root.mul(root).mul(root).maximum(Float.MIN_NORMAL);
      Tensor bound = x.square().mul(0.5).add(d).sub(cube.mul(d)).add(cube.log().mul(d));
      Tensor accepted = root.greater(0).and(u.log().less(bound));
      v = v == null ? cube : accepted.select(cube, v);
    }
    Tensor u = Random.uniform(keys.get(2 * ROUNDS), n, Float.MIN_NORMAL, 1);
    return v.log().add(Math.log(d)).add(u.log().mul(1 / alpha));
  }
}
