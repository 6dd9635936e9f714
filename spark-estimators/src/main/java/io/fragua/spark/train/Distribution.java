package io.fragua.spark.train;

/**
 * How workers train together.
 *
 * @param bf16 whether gradients are rounded to bfloat16 on their way between executors
 */
public record Distribution(boolean bf16) {
  /** Gradients travel as they are. */
  public static final Distribution PLAIN = new Distribution(false);
}
