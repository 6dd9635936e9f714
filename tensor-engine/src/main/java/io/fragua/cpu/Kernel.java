package io.fragua.cpu;

/**
 * A generated loop. Public only because generated classes live in loaders of their own; nobody else
 * implements it.
 */
public interface Kernel {
  /**
   * Computes a part of the iteration space.
   *
   * @param memory operands (ByteBuffer or MemorySegment), the last is scratch
   * @param p sizes, offsets and strides, in the order its source says
   * @param from first row, or first element where the kernel has a single row
   * @param to end, exclusive
   */
  void run(Object[] memory, int[] p, int from, int to);
}
