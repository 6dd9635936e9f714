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

  /**
   * The number of elements of an axis, which an int must hold.
   *
   * @throws ShapeException if it does not
   */
  public static int size(String who, long n) {
    shape(
        n <= Integer.MAX_VALUE,
        "%s: an axis has at most 2147483647 elements: %d would be needed; ask for less, or split"
            + " the tensor",
        who,
        n);
    return (int) n;
  }

  /** As {@link #that}, throwing {@link ShapeException}. */
  public static void shape(boolean ok, String template, Object... args) {
    if (!ok) {
      throw new ShapeException(String.format(template, args));
    }
  }
}
