package io.fragua.tensor;

import java.util.List;

/**
 * Element by element: arithmetic, comparison, selection. Binary ones broadcast as NumPy does. A
 * number as an operand becomes one of this tensor's dtype; there is no promotion, so a number that
 * an integer dtype does not hold is an {@link IllegalArgumentException}.
 */
public interface Elementwise {
  /** This tensor. */
  Tensor self();

  private Tensor unary(String op) {
    return Tensor.apply(op, Attrs.NONE, self());
  }

  /** Rounding to whole numbers, which integers are. */
  private Tensor whole(String op) {
    return self().dtype().isInteger() ? self() : unary(op);
  }

  private Tensor binary(String op, Tensor b) {
    return binary(op, self(), b);
  }

  /** True if both are bool, of which false is the smaller. */
  private boolean truths(Tensor b) {
    return self().dtype() == DType.BOOL && b.dtype() == DType.BOOL;
  }

  /** Applies a binary row after broadcasting its operands to one shape. */
  static Tensor binary(String op, Tensor a, Tensor b) {
    Shape s = Shape.broadcast(op, a.shape(), b.shape());
    return Tensor.apply(op, Attrs.NONE, a.lift(b).broadcastTo(s), b.lift(a).broadcastTo(s));
  }

  /** -x. */
  default Tensor neg() {
    return unary("neg");
  }

  /** |x|. */
  default Tensor abs() {
    return unary("abs");
  }

  /** -1, 0 or 1. */
  default Tensor sign() {
    return unary("sign");
  }

  /** e^x. */
  default Tensor exp() {
    return unary("exp");
  }

  /** e^x - 1, accurate near 0. */
  default Tensor expm1() {
    return unary("expm1");
  }

  /** Natural logarithm. */
  default Tensor log() {
    return unary("log");
  }

  /** log(1 + x), accurate near 0. */
  default Tensor log1p() {
    return unary("log1p");
  }

  /** Square root. */
  default Tensor sqrt() {
    return unary("sqrt");
  }

  /** 1 / sqrt(x). */
  default Tensor rsqrt() {
    return unary("rsqrt");
  }

  /** Sine, radians. */
  default Tensor sin() {
    return unary("sin");
  }

  /** Cosine, radians. */
  default Tensor cos() {
    return unary("cos");
  }

  /** Hyperbolic tangent. */
  default Tensor tanh() {
    return unary("tanh");
  }

  /** 1 / (1 + e^-x), the sigmoid. */
  default Tensor logistic() {
    return unary("logistic");
  }

  /** max(x, 0), derivative 0 at 0. */
  default Tensor relu() {
    return unary("relu");
  }

  /** Largest integer not above; integers stay. */
  default Tensor floor() {
    return whole("floor");
  }

  /** Smallest integer not below; integers stay. */
  default Tensor ceil() {
    return whole("ceil");
  }

  /** Nearest integer, ties to even; integers stay. */
  default Tensor round() {
    return whole("round");
  }

  /** Truth value negated. */
  default Tensor not() {
    return unary("logical_not");
  }

  /** x * x. */
  default Tensor square() {
    return self().mul(self());
  }

  /**
   * Other element type. Floating to integer truncates and saturates at the type's ends, NaN gives
   * 0; integer to integer wraps; to bool is {@code != 0}.
   */
  default Tensor cast(DType dtype) {
    return dtype == self().dtype()
        ? self()
        : Tensor.apply("cast", Attrs.of("dtype", dtype), self());
  }

  /** Same bits, other type of the same width. */
  default Tensor bitcast(DType dtype) {
    return dtype == self().dtype()
        ? self()
        : Tensor.apply("bitcast", Attrs.of("dtype", dtype), self());
  }

  /** a + b. */
  default Tensor add(Tensor b) {
    return binary("add", b);
  }

  /** a - b. */
  default Tensor sub(Tensor b) {
    return binary("sub", b);
  }

  /** a * b. */
  default Tensor mul(Tensor b) {
    return binary("mul", b);
  }

  /** a / b; integers truncate toward zero. */
  default Tensor div(Tensor b) {
    return binary("div", b);
  }

  /** a to the power b. */
  default Tensor pow(Tensor b) {
    return binary("pow", b);
  }

  /** The larger; NaN if either is; of bool, true if either is. */
  default Tensor maximum(Tensor b) {
    return truths(b) ? or(b) : binary("maximum", b);
  }

