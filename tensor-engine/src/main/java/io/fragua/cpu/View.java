package io.fragua.cpu;

import io.fragua.tensor.Shape;
import java.util.Arrays;

/**
 * A value read through an index map: element {@code (i, j, ...)} lies at {@code offset + i *
 * strides[0] + j * strides[1] + ...} elements from the start of the base. Immutable.
 *
 * @param base what is read
 * @param offset in elements
 * @param shape of the view
 * @param strides in elements, one per axis, any sign; 0 repeats
 */
record View(Value base, long offset, Shape shape, long[] strides) {
  /** All of a value, in order. */
  static View of(Value v) {
    return new View(v, 0, v.shape(), v.shape().strides());
  }

  /** One element repeated over a shape. */
  static View repeat(Value scalar, Shape shape) {
    return new View(scalar, 0, shape, new long[shape.rank()]);
  }

  View transpose(int[] perm) {
    int[] d = new int[perm.length];
    long[] s = new long[perm.length];
    for (int i = 0; i < perm.length; i++) {
      d[i] = shape.dim(perm[i]);
      s[i] = strides[perm[i]];
    }
    return new View(base, offset, Shape.of(d), s);
  }

  View broadcast(Shape to, int[] dims) {
    long[] s = new long[to.rank()];
    for (int i = 0; i < dims.length; i++) {
      s[dims[i]] = strides[i];
    }
    return new View(base, offset, to, s);
  }

  View slice(int axis, int start, int limit, int stride) {
    long[] s = strides.clone();
    s[axis] *= stride;
    int n = (int) (((long) limit - start + stride - 1) / stride);
    return new View(base, offset + start * strides[axis], shape.with(axis, n), s);
  }

  View reverse(int axis) {
    long[] s = strides.clone();
    s[axis] = -s[axis];
    int last = Math.max(0, shape.dim(axis) - 1);
    return new View(base, offset + last * strides[axis], shape, s);
  }

  /** The same elements in row-major order under other sizes, or null if no strides express that. */
  View reshape(Shape to) {
    long[][] runs = runs();
    long[] s = new long[to.rank()];
    int r = 0; // runs are innermost first
    long left = runs.length > 0 ? runs[0][0] : 1;
    long stride = runs.length > 0 ? runs[0][1] : 0;
    for (int i = to.rank() - 1; i >= 0; i--) {
      long d = to.dim(i);
      if (d == 1) {
        continue;
      }
      if (left == 1 && ++r < runs.length) {
        left = runs[r][0];
        stride = runs[r][1];
      }
      if (left % d != 0) {
        return null;
      }
      s[i] = stride;
      left /= d;
      stride *= d;
    }
    return new View(base, offset, to, s);
  }

  /**
   * Sizes and strides of the axes, innermost first, without axes of size 1 and with neighbours
   * merged where one stride covers both.
   */
  long[][] runs() {
    long[][] out = new long[shape.rank()][];
    int n = 0;
    for (int i = shape.rank() - 1; i >= 0; i--) {
      long d = shape.dim(i);
      if (d == 1) {
        continue;
      }
      if (n > 0 && out[n - 1][1] * out[n - 1][0] == strides[i]) {
        out[n - 1][0] *= d;
      } else {
        out[n++] = new long[] {d, strides[i]};
      }
    }
    return Arrays.copyOf(out, n);
  }

  /** True if it is all of the base in the base's order, though perhaps under other sizes. */
  boolean isDense() {
    if (offset != 0 || shape.size() != base.size()) {
      return false;
    }
    long[][] r = runs();
    return r.length == 0 || r.length == 1 && r[0][1] == 1;
  }

  /** True if it is all of the base, each element once, in another order of axes. */
  boolean isPermuted() {
    if (offset != 0 || shape.size() != base.size() || isDense() || base.kind == Value.Kind.IOTA) {
      return false;
    }
    long[][] r = runs();
    Arrays.sort(r, java.util.Comparator.comparingLong(run -> run[1]));
    long next = 1;
    for (long[] run : r) {
      if (run[1] != next) {
        return false;
      }
      next *= run[0];
    }
    return true;
  }

  /** Stride of the innermost axis that is longer than 1; 1 if there is none. */
  long innerStride() {
    long[][] r = runs();
    return r.length == 0 ? 1 : r[0][1];
  }

  /** Identifies equal views. */
  String key() {
    return System.identityHashCode(base)
        + "#"
        + base.id
        + "+"
        + offset
        + shape
        + Arrays.toString(strides);
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof View v
        && v.base == base
        && v.offset == offset
        && v.shape.equals(shape)
        && Arrays.equals(v.strides, strides);
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(base) * 31 + Arrays.hashCode(strides) + shape.hashCode();
  }
}
