package io.fragua.cpu;

import io.fragua.tensor.Buffer;
import java.util.List;

/**
 * A step that computes one row with one result by code of its own, from whole operands in memory to
 * a whole result. Rows are given their class in {@link Calls}.
 */
abstract class CallStep extends CallsStep {
  /** What is computed; its arguments are dense. */
  final Value result;

  CallStep(Value v) {
    super(v, List.of(v));
    result = v;
  }

  /**
   * Computes. Buffers have the sizes of their types.
   *
   * @param in the operands
   * @param out the result; its memory holds anything
   * @param scratch {@link #scratchBytes} bytes that hold anything
   */
  abstract void run(Buffer[] in, Buffer out, Buffer scratch);

  @Override
  final void run(Buffer[] in, Buffer[] out, Buffer scratch) {
    run(in, out[0], scratch);
  }
}
