package io.fragua.cpu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;

/** What generated loops do with their operands before they begin. Thread-safe. */
public final class Operand {
  private Operand() {}

  /** {@link #own(ByteBuffer)} in generated code. */
  static String own(String memory) {
    return Operand.class.getName() + ".own(" + memory + ")";
  }

  /**
   * A buffer of the same memory that nobody else knows. C2 puts barriers around each vector that is
   * read from or written to a buffer, and takes it that a barrier may change the buffer's limit and
   * address; so it reads and checks them again for every vector, a dozen instructions. An object
   * that was made by the method and does not leave it cannot change; C2 does not even make it. Then
   * limits are checked before the loop.
   *
   * @source HotSpot of JDK 17: {@code LibraryCallKit::inline_vector_mem_operation}, {@code
   *     MemNode::optimize_simple_memory_chain}
   */
  public static ByteBuffer own(ByteBuffer b) {
    // As MappedByteBuffer: ByteBuffer's duplicate() is a bridge, in which C2 does not inline more.
    return ((MappedByteBuffer) b).duplicate().order(ByteOrder.nativeOrder());
  }
}
