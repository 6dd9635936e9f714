package io.fragua.cpu;

import io.fragua.tensor.DType;

/**
 * Finds x logistic(2 sqrt(2/pi) (x + 0.044715 x^3)), the tanh approximation of gelu, which oneDNN
 * applies while it writes a product. Its result is within 5e-7, which is enough where results are
 * rounded to bf16 anyway; in its tail that is more than f32's rounding, so it is not for {@link
 * io.fragua.exec.Precision#STRICT}.
 */
final class Gelu {
  private final Rewrite.Uses uses;

  private Gelu(Rewrite.Uses uses) {
    this.uses = uses;
  }

  /**
   * Which operand of a value is x, or -1 if the value is no gelu or something else reads x or a
   * part of it.
   */
  static int operand(Value v, Rewrite.Uses uses) {
    if (v.kind != Value.Kind.ELEMENTWISE || !v.name().equals("mul")) {
      return -1;
    }
    Gelu g = new Gelu(uses);
    for (int i = 0; i < 2; i++) {
      View x = v.args.get(i);
      if (uses.order().users(x.base()).size() == 3 // the square, the cube and the value itself
          && !uses.results().contains(x.base())
          && g.isGate(v.args.get(1 - i), x)) {
        return i;
      }
    }
    return -1;
  }

  private boolean isGate(View gate, View x) {
    Value logistic = step("logistic", gate, x);
    Value u = logistic == null ? null : step("mul", logistic.args.get(0), x);
    Value cubic = step("mul", beside(u, 2 * Math.sqrt(2 / Math.PI)), x);
    Value sum = step("add", beside(cubic, x), x);
    Value scaled = step("mul", beside(sum, 1), x);
    Value square = step("mul", beside(scaled, 0.044715), x);
    return square != null && square.args.stream().allMatch(x::equals);
  }

  /** What is there, if it is this function of all of x and read once; else null. */
  private Value step(String op, View there, View x) {
    if (there == null || !there.isDense() || !there.shape().equals(x.shape())) {
      return null;
    }
    Value v = there.base();
    return v.kind == Value.Kind.ELEMENTWISE && v.name().equals(op) && uses.onlyHere(v) ? v : null;
  }

  /** The operand beside x, or null. */
  private static View beside(Value v, View x) {
    return v == null
        ? null
        : v.args.get(0).equals(x) ? v.args.get(1) : v.args.get(1).equals(x) ? v.args.get(0) : null;
  }

  /** The operand beside a constant, or null. */
  private static View beside(Value v, double c) {
    for (int i = 0; v != null && i < 2; i++) {
      Value b = v.args.get(i).base();
      if (b.isScalarConstant() && b.constant.buffer().getDouble(DType.F32, 0) == (float) c) {
        return v.args.get(1 - i);
      }
    }
    return null;
  }
}
