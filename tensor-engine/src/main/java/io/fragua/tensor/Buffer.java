package io.fragua.tensor;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Off-heap bytes, native order. Memory comes from an {@code exec.Allocator}, from the garbage
 * collected heap of direct buffers ({@link #collected}), or from somebody else ({@link #wrap}, for
 * instance an Arrow buffer). Elements are read and written through {@link #getDouble} and friends
 * on slow paths; fast paths use {@link #bytes()}.
 *
 * <p>Not thread-safe for writes; concurrent reads are safe.
 */
public final class Buffer {
  /** Alignment of allocated buffers in bytes: a cache line, and the widest vector. */
  public static final int ALIGNMENT = 64;

  /** The most bytes a buffer has, and so a tensor: 2 GiB less what aligning it takes. */
  public static final int LARGEST = Integer.MAX_VALUE - ALIGNMENT;

  private final ByteBuffer bytes;

  private Buffer(ByteBuffer bytes) {
    this.bytes = bytes.order(ByteOrder.nativeOrder());
  }

  /**
   * Zeroed memory freed by the garbage collector: what eager tensors live in.
   *
   * @throws IllegalArgumentException if the size is over {@link #LARGEST}
   */
  public static Buffer collected(long size) {
    checkSize("buffer", size, size);
    return size <= Slab.MOST ? Slab.OF_THREAD.get().cut((int) size) : alone((int) size);
  }

  /**
   * Throws unless a buffer can have this size.
   *
   * @param who would need it
   * @param of what of, for the message
   */
  static void checkSize(String who, long size, Object of) {
    Check.that(
        size >= 0 && size <= LARGEST,
        "%s: a single tensor holds at most %d bytes: %s; split the tensor",
        who,
        LARGEST,
        of);
  }

  private static Buffer alone(int size) {
    ByteBuffer b = ByteBuffer.allocateDirect(size + ALIGNMENT);
    // Not alignedSlice: it also rounds the end down, and could lose the last bytes.
    return new Buffer(b.slice(-b.alignmentOffset(0, ALIGNMENT) & (ALIGNMENT - 1), size));
  }

  /**
   * What small collected buffers are cut from, each byte once: a direct buffer of its own costs
   * more than a small op. A slab is collected after the last of its pieces, so a piece keeps alive
   * 16 KiB at most.
   */
  private static final class Slab {
    static final int MOST = 1024;
    private static final int BYTES = 1 << 14;
    static final ThreadLocal<Slab> OF_THREAD = ThreadLocal.withInitial(Slab::new);

    private Buffer memory = alone(0);
    private int used;

    Buffer cut(int size) {
      if (used + size > memory.size()) {
        memory = alone(BYTES);
        used = 0;
      }
      Buffer piece = memory.slice(used, size);
      used = (used + size + ALIGNMENT - 1) & -ALIGNMENT;
      return piece;
    }
  }

  /**
   * A view of somebody else's memory, from position to limit.
   *
   * @throws IllegalArgumentException if the buffer is on the heap
   */
  public static Buffer wrap(ByteBuffer direct) {
    Check.that(
        direct.isDirect(),
        "buffer: memory must be off-heap: a heap ByteBuffer of %d bytes; use allocateDirect",
        direct.capacity());
    return new Buffer(direct.slice());
  }

  /** The memory, native order, position 0, limit and capacity the size. Do not change its state. */
  public ByteBuffer bytes() {
    return bytes;
  }

  /** Size in bytes. */
  public int size() {
    return bytes.capacity();
  }

  /** A view of {@code size} bytes from {@code offset}; shares the memory. */
  public Buffer slice(int offset, int size) {
    return new Buffer(bytes.slice(offset, size));
  }

  /** Copies all of {@code from} (same size) into this buffer. */
  public void copyFrom(Buffer from) {
    Check.that(
        from.size() == size(),
        "buffer: a copy needs equal sizes: %d bytes from %d bytes; bind a buffer of the right type",
        size(),
        from.size());
    bytes.put(0, from.bytes, 0, size());
  }

  /** Element {@code i} as a real number; bool as 0 or 1; i64 loses bits beyond 2^53. */
  public double getDouble(DType t, long i) {
    int o = (int) (i * t.bytes());
    return switch (t) {
      case F32 -> bytes.getFloat(o);
      case F64 -> bytes.getDouble(o);
      case F16 -> Float16.fromF16(bytes.getShort(o));
      case BF16 -> Float16.fromBf16(bytes.getShort(o));
      default -> getLong(t, i);
    };
  }

  /** Writes element {@code i}, rounded to the type; bool stores {@code v != 0}. */
  public void putDouble(DType t, long i, double v) {
    int o = (int) (i * t.bytes());
    switch (t) {
      case F32 -> bytes.putFloat(o, (float) v);
      case F64 -> bytes.putDouble(o, v);
      case F16 -> bytes.putShort(o, Float16.toF16(Float16.sticky(v)));
      case BF16 -> bytes.putShort(o, Float16.toBf16(Float16.sticky(v)));
      case BOOL -> putLong(t, i, v != 0 ? 1 : 0);
      default -> putLong(t, i, (long) v);
    }
  }

  /** Element {@code i} as an integer; floating values are truncated. */
  public long getLong(DType t, long i) {
    int o = (int) (i * t.bytes());
    return switch (t) {
      case I8 -> bytes.get(o);
      case U8 -> bytes.get(o) & 0xff;
      case BOOL -> bytes.get(o) == 0 ? 0 : 1;
      case I16 -> bytes.getShort(o);
      case I32 -> bytes.getInt(o);
      case I64 -> bytes.getLong(o);
      default -> (long) getDouble(t, i);
    };
  }

  /** Writes element {@code i}; integers wrap to the type's width, bool stores {@code v != 0}. */
  public void putLong(DType t, long i, long v) {
    int o = (int) (i * t.bytes());
    switch (t) {
      case I8, U8 -> bytes.put(o, (byte) v);
      case BOOL -> bytes.put(o, (byte) (v == 0 ? 0 : 1));
      case I16 -> bytes.putShort(o, (short) v);
      case I32 -> bytes.putInt(o, (int) v);
      case I64 -> bytes.putLong(o, v);
      default -> putDouble(t, i, v);
    }
  }
}
