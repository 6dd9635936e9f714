package io.fragua.cpu;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/**
 * Pass between absorb and fuse, for {@link io.fragua.exec.Precision#BF16_MATH} on CPUs that
 * multiply bf16: products and convolutions of f32 take operands rounded to bf16; nothing else is
 * rounded. oneDNN can round inside a product, but does it again for each block of the result, at a
 * third of the speed. Here each operand is rounded once, by the kernel that makes it, for all
 * products that read it: a weight once a step or, if it is fixed, once. What products alone read is
 * made as bf16 and never lies as f32, be it another product's result.
 */
final class Bf16Operands {
  private final Halves halves = new Halves();
  private final Set<Value> results = new HashSet<>();

  /** Values, as they were before the pass, that nothing but products reads, directly or moved. */
  private final Set<Value> only = Collections.newSetFromMap(new IdentityHashMap<>());

  private Bf16Operands(List<View> roots) {
    roots.forEach(r -> results.add(r.base()));
    Order order = Order.of(roots.stream().map(View::base).toList());
    for (int i = order.values.size() - 1; i >= 0; i--) {
      Value v = order.values.get(i);
      if (!results.contains(v) && order.users(v).stream().allMatch(u -> rounds(u, v))) {
        only.add(v);
      }
    }
  }

  /** The results, computed by products of bf16. */
  static List<View> run(List<View> results) {
    Bf16Operands pass = new Bf16Operands(results);
    return Rewrite.run(results, (old, now, uses) -> pass.apply(old, now));
  }

  /** True if a user needs no more of a value than its rounded form. */
  private boolean rounds(Value user, Value v) {
    return Halves.moves(user)
        ? only.contains(user)
        : isProduct(user)
            && user.args.stream().skip(2).noneMatch(a -> a.base() == v); // bias and residual
  }

  private Value apply(Value old, Value v) {
    if (Halves.moves(v) && only.contains(old)) {
      return halves.moving(v);
    }
    if (!isProduct(v)) {
      return v;
    }
    List<View> args = new ArrayList<>(v.args);
    args.set(0, halves.of(args.get(0)));
    args.set(1, halves.of(args.get(1)));
    return only.contains(old)
        ? Halves.wide(Value.of(v.kind, Halves.type(v), v.op, v.attrs, args))
        : Value.of(v.kind, v.type, v.op, v.attrs, args);
  }

  /** A product with a vector is bound by memory: rounding first would only cost. */
  private static boolean isProduct(Value v) {
    if (!Halves.isProduct(v) || !Halves.apart(v)) {
      return false;
    }
    MatmulShape s = v.kind == Value.Kind.MATMUL ? MatmulShape.of(v) : null;
    return s == null || Math.min(s.m(), s.n()) > 1;
  }
}
