package io.fragua.cpu;

import io.fragua.op.OpTable;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.TensorType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * f32 values rounded to bf16, each once, for the passes that give products their operands: {@link
 * Bf16Operands} and {@link Bf16Storage}. A value of which only the rounded form is made stands in
 * the graph as a cast to f32 of it, which kernels take in and products look through.
 */
final class Halves {
  /** Numbers of bf16 in a row of a tile. */
  private static final int BLOCK = 32;

  private final Map<Object, Value> rounded = new HashMap<>();

  /** The operand, rounded. */
  View of(View a) {
    Value b = a.base();
    Value h = source(b);
    if (h == null && a.shape().size() * 2 < b.size() && b.kind.ordinal() <= 1) {
      Value part = rounded.get(a); // of an input
      if (part == null) {
        part = of(Value.copy(a));
        rounded.put(a, part);
      }
      return View.of(part);
    }
    return new View(h == null ? of(b) : h, a.offset(), a.shape(), a.strides());
  }

  /** All of a value, rounded. */
  Value of(Value f32) {
    return rounded.computeIfAbsent(f32, k -> cast(View.of(f32), DType.BF16));
  }

  /** What only moves elements, moving rounded ones. */
  Value moving(Value v) {
    return wide(Value.of(v.kind, type(v), v.op, v.attrs, v.args.stream().map(this::of).toList()));
  }

  static Value wide(Value bf16) {
    return cast(View.of(bf16), DType.F32);
  }

  static Value cast(View from, DType to) {
    return Value.of(
        Value.Kind.ELEMENTWISE,
        new TensorType(to, from.shape()),
        OpTable.get("cast"),
        Attrs.of("dtype", to),
        List.of(from));
  }

  /** The bf16 value of which this is all, as f32; or null. */
  static Value source(Value v) {
    if (v.kind != Value.Kind.ELEMENTWISE
        || v.type.dtype() != DType.F32
        || !v.op.name().equals("cast")) {
      return null;
    }
    View from = v.args.get(0);
    return from.base().type.dtype() == DType.BF16 && from.isDense() ? from.base() : null;
  }

  /** A value's type, as bf16. */
  static TensorType type(Value v) {
    return v.type.with(DType.BF16);
  }

  /** True for a product or convolution of f32 with elements in all operands. */
  static boolean isProduct(Value v) {
    if (v.type.dtype() != DType.F32) {
      return false;
    }
    if (v.kind == Value.Kind.MATMUL) {
      return v.args.stream().allMatch(a -> a.shape().size() > 0);
    }
    boolean conv = v.kind == Value.Kind.CALL && v.op != null && v.op.name().startsWith("conv");
    return conv && !ConvFaults.isEmpty(v);
  }

  /** True for a product of which oneDNN keeps the rows of rounded operands apart. */
  static boolean apart(Value v) {
    View left = v.args.get(0);
    if (v.kind == Value.Kind.MATMUL) {
      return apart(left);
    }
    int groups = v.attrs.integer("groups");
    int in = left.shape().dim(-1);
    boolean each = in == groups && v.args.get(1).shape().dim(-1) == groups; // channel for channel
    return each || whole(in / groups);
  }

  /** As {@link #apart(Value)}, of the left operand of a matrix product. */
  static boolean apart(View left) {
    return left.strides()[left.shape().rank() - 1] != 1 || whole(left.shape().dim(-1));
  }

  /**
   * False if oneDNN (3.11 to 3.14) reads a row of bf16 beyond its end and multiplies what is there
   * by 0, which lets a NaN of one row, or pixel, into others: it reads pairs, and on AMX blocks.
   * Such operands lie as f32, and on AMX oneDNN rounds them.
   */
  private static boolean whole(int k) {
    return k % (k < BLOCK || !OneDnn.multipliesTiles() ? 2 : BLOCK) == 0;
  }

  /**
   * True for what only moves elements, or takes the largest, which is the same before and after
   * rounding; padding must be a number of bf16.
   */
  static boolean moves(Value v) {
    if (v.type.dtype() != DType.F32) {
      return false;
    }
    return switch (v.kind) {
      case COPY, CONCAT -> true;
      case CALL -> v.op.name().equals("max_pool");
      case PAD -> {
        float padding = (float) v.attrs.real("value");
        yield (Float.floatToRawIntBits(padding) & 0xffff) == 0;
      }
      default -> false;
    };
  }
}
