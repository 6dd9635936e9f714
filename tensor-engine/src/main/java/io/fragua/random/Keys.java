package io.fragua.random;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;

/**
 * Many keys side by side, for numbers that are drawn again and again, each as often as it needs.
 *
 * @param high the first word of each, i32 [n]
 * @param low the second word of each, i32 [n]
 */
record Keys(Tensor high, Tensor low) {
  /** The n keys of {@link Key#split}. */
  static Keys of(Key key, int n) {
    Tensor count = key.tensor().iotaLike(DType.I32, Shape.of(n), 0);
    return new Keys(key.cipher("0", key.zeros(n), count), key.cipher("1", key.zeros(n), count));
  }

  /** Number {@code i} of the keys that each would be split into. */
  Keys child(int i) {
    return new Keys(cipher("0", i), cipher("1", i));
  }

  /** A random word of each, i32 [n]. */
  Tensor bits() {
    return cipher("xor", 0);
  }

  private Tensor cipher(String word, int count) {
    return Tensor.apply("threefry2x32", Attrs.of("word", word), high, low, all(0), all(count));
  }

  private Tensor all(int value) {
    return Tensor.scalar(DType.I32, value).lift(high).broadcastTo(high.shape());
  }
}
