package io.fragua.cpu;

import io.fragua.tensor.Buffer;

/**
 * A step that writes into its first operand: in place where that is used no more, into a copy
 * otherwise.
 */
abstract class WriteStep extends CallStep {
  WriteStep(Value v) {
    super(v);
  }

  @Override
  final boolean inPlace(Value read, Value written) {
    long uses = result.args.stream().filter(a -> a.base() == read).count();
    return uses == 1 && result.args.get(0).base() == read;
  }

  @Override
  final void run(Buffer[] in, Buffer out, Buffer scratch) {
    check(in);
    if (!same(in[0], out)) {
      out.copyFrom(in[0]);
    }
    write(in, out, scratch);
  }

  /** Checks what the operands' types do not say; nothing is written yet. */
  abstract void check(Buffer[] in);

  /** Writes into {@code out}, which holds the first operand. */
  abstract void write(Buffer[] in, Buffer out, Buffer scratch);

  /**
   * True if both are the same memory. A donated operand may be bound to its result's memory or not,
   * so it is found out: a byte of the result, which holds anything, is changed and looked for.
   */
  private static boolean same(Buffer a, Buffer out) {
    byte b = out.bytes().get(0);
    if (a.bytes().get(0) != b) {
      return false;
    }
    out.bytes().put(0, (byte) ~b);
    boolean same = a.bytes().get(0) != b;
    out.bytes().put(0, b);
    return same;
  }
}
