package io.fragua.cpu;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.TensorType;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Moves elements, bit by bit as they are. */
final class ReferenceMovement {
  /** Where an element of the result comes from: its index there to the index in the operand. */
  private interface Source {
    int[] of(int[] index);
  }

  private ReferenceMovement() {}

  static void addTo(Map<String, ReferenceKernels.Kernel> kernels) {
    kernels.put("reshape", (a, in, x, out, y) -> y.copyFrom(x[0]));
    kernels.put("transpose", ReferenceMovement::transpose);
    kernels.put("broadcast_in_dim", ReferenceMovement::broadcast);
    kernels.put("slice", ReferenceMovement::slice);
    kernels.put("split", (ReferenceKernels.Kernel.Many) ReferenceMovement::split);
    kernels.put("reverse", ReferenceMovement::reverse);
    kernels.put("pad", ReferenceMovement::pad);
    kernels.put("concat", ReferenceMovement::concat);
    kernels.put("iota", ReferenceMovement::iota);
  }

  /** The index of the i-th element in row-major order. */
  static int[] index(Shape s, long i) {
    int[] index = new int[s.rank()];
    for (int k = s.rank() - 1; k >= 0; k--) {
      index[k] = (int) (i % s.dim(k));
      i /= s.dim(k);
    }
    return index;
  }

  /** The row-major position of an index. */
  static long position(Shape s, int[] index) {
    long i = 0;
    for (int k = 0; k < index.length; k++) {
      i = i * s.dim(k) + index[k];
    }
    return i;
  }

  /** Copies element {@code i} to place {@code j}. */
  static void move(DType t, Buffer from, long i, Buffer to, long j) {
    to.bytes().put((int) (j * t.bytes()), from.bytes(), (int) (i * t.bytes()), t.bytes());
  }

  private static void pull(TensorType in, Buffer x, TensorType out, Buffer y, Source source) {
    for (long i = 0, n = out.shape().size(); i < n; i++) {
      int[] from = source.of(index(out.shape(), i));
      move(in.dtype(), x, position(in.shape(), from), y, i);
    }
  }

  private static void transpose(
      Attrs a, List<TensorType> in, Buffer[] x, TensorType out, Buffer y) {
    int[] perm = a.ints("perm");
    pull(
        in.get(0),
        x[0],
        out,
        y,
        index -> {
          int[] from = new int[index.length];
          for (int k = 0; k < index.length; k++) {
            from[perm[k]] = index[k];
          }
          return from;
        });
  }

  private static void broadcast(
      Attrs a, List<TensorType> in, Buffer[] x, TensorType out, Buffer y) {
    int[] dims = a.ints("dims");
    pull(in.get(0), x[0], out, y, index -> Arrays.stream(dims).map(d -> index[d]).toArray());
  }

  private static void split(
      Attrs a, List<TensorType> in, Buffer[] x, List<TensorType> out, Buffer[] y) {
    int start = 0;
    for (int i = 0; i < y.length; i++) {
      slice(a.with("start", start).with("stride", 1), in, x, out.get(i), y[i]);
      start += a.ints("sizes")[i];
    }
  }

  private static void slice(Attrs a, List<TensorType> in, Buffer[] x, TensorType out, Buffer y) {
    int axis = a.integer("axis");
    int start = a.integer("start");
    int stride = a.integer("stride");
    pull(
        in.get(0),
        x[0],
        out,
        y,
        index -> {
          index[axis] = start + index[axis] * stride;
          return index;
        });
  }

  private static void reverse(Attrs a, List<TensorType> in, Buffer[] x, TensorType out, Buffer y) {
    int axis = a.integer("axis");
    int n = out.shape().dim(axis);
    pull(
        in.get(0),
        x[0],
        out,
        y,
        index -> {
          index[axis] = n - 1 - index[axis];
          return index;
        });
  }

  private static void pad(Attrs a, List<TensorType> in, Buffer[] x, TensorType out, Buffer y) {
    DType t = out.dtype();
    int axis = a.integer("axis");
    double value = a.real("value");
    for (long i = 0, n = out.shape().size(); i < n; i++) {
      if (t == DType.BOOL) {
        y.putLong(t, i, value != 0 ? 1 : 0);
      } else {
        y.putDouble(t, i, value);
      }
    }
    for (long i = 0, n = in.get(0).shape().size(); i < n; i++) {
      int[] index = index(in.get(0).shape(), i);
      index[axis] = a.integer("low") + index[axis] * (a.integer("interior") + 1);
      move(t, x[0], i, y, position(out.shape(), index));
    }
  }

  private static void concat(Attrs a, List<TensorType> in, Buffer[] x, TensorType out, Buffer y) {
    int axis = a.integer("axis");
    int offset = 0;
    for (int k = 0; k < x.length; k++) {
      Shape s = in.get(k).shape();
      for (long i = 0, n = s.size(); i < n; i++) {
        int[] index = index(s, i);
        index[axis] += offset;
        move(out.dtype(), x[k], i, y, position(out.shape(), index));
      }
      offset += s.dim(axis);
    }
  }

  private static void iota(Attrs a, List<TensorType> in, Buffer[] x, TensorType out, Buffer y) {
    for (long i = 0, n = out.shape().size(); i < n; i++) {
      y.putLong(out.dtype(), i, index(out.shape(), i)[a.integer("axis")]);
    }
  }
}
