package io.fragua.cpu;

import io.fragua.op.OpTable;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Pass between absorb and fuse, for {@link io.fragua.exec.Precision#BF16}: products and
 * convolutions of f32 take bf16 operands and hand on bf16 results. Casts say so, and fuse: a kernel
 * that makes an operand writes bf16, one that reads a result loads bf16, and both compute in f32.
 *
 * <p>A value that a product reads is rounded where it is made, for all who read it, so that one
 * array lies in memory and not two. Operands and results of the program keep their types. A result
 * that is small beside its operands, as the gradient of a weight, stays f32: that costs nothing.
 *
 * <p>Where the CPU does not multiply bf16, the same numbers are rounded and lie as f32.
 */
final class Bf16Storage {
  /** Elements of the operands for each of a result that is not worth rounding. */
  private static final int SMALL = 4;

  private final boolean lies;
  private final Set<Value> results = new HashSet<>();

  /** Results, and what is only moved to become one. */
  private final Set<Value> given = new HashSet<>();

  /** Values, as they were before the pass, that products read, directly or moved. */
  private final Set<Value> operands = Collections.newSetFromMap(new IdentityHashMap<>());

  /** What was rounded, so that each is once. */
  private final Map<Object, Value> halves = new HashMap<>();

  private Bf16Storage(List<View> roots, boolean lies) {
    this.lies = lies;
    roots.forEach(r -> results.add(r.base()));
    given.addAll(results);
    List<Value> order = Order.of(roots.stream().map(View::base).toList()).values;
    for (int i = order.size() - 1; i >= 0; i--) {
      Value v = order.get(i);
      if (isProduct(v)) {
        v.args.subList(0, 2).forEach(a -> operands.add(a.base()));
      } else if (moves(v) && operands.contains(v)) {
        v.args.forEach(a -> operands.add(a.base()));
      } else if (moves(v) && given.contains(v)) {
        v.args.forEach(a -> given.add(a.base()));
      }
    }
  }

  /** The results, computed by products of bf16. */
  static List<View> run(List<View> results) {
    return run(results, OneDnn.multipliesBf16());
  }

  /**
   * As {@link #run(List)}.
   *
   * @param lies false if rounded numbers are to lie as f32
   */
  static List<View> run(List<View> results, boolean lies) {
    Bf16Storage pass = new Bf16Storage(results, lies);
    return Rewrite.run(results, (old, now, uses) -> pass.apply(old, now));
  }

  private Value apply(Value old, Value v) {
    if (v.isFusable() && lies) {
      return elementwise(old, reading(v));
    }
    if (isProduct(v)) {
      return product(old, v);
    }
    boolean rounded = v.args.stream().allMatch(a -> source(a.base()) != null);
    if (moves(v) && (rounded || operands.contains(old) && !results.contains(old))) {
      List<View> args = v.args.stream().map(this::half).toList();
      return wide(Value.of(v.kind, half(v.type), v.op, v.attrs, args));
    }
    return elementwise(old, v);
  }

  /** A value that products read is rounded for all, unless it is a result. */
  private Value elementwise(Value old, Value v) {
    return v.kind == Value.Kind.ELEMENTWISE
            && v.type.dtype() == DType.F32
            && operands.contains(old)
            && !results.contains(old)
            && source(v) == null
        ? wide(rounded(v))
        : v;
  }

  private Value product(Value old, Value v) {
    List<View> args = new ArrayList<>(v.args);
    for (int i = 0; i < 2; i++) {
      args.set(i, operand(args.get(i)));
    }
    int last = args.size() - 1;
    Value added = last >= 2 && lies ? source(args.get(last).base()) : null;
    if (added != null && v.attrs.has("residual")) {
      args.set(last, View.of(added));
    }
    boolean whole =
        given.contains(old)
            || !operands.contains(old)
                && v.size() * SMALL <= v.args.get(0).base().size() + v.args.get(1).base().size();
    if (whole || !lies) {
      Value p = Value.of(v.kind, v.type, v.op, v.attrs, args);
      return whole ? p : wide(rounded(p));
    }
    return wide(Value.of(v.kind, half(v.type), v.op, v.attrs, args));
  }

  /** A kernel that reads f32 made from bf16 loads the bf16. */
  private static Value reading(Value v) {
    List<View> args = new ArrayList<>();
    for (View a : v.args) {
      Value h = source(a.base());
      if (h == null) {
        args.add(a);
      } else {
        View there = new View(h, a.offset(), a.shape(), a.strides());
        args.add(View.of(cast(there, DType.F32)));
      }
    }
    return args.equals(v.args) ? v : v.withArgs(args);
  }

  /** As a product takes it. */
  private View operand(View a) {
    if (lies || source(a.base()) != null) {
      return lies ? half(a) : a;
    }
    View h = half(a);
    Value f32 = halves.computeIfAbsent(List.of(h.base()), k -> wide(h.base()));
    return new View(f32, h.offset(), h.shape(), h.strides());
  }

  private View half(View a) {
    Value b = a.base();
    Value h = source(b);
    if (h == null && a.shape().size() * 2 < b.size() && b.kind.ordinal() <= 1) {
      Value part = halves.computeIfAbsent(a, k -> rounded(Value.copy(a))); // of an input
      return View.of(part);
    }
    return new View(h == null ? rounded(b) : h, a.offset(), a.shape(), a.strides());
  }

  private Value rounded(Value f32) {
    return halves.computeIfAbsent(f32, k -> cast(View.of(f32), DType.BF16));
  }

  private static Value wide(Value bf16) {
    return cast(View.of(bf16), DType.F32);
  }

  private static Value cast(View from, DType to) {
    return Value.of(
        Value.Kind.ELEMENTWISE,
        new TensorType(to, from.shape()),
        OpTable.get("cast"),
        Attrs.of("dtype", to),
        List.of(from));
  }

  /** The bf16 value of which this is all, as f32; or null. */
  private static Value source(Value v) {
    if (v.kind != Value.Kind.ELEMENTWISE
        || v.type.dtype() != DType.F32
        || !v.op.name().equals("cast")) {
      return null;
    }
    View from = v.args.get(0);
    return from.base().type.dtype() == DType.BF16 && from.isDense() ? from.base() : null;
  }

  private static TensorType half(TensorType t) {
    return t.with(DType.BF16);
  }

  private static boolean isProduct(Value v) {
    boolean product =
        v.kind == Value.Kind.MATMUL
            || v.kind == Value.Kind.CALL && v.op != null && v.op.name().startsWith("conv");
    return product
        && v.type.dtype() == DType.F32
        && v.args.stream().allMatch(a -> a.shape().size() > 0);
  }

  /** True for what only moves elements; padding must be a number of bf16. */
  private static boolean moves(Value v) {
    if (v.type.dtype() != DType.F32) {
      return false;
    }
    return switch (v.kind) {
      case COPY, CONCAT -> true;
      case PAD -> {
        float padding = (float) v.attrs.real("value");
        yield (Float.floatToRawIntBits(padding) & 0xffff) == 0;
      }
      default -> false;
    };
  }
}
