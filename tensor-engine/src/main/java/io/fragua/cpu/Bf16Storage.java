package io.fragua.cpu;

import io.fragua.tensor.DType;
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

  private final Halves halves = new Halves();

  /** What lies as f32 after it was rounded, by the rounded value. */
  private final Map<Value, Value> back = new HashMap<>();

  private Bf16Storage(List<View> roots, boolean lies) {
    this.lies = lies;
    roots.forEach(r -> results.add(r.base()));
    given.addAll(results);
    List<Value> order = Order.of(roots.stream().map(View::base).toList()).values;
    for (int i = order.size() - 1; i >= 0; i--) {
      Value v = order.get(i);
      if (Halves.isProduct(v)) {
        v.args.subList(0, 2).forEach(a -> operands.add(a.base()));
      } else if (Halves.moves(v) && operands.contains(v)) {
        v.args.forEach(a -> operands.add(a.base()));
      } else if (Halves.moves(v) && given.contains(v)) {
        v.args.forEach(a -> given.add(a.base()));
      }
    }
  }

  /**
   * The results, computed by products of bf16.
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
    if (Halves.isProduct(v)) {
      return product(old, v);
    }
    boolean rounded = v.args.stream().allMatch(a -> Halves.source(a.base()) != null);
    if (Halves.moves(v) && (rounded || operands.contains(old) && !results.contains(old))) {
      return halves.moving(v);
    }
    return elementwise(old, v);
  }

  /** A value that products read is rounded for all, unless it is a result. */
  private Value elementwise(Value old, Value v) {
    return v.kind == Value.Kind.ELEMENTWISE
            && v.type.dtype() == DType.F32
            && operands.contains(old)
            && !results.contains(old)
            && Halves.source(v) == null
        ? Halves.wide(halves.of(v))
        : v;
  }

  private Value product(Value old, Value v) {
    List<View> args = new ArrayList<>(v.args);
    boolean half = lies && Halves.apart(v);
    for (int i = 0; i < 2; i++) {
      args.set(i, half ? halves.of(args.get(i)) : operand(args.get(i)));
    }
    int last = args.size() - 1;
    Value added = last >= 2 && half ? Halves.source(args.get(last).base()) : null;
    if (added != null && v.attrs.has("residual")) {
      args.set(last, View.of(added));
    }
    boolean whole =
        given.contains(old)
            || !operands.contains(old)
                && v.size() * SMALL <= v.args.get(0).base().size() + v.args.get(1).base().size();
    if (whole || !half) {
      Value p = Value.of(v.kind, v.type, v.op, v.attrs, args);
      return whole ? p : Halves.wide(halves.of(p));
    }
    return Halves.wide(Value.of(v.kind, Halves.type(v), v.op, v.attrs, args));
  }

  /** A kernel that reads f32 made from bf16 loads the bf16. */
  private static Value reading(Value v) {
    List<View> args = new ArrayList<>();
    for (View a : v.args) {
      Value h = Halves.source(a.base());
      if (h == null) {
        args.add(a);
      } else {
        View there = new View(h, a.offset(), a.shape(), a.strides());
        args.add(View.of(Halves.cast(there, DType.F32)));
      }
    }
    return args.equals(v.args) ? v : v.withArgs(args);
  }

  /** Rounded, as f32. */
  private View operand(View a) {
    if (Halves.source(a.base()) != null) {
      return a;
    }
    View h = halves.of(a);
    Value f32 = back.computeIfAbsent(h.base(), Halves::wide);
    return new View(f32, h.offset(), h.shape(), h.strides());
  }
}
