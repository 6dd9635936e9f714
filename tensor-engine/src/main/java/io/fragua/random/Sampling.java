package io.fragua.random;

import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Random choices among things: orders, samples with and without replacement, categories. The draws
 * are JAX's.
 */
public final class Sampling {
  private Sampling() {}

  /**
   * The numbers below {@code n} in random order.
   *
   * @return i32 [n]
   * @source JAX {@code jax.random.permutation(key, n)}
   */
  public static Tensor permutation(Key key, int n) {
    return shuffled(key, key.tensor().iotaLike(DType.I32, Shape.of(n), 0));
  }

  /**
   * Slices along an axis in random order.
   *
   * @source JAX {@code jax.random.permutation(key, x, axis)}
   */
  public static Tensor permutation(Key key, Tensor x, int axis) {
    Key k = key.lift(x);
    int a = x.shape().axis(axis);
    return x.shape().rank() == 1 ? shuffled(k, x) : x.take(permutation(k, x.shape().dim(a)), a);
  }

  /**
   * Sorted by random words, as often as makes it unlikely that two elements ever got equal ones.
   * With so many rounds, found by Tang and others for TensorFlow's random_shuffle, no order is
   * preferred by more than one in n^3.
   */
  private static Tensor shuffled(Key key, Tensor x) {
    int n = x.shape().dim(0);
    int rounds = (int) Math.ceil(3 * Math.log(Math.max(1, n)) / Math.log(4294967295.0));
    for (int i = 0; i < rounds; i++) {
      List<Key> two = key.split(2);
      key = two.get(0);
      Tensor words = Random.bits(two.get(1), x.shape());
      // words are unsigned in JAX's order
      x = x.gather(words.xor(Tensor.scalar(DType.I32, Integer.MIN_VALUE)).argsort(0));
    }
    return x;
  }

  /**
   * Numbers below {@code n}, all equally likely.
   *
   * @param replace whether a number may come several times
   * @return i32 of this shape
   * @throws IllegalArgumentException if there are fewer numbers than to draw without replacement
   * @source JAX {@code jax.random.choice(key, n, shape, replace)}
   */
  public static Tensor choice(Key key, int n, Shape shape, boolean replace) {
    check(n, shape, replace);
    return replace
        ? Random.randint(key, shape, 0, n)
        : permutation(key, n).slice(0, 0, (int) shape.size()).reshape(shape.dims());
  }

  /**
   * Numbers drawn by weight.
   *
   * @param weights f32 [n], not negative; they need not add up to 1 with replacement
   * @param replace whether a number may come several times
   * @return i32 of this shape, each in [0, n)
   * @throws IllegalArgumentException if there are fewer numbers than to draw without replacement
   * @source JAX {@code jax.random.choice(key, n, shape, replace, p)}; without replacement the
   *     largest of perturbed logarithms
   */
  public static Tensor choice(Key key, Tensor weights, Shape shape, boolean replace) {
    Check.shape(
        weights.dtype() == DType.F32 && weights.shape().rank() == 1,
        "choice: weights must be a vector of f32: %s; cast or reshape them",
        weights.type());
    int n = weights.shape().dim(0);
    check(n, shape, replace);
    Key k = key.lift(weights);
    Tensor w = weights.lift(key.tensor());
    if (!replace) {
      Tensor order = Random.gumbel(k, Shape.of(n)).add(w.log());
      return order.topK((int) shape.size(), 0).indices().reshape(shape.dims());
    }
    Tensor sums = w.cumsum(0);
    Tensor one = Tensor.scalar(DType.F32, 1);
    Tensor all = sums.slice(0, n - 1, n).reshape();
    return sums.searchSorted(all.mul(one.sub(Random.uniform(k, shape))), false);
  }

  private static void check(int n, Shape shape, boolean replace) {
    Check.that(
        n >= 1 && (replace || shape.size() <= n),
        "choice: needs at least one number, and without replacement as many as drawn: %d for %s;"
            + " draw fewer or replace",
        n,
        shape);
  }

  /**
   * A category for each line of logits along an axis.
   *
   * @param logits f32, logarithms of weights
   * @return i32 of the logits' shape without the axis
   * @source JAX {@code jax.random.categorical(key, logits, axis)}: the largest of logits plus
   *     Gumbel numbers
   */
  public static Tensor categorical(Key key, Tensor logits, int axis) {
    return categorical(key, logits, axis, Shape.of());
  }

  /**
   * As {@link #categorical(Key, Tensor, int)}, several draws for each line.
   *
   * @param draws axes of the draws, in front of the result's others
   */
  public static Tensor categorical(Key key, Tensor logits, int axis, Shape draws) {
    Shape s = logits.shape();
    int a = s.axis(axis);
    Shape all = draws.concat(s);
    int[] own = IntStream.range(draws.rank(), all.rank()).toArray();
    Tensor noise = Random.gumbel(key.lift(logits), all);
    return noise.add(logits.lift(key.tensor()).broadcastInDim(all, own)).argmax(draws.rank() + a);
  }
}
