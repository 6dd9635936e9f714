package io.fragua.exec;

/** How exactly contractions are computed. Stored with a model and visible in the plan. */
public enum Precision {
  /** f32 everywhere. The default. */
  STRICT,
  /** f32 storage; products may be rounded to bf16 and summed in f32 where hardware gains by it. */
  BF16_MATH
}
