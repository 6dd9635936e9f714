package io.fragua.cpu;

import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Scatter;
import java.nio.ByteBuffer;

/**
 * Writes rows by index into its operand. Rows of 16-bit numbers that are touched are kept in f32
 * until all updates are in, so a sum is rounded once.
 */
final class ScatterStep extends WriteStep {
  private final Scatter mode;
  private final DType dtype;
  private final int rows;
  private final int count;

  /** Elements of a row. */
  private final int width;

  ScatterStep(Value v) {
    super(v);
    mode = Scatter.parse(v.attrs.text("mode"));
    dtype = v.type.dtype();
    rows = v.shape().dim(0);
    count = Math.toIntExact(operand(1).shape().size());
    width = Math.toIntExact(v.shape().slice(1, v.shape().rank()).size());
  }

  private boolean wide() {
    return mode != Scatter.SET && (dtype == DType.F16 || dtype == DType.BF16);
  }

  @Override
  long scratchBytes() {
    return wide() ? 4L * (rows + (long) count * (width + 1)) : 0;
  }

  @Override
  void check(Buffer[] in) {
    Indices.check(result.name(), in[1].bytes(), 0, operand(1).shape(), rows);
  }

  @Override
  void write(Buffer[] in, Buffer out, Buffer scratch) {
    if (wide()) {
      halves(in[1].bytes(), in[2], out, scratch.bytes());
      return;
    }
    ByteBuffer ids = in[1].bytes();
    ByteBuffer u = in[2].bytes();
    ByteBuffer y = out.bytes();
    int bytes = width * dtype.bytes();
    for (int i = 0; i < count; i++) {
      int to = ids.getInt(i * 4) * bytes;
      int from = i * bytes;
      if (mode == Scatter.SET) {
        set(u, from, y, to, bytes);
        continue;
      }
      switch (dtype) {
        case F32 -> f32(u, from, y, to, bytes);
        case F64 -> {
          for (int k = 0; k < bytes; k += 8) {
            y.putDouble(to + k, real(y.getDouble(to + k), u.getDouble(from + k)));
          }
        }
        default -> {
          int e = dtype.bytes();
          for (int k = 0; k < width; k++) {
            long sum = integer(out.getLong(dtype, to / e + k), in[2].getLong(dtype, from / e + k));
            out.putLong(dtype, to / e + k, sum);
          }
        }
      }
    }
  }

  private void set(ByteBuffer u, int from, ByteBuffer y, int to, int bytes) {
    switch (bytes) {
      case 4 -> y.putInt(to, u.getInt(from));
      case 8 -> y.putLong(to, u.getLong(from));
      default -> y.put(to, u, from, bytes);
    }
  }

  private void f32(ByteBuffer u, int from, ByteBuffer y, int to, int bytes) {
    if (mode == Scatter.ADD) {
      for (int k = 0; k < bytes; k += 4) {
        y.putFloat(to + k, y.getFloat(to + k) + u.getFloat(from + k));
      }
    } else {
      for (int k = 0; k < bytes; k += 4) {
        y.putFloat(to + k, real(y.getFloat(to + k), u.getFloat(from + k)));
      }
    }
  }

  private float real(float x, float u) {
    return switch (mode) {
      case ADD -> x + u;
      case MUL -> x * u;
      case MIN -> Math.min(x, u);
      case MAX -> Math.max(x, u);
      case SET -> u;
    };
  }

  private double real(double x, double u) {
    return switch (mode) {
      case ADD -> x + u;
      case MUL -> x * u;
      case MIN -> Math.min(x, u);
      case MAX -> Math.max(x, u);
      case SET -> u;
    };
  }

  private long integer(long x, long u) {
    return switch (mode) {
      case ADD -> x + u;
      case MUL -> x * u;
      case MIN -> Math.min(x, u);
      case MAX -> Math.max(x, u);
      case SET -> u;
    };
  }

  /** Scratch: for each row its place among the touched ones or -1; those rows; their numbers. */
  private void halves(ByteBuffer ids, Buffer u, Buffer y, ByteBuffer scratch) {
    int sums = rows * 4;
    int names = sums + count * width * 4;
    for (int r = 0; r < rows; r++) {
      scratch.putInt(r * 4, -1);
    }
    int touched = 0;
    for (int i = 0; i < count; i++) {
      int r = ids.getInt(i * 4);
      int at = scratch.getInt(r * 4);
      if (at < 0) {
        at = touched++;
        scratch.putInt(r * 4, at);
        scratch.putInt(names + at * 4, r);
        for (int k = 0; k < width; k++) {
          float first = (float) y.getDouble(dtype, (long) r * width + k);
          scratch.putFloat(sums + (at * width + k) * 4, first);
        }
      }
      for (int k = 0; k < width; k++) {
        int p = sums + (at * width + k) * 4;
        float next = (float) u.getDouble(dtype, (long) i * width + k);
        scratch.putFloat(p, real(scratch.getFloat(p), next));
      }
    }
    for (int at = 0; at < touched; at++) {
      long r = scratch.getInt(names + at * 4);
      for (int k = 0; k < width; k++) {
        y.putDouble(dtype, r * width + k, scratch.getFloat(sums + (at * width + k) * 4));
      }
    }
  }

  @Override
  String describe() {
    return "scatter " + mode + " " + count + " rows of " + width + " " + dtype + " into " + rows;
  }
}
