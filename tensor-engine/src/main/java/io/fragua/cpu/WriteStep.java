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

  /** Bytes that it changes of its first operand, at most. */
  abstract long touched();

  /** Bytes that it reads of its first operand, not counting a copy. */
  long looked() {
    return 0;
  }

  @Override
  final long bytesRead(boolean inPlace) {
    return super.bytesRead(inPlace)
        + (inPlace ? looked() - result.args.get(0).base().type.byteSize() : 0);
  }

  @Override
  final long bytesWritten(boolean inPlace) {
    return inPlace ? touched() : super.bytesWritten(inPlace);
  }

  /**
   * True if both are the same memory. A donated operand may be bound to its result's memory or not,
   * so it is found out: a byte of the result, which holds anything, is changed and looked for.
   */
  static boolean same(Buffer a, Buffer out) {
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
