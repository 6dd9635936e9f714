package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;
import java.util.function.UnaryOperator;

/** What the layers of a transformer share: sums around a part, and two products. */
record Sublayers(
    int hidden, Activation activation, double dropout, boolean normFirst, double epsilon) {
  /** What is added to variances where nothing else is said. */
  static final double EPSILON = 1e-6;

  static void check(
      String who, int heads, int hidden, Activation activation, double dropout, double epsilon) {
    Settings.epsilon(who, epsilon);
    Check.that(
        heads >= 1 && hidden >= 1,
        "%s: needs at least one head and one hidden unit: %d, %d; correct them",
        who,
        heads,
        hidden);
    Check.that(
        dropout >= 0 && dropout <= 1, "%s: a rate lies in [0, 1]: %s; correct it", who, dropout);
    Check.that(activation != null, "%s: needs an activation: null; pass one of Activations", who);
  }

  /** norm(x + f(x)), or x + f(norm(x)). */
  Tensor around(Scope s, String norm, Tensor x, UnaryOperator<Tensor> f) {
    LayerNorm layer = new LayerNorm(epsilon);
    return normFirst
        ? x.add(drop(s, f.apply(s.apply(norm, layer, x))))
        : s.apply(norm, layer, x.add(drop(s, f.apply(x))));
  }

  /** dense(activation(dense(x))). */
  Tensor products(Scope s, Tensor x) {
    Tensor h = activation.function().apply(s.apply("dense_0", new Dense(hidden), x));
    return s.apply("dense_1", new Dense(x.shape().dim(-1)), drop(s, h));
  }

  /** The end of what a layer prints. */
  static String text(double epsilon) {
    return epsilon == EPSILON ? ")" : ", epsilon " + epsilon + ")";
  }

  private Tensor drop(Scope s, Tensor x) {
    return new Dropout(dropout).apply(s, x);
  }
}
