package io.fragua.exec;

/** How exactly contractions are computed. Stored with a model and visible in the plan. */
public enum Precision {
  /** f32 everywhere. The default. */
  STRICT,
  /**
   * f32 storage: products and convolutions of f32 take operands rounded to bf16 and sum in f32
   * where the CPU multiplies bf16; nothing else is rounded. What products alone read lies as bf16,
   * which changes no number. Products with a vector stay f32, and without AMX those whose left rows
   * have an odd length. On other CPUs oneDNN may round where it gains by it.
   */
  BF16_MATH,
  /**
   * bf16 storage too, as PyTorch's {@code autocast} to bfloat16: products and convolutions of f32
   * take operands rounded to bf16, sum in f32 and hand on bf16; everything else computes in f32,
   * and what goes to a product lies in memory as bf16. Operands and results of a program keep their
   * types, so parameters and the optimizer's state stay f32. Where the CPU does not multiply bf16
   * the same numbers are rounded but lie as f32, which gains nothing; {@code Program.explain} says
   * so.
   */
  BF16
}
