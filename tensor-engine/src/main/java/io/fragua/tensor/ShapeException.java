package io.fragua.tensor;

/** Shapes, axes or dtypes that do not fit an op. Thrown at the user's call, eager or traced. */
public final class ShapeException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /** Makes one with a four-part message; see {@link Check}. */
  public ShapeException(String message) {
    super(message);
  }
}
