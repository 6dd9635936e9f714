package io.fragua.cpu;

import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Rearranges elements: a view written out, a concatenation, a padding. */
final class MoveStep extends Step {
  private final Value result;
  private final List<StridedCopy> copies = new ArrayList<>();
  private final List<Value> sources = new ArrayList<>();
  private final boolean fill;
  private final long fillBits;

  /** Elements from one piece of a source to the next. */
  private final List<Long> shifts = new ArrayList<>();

  private final int pieces;

  MoveStep(Value v, int pieces) {
    super(v.args.stream().map(View::base).distinct().toList(), List.of(v));
    result = v;
    this.pieces = v.shape().rank() > 0 && v.shape().dim(0) % pieces == 0 ? pieces : 1;
    fill = v.kind == Value.Kind.PAD;
    fillBits = fill ? bits(v.type.dtype(), v.attrs.real("value")) : 0;
    View whole = View.of(v);
    switch (v.kind) {
      case CONCAT -> {
        int axis = v.attrs.integer("axis");
        int at = 0;
        for (View part : v.args) {
          int n = part.shape().dim(axis);
          add(part, whole.slice(axis, at, at + n, 1));
          at += n;
        }
      }
      case PAD -> {
        int axis = v.attrs.integer("axis");
        int low = v.attrs.integer("low");
        int step = v.attrs.integer("interior") + 1;
        int n = v.args.get(0).shape().dim(axis);
        add(v.args.get(0), whole.slice(axis, low, low + (n - 1) * step + 1, step));
      }
      default -> add(v.args.get(0), whole);
    }
  }

  private void add(View source, View target) {
    long shift = 0;
    if (pieces > 1) {
      int rows = source.shape().dim(0) / pieces;
      shift = rows * source.strides()[0] * source.base().type.dtype().bytes();
      source = source.slice(0, 0, rows, 1);
      target = target.slice(0, 0, target.shape().dim(0) / pieces, 1);
    }
    shifts.add(shift);
    copies.add(new StridedCopy(source, target));
    sources.add(source.base());
  }

  private static long bits(DType t, double value) {
    Buffer b = Buffer.collected(8);
    b.putDouble(t, 0, value);
    ByteBuffer bytes = b.bytes();
    return switch (t.bytes()) {
      case 8 -> bytes.getLong(0);
      case 4 -> bytes.getInt(0);
      case 2 -> bytes.getShort(0);
      default -> bytes.get(0);
    };
  }

  @Override
  boolean inPlace(Value read, Value written) {
    return result.kind == Value.Kind.COPY && result.args.get(0).isDense();
  }

  @Override
  boolean inPieces(int count, Set<Value> inside) {
    boolean whole =
        result.kind == Value.Kind.PAD
            || result.kind == Value.Kind.CONCAT && result.attrs.integer("axis") == 0;
    return pieces == count
        && !whole
        && result.args.stream()
            .allMatch(a -> !inside.contains(a.base()) || Tiling.aligned(a, count));
  }

  @Override
  Bound bind(CpuExecution x) {
    return new Run(x);
  }

  private final class Run implements Bound {
    private final CpuExecution x;
    private final ByteBuffer[] from = new ByteBuffer[copies.size()];
    private final int[] fromAt = new int[copies.size()];
    private final int toAt;
    private ByteBuffer to;

    Run(CpuExecution x) {
      this.x = x;
      int piece = pieces == 1 ? 0 : x.piece();
      toAt = x.place(result).offset() + piece * Tiling.bytes(result, pieces);
      for (int i = 0; i < from.length; i++) {
        fromAt[i] = x.place(sources.get(i)).offset() + piece * (int) (long) shifts.get(i);
      }
    }

    @Override
    public void rebind() {
      to = x.bytes(x.place(result).slot());
      for (int i = 0; i < from.length; i++) {
        from[i] = x.bytes(x.place(sources.get(i)).slot());
      }
    }

    @Override
    public void run() {
      if (fill) {
        fill();
      }
      for (int i = 0; i < from.length; i++) {
        copies.get(i).run(from[i], fromAt[i], to, toAt);
      }
    }

    private void fill() {
      int n = (int) result.size();
      switch (result.type.dtype().bytes()) {
        case 8 -> {
          for (int i = 0; i < n; i++) {
            to.putLong(toAt + i * 8, fillBits);
          }
        }
        case 4 -> {
          for (int i = 0; i < n; i++) {
            to.putInt(toAt + i * 4, (int) fillBits);
          }
        }
        case 2 -> {
          for (int i = 0; i < n; i++) {
            to.putShort(toAt + i * 2, (short) fillBits);
          }
        }
        default -> {
          for (int i = 0; i < n; i++) {
            to.put(toAt + i, (byte) fillBits);
          }
        }
      }
    }

    @Override
    public void unbind() {
      java.util.Arrays.fill(from, null);
      to = null;
    }

    @Override
    public void close() {}
  }

  @Override
  String describe() {
    List<Shape> shapes = result.args.stream().map(View::shape).toList();
    return result.name() + " " + shapes + " to " + result.type;
  }
}
