package io.fragua.cpu;

import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;

/**
 * Rewrites the sum over a gather's last axis of indices, an embedding bag, into one step: the rows
 * are added as they are read, and never written out one by one.
 */
final class Bag {
  private static final String ATTRIBUTE = "bag";

  private Bag() {}

  /** Rows added up to one of the result; 1 for anything but a bag. */
  static int size(Value v) {
    return v.attrs.has(ATTRIBUTE) ? v.attrs.integer(ATTRIBUTE) : 1;
  }

  /** The sum as a bag, or the value itself. */
  static Value fused(Value old, Value now, Rewrite.Uses uses) {
    if (now.kind != Value.Kind.REDUCE
        || !now.name().equals("reduce_sum")
        || now.type.dtype() != DType.F32) {
      return now;
    }
    View rows = now.args.get(0);
    Value g = rows.base();
    if (g.kind != Value.Kind.GATHER || size(g) > 1 || !uses.onlyHere(old.args.get(0).base())) {
      return now;
    }
    Shape ids = g.args.get(1).shape();
    int[] axes = now.attrs.ints("axes");
    boolean lastIndexAxis = axes.length == 1 && axes[0] == ids.rank() - 1;
    if (!lastIndexAxis || !rows.isDense() || !rows.shape().equals(g.shape())) {
      return now;
    }
    return Value.of(
        Value.Kind.GATHER, now.type, g.op, g.attrs.with(ATTRIBUTE, ids.dim(-1)), g.args);
  }
}
