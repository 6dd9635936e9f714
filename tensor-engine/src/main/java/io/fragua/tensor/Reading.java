package io.fragua.tensor;

/**
 * The elements of a concrete tensor as Java values. Reading a traced one throws {@link
 * IllegalStateException}.
 */
public interface Reading {
  /** This tensor. */
  Tensor self();

  /** The elements as f32, row-major; a copy. */
  default float[] toFloats() {
    float[] out = new float[Math.toIntExact(self().shape().size())];
    if (self().dtype() == DType.F32) {
      self().buffer().bytes().asFloatBuffer().get(out);
    } else {
      for (int i = 0; i < out.length; i++) {
        out[i] = (float) self().buffer().getDouble(self().dtype(), i);
      }
    }
    return out;
  }

  /** The elements as f64, row-major; a copy. */
  default double[] toDoubles() {
    double[] out = new double[Math.toIntExact(self().shape().size())];
    for (int i = 0; i < out.length; i++) {
      out[i] = self().buffer().getDouble(self().dtype(), i);
    }
    return out;
  }

  /**
   * The elements as integers, row-major; a copy. Fractions are cut off.
   *
   * @throws IllegalArgumentException if an element is NaN or no int
   */
  default int[] toInts() {
    int[] out = new int[Math.toIntExact(self().shape().size())];
    for (int i = 0; i < out.length; i++) {
      out[i] = (int) integer("to_ints", DType.I32, i);
    }
    return out;
  }

  /**
   * The elements as 64-bit integers, row-major; a copy. Fractions are cut off.
   *
   * @throws IllegalArgumentException if an element is NaN or no long
   */
  default long[] toLongs() {
    long[] out = new long[Math.toIntExact(self().shape().size())];
    for (int i = 0; i < out.length; i++) {
      out[i] = integer("to_longs", DType.I64, i);
    }
    return out;
  }

  /**
   * The elements as bytes, row-major; a copy. Fractions are cut off.
   *
   * @throws IllegalArgumentException if an element is NaN or no byte, as those of u8 above 127
   */
  default byte[] toBytes() {
    byte[] out = new byte[Math.toIntExact(self().shape().size())];
    for (int i = 0; i < out.length; i++) {
      out[i] = (byte) integer("to_bytes", DType.I8, i);
    }
    return out;
  }

  /** The elements as truth values, row-major; a copy. A number is true if it is not 0. */
  default boolean[] toBooleans() {
    boolean[] out = new boolean[Math.toIntExact(self().shape().size())];
    for (int i = 0; i < out.length; i++) {
      out[i] = self().buffer().getDouble(self().dtype(), i) != 0;
    }
    return out;
  }

  /**
   * The only element.
   *
   * @throws ShapeException if there is not exactly one
   */
  default double item() {
    Check.shape(
        self().shape().size() == 1,
        "item: the tensor must have one element: %s; reduce or slice it first",
        self().type());
    return self().buffer().getDouble(self().dtype(), 0);
  }

  private long integer(String who, DType to, int i) {
    Tensor t = self();
    double v = t.buffer().getDouble(t.dtype(), i);
    if (!to.holds(v < 0 ? Math.ceil(v) : Math.floor(v))) { // the text is made of those alone
      throw new IllegalArgumentException(
          String.format(
              "%s: an element must lie in the range of %s: %s at %d of %s; read it as another type",
              who, to, v, i, t.type()));
    }
    return t.buffer().getLong(t.dtype(), i);
  }
}