  /** The smaller; NaN if either is; of bool, true if both are. */
  default Tensor minimum(Tensor b) {
    return truths(b) ? and(b) : binary("minimum", b);
  }

  /** a + b. */
  default Tensor add(double b) {
    return add(self().operand("add", b));
  }

  /** a - b. */
  default Tensor sub(double b) {
    return sub(self().operand("sub", b));
  }

  /** a * b. */
  default Tensor mul(double b) {
    return mul(self().operand("mul", b));
  }

  /** a / b. */
  default Tensor div(double b) {
    return div(self().operand("div", b));
  }

  /**
   * a to the power b; integers wrap.
   *
   * @throws IllegalArgumentException if a has integers and b is negative, as in NumPy
   */
  default Tensor pow(double b) {
    Tensor exponent = self().operand("pow", b);
    if (!self().dtype().isInteger()) {
      return pow(exponent);
    }
    Check.that(
        b >= 0,
        "pow: integers have no negative powers: %s of %s; cast them to a floating type",
        b,
        self().type());
    // squares, of which those at the exponent's bits are multiplied
    Tensor power = null;
    Tensor square = self();
    for (long left = (long) b; left > 0; left >>= 1) {
      if ((left & 1) == 1) {
        power = power == null ? square : power.mul(square);
      }
      square = left > 1 ? square.square() : square;
    }
    return power == null ? self().mul(0).add(1) : power;
  }

  /** The larger of x and b. */
  default Tensor maximum(double b) {
    return maximum(self().operand("maximum", b));
  }

  /** The smaller of x and b. */
  default Tensor minimum(double b) {
    return minimum(self().operand("minimum", b));
  }

  /** Bitwise (integers) or logical (bool) and. */
  default Tensor and(Tensor b) {
    return binary("bitwise_and", b);
  }

  /** Bitwise (integers) or logical (bool) or. */
  default Tensor or(Tensor b) {
    return binary("bitwise_or", b);
  }

  /** Bitwise (integers) or logical (bool) exclusive or. */
  default Tensor xor(Tensor b) {
    return binary("bitwise_xor", b);
  }

  /** Shifts bits to the right by {@code n}, filling with zeros. */
  default Tensor shiftRightLogical(int n) {
    return self().shiftRightLogical(self().bits(n));
  }

  /** Shifts bits to the left by {@code n}. */
  default Tensor shiftLeft(int n) {
    return self().shiftLeft(self().bits(n));
  }

  /** a == b, bool. */
  default Tensor equal(Tensor b) {
    return binary("equal", b);
  }

  /** a != b, bool. */
  default Tensor notEqual(Tensor b) {
    return binary("not_equal", b);
  }

  /** a &lt; b, bool. */
  default Tensor less(Tensor b) {
    return truths(b) ? self().not().and(b) : binary("less", b);
  }

  /** a &lt;= b, bool. */
  default Tensor lessEqual(Tensor b) {
    return truths(b) ? self().not().or(b) : binary("less_equal", b);
  }

  /** a &gt; b, bool. */
  default Tensor greater(Tensor b) {
    return truths(b) ? self().and(b.not()) : binary("greater", b);
  }

  /** a &gt;= b, bool. */
  default Tensor greaterEqual(Tensor b) {
    return truths(b) ? self().or(b.not()) : binary("greater_equal", b);
  }

  /** a &gt; b, bool. */
  default Tensor greater(double b) {
    return greater(self().operand("greater", b));
  }

  /** a &lt; b, bool. */
  default Tensor less(double b) {
    return less(self().operand("less", b));
  }

  /** Where this (bool) holds {@code a}, elsewhere {@code b}; all three broadcast. */
  default Tensor select(Tensor a, Tensor b) {
    Shape s =
        Shape.broadcast("select", self().shape(), Shape.broadcast("select", a.shape(), b.shape()));
    Tensor traced = self().isTraced() ? self() : a.isTraced() ? a : b;
    return Tensor.apply(
        "select",
        Attrs.NONE,
        self().lift(traced).broadcastTo(s),
        a.lift(traced).broadcastTo(s),
        b.lift(traced).broadcastTo(s));
  }

  /** Same value, but derivatives stop here. */
  default Tensor stopGradient() {
    return unary("stop_gradient");
  }

  /** All of the given tensors added; at least one. */
  static Tensor sum(List<Tensor> ts) {
    Check.shape(!ts.isEmpty(), "sum: needs at least one tensor: none given; pass one");
    return ts.stream().reduce(Elementwise::add).orElseThrow();
  }
}
