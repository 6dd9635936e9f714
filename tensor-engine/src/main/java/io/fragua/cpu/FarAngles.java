package io.fragua.cpu;

/** Large angles, for generated code. Thread-safe. */
public final class FarAngles {
  private FarAngles() {}

  /** Sine, cosine or tangent; the same bits in interpreted and in compiled code. */
  public static float of(String op, float angle) {
    return (float)
        switch (op) {
          case "sin" -> StrictMath.sin(angle);
          case "cos" -> StrictMath.cos(angle);
          default -> StrictMath.tan(angle);
        };
  }
}
