package io.fragua.tensor;

/**
 * The one way to refuse wrong input. A message has four parts: who, the rule, what was given, what
 * to do, as in {@code matmul: inner sizes differ: [32, 784] x [512, 10]; transpose the right
 * operand or fix the layer's input size}.
 */
public final class Check {
  private Check() {}

  /**
   * Throws {@link IllegalArgumentException} with the formatted message unless {@code ok}.
   *
   * @param template a {@link String#format} template, formatted only on failure
   */
  public static void that(boolean ok, String template, Object... args) {
    if (!ok) {
      throw new IllegalArgumentException(String.format(template, args));
    }
  }

  /** As {@link #that}, throwing {@link ShapeException}. */
  public static void shape(boolean ok, String template, Object... args) {
    if (!ok) {
      throw new ShapeException(String.format(template, args));
    }
  }
}
