package io.fragua.random;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Movement;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;

/**
 * The key of a random stream: two 32-bit words, concrete or traced. A key is used once, either to
 * draw or to derive other keys; drawing twice from one key gives the same numbers twice. Words and
 * derived keys are those of JAX's {@code threefry2x32} (with {@code jax_threefry_partitionable},
 * the default).
 *
 * @param tensor the words, i32[2]
 * @source Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011; JAX {@code
 *     jax.random}
 */
public record Key(Tensor tensor) {
  private static final TensorType TYPE = TensorType.of(DType.I32, 2);

  /** Checks the type. */
  public Key {
    Check.shape(
        tensor.type().equals(TYPE),
        "key: the words must be %s: %s; make keys with Key.of, split or foldIn",
        TYPE,
        tensor.type());
  }

  /**
   * The key of a seed, as {@code jax.random.key(seed)}. A seed that fits 32 bits, signed or
   * unsigned, gives the words [0, seed]; so -1 and 4294967295 give the same key, as in JAX's
   * default 32-bit mode. Other seeds give [high, low], as in JAX with {@code jax_enable_x64} (whose
   * default mode would drop the high word).
   */
  public static Key of(long seed) {
    int high = seed == (int) seed ? 0 : (int) (seed >>> 32);
    return new Key(Tensor.of(new int[] {high, (int) seed}, 2));
  }

  /**
   * Independent keys, as {@code jax.random.split(key, n)}.
   *
   * @param n how many, at least 1
   */
  public List<Key> split(int n) {
    Check.that(n >= 1, "key: split gives at least one key: %d; correct the number", n);
    Keys all = Keys.of(this, n);
    Tensor words = Movement.concat(1, List.of(all.high().reshape(n, 1), all.low().reshape(n, 1)));
    List<Key> keys = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      keys.add(new Key(words.slice(0, i, i + 1).reshape(2)));
    }
    return keys;
  }

  /** A key for this number, for instance a step, as {@code jax.random.fold_in(key, data)}. */
  public Key foldIn(int data) {
    return foldIn(Tensor.scalar(DType.I32, data));
  }

  /**
   * As {@link #foldIn(int)}, with a number that may be traced.
   *
   * @param data i32 scalar
   */
  public Key foldIn(Tensor data) {
    Check.shape(
        data.type().equals(TensorType.of(DType.I32)),
        "key: foldIn takes %s: %s; cast or reshape it",
        TensorType.of(DType.I32),
        data.type());
    Key k = lift(data);
    Tensor d = data.lift(tensor).reshape(1);
    return new Key(
        Movement.concat(0, List.of(k.cipher("0", k.zeros(1), d), k.cipher("1", k.zeros(1), d))));
  }

  /** This key, as a constant of the graph if {@code other} is traced; see {@link Tensor#lift}. */
  public Key lift(Tensor other) {
    return new Key(tensor.lift(other));
  }

  /** Enciphers counters [n] with this key: word "0", word "1", or both by "xor". */
  Tensor cipher(String word, Tensor high, Tensor low) {
    Tensor k0 = tensor.slice(0, 0, 1).reshape().broadcastTo(low.shape());
    Tensor k1 = tensor.slice(0, 1, 2).reshape().broadcastTo(low.shape());
    return Tensor.apply("threefry2x32", Attrs.of("word", word), k0, k1, high, low);
  }

  /** i32[n] of zeros: the high words of counters below 2^32. */
  Tensor zeros(int n) {
    return Tensor.scalar(DType.I32, 0).lift(tensor).broadcastTo(Shape.of(n));
  }
}
