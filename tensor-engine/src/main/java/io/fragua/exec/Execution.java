package io.fragua.exec;

import io.fragua.tensor.Buffer;
import java.util.function.IntConsumer;

/**
 * One thread's use of a {@link Program}: bound operands and results, and a workspace. Not
 * thread-safe. Buffers bound by the caller stay the caller's.
 */
public interface Execution extends AutoCloseable {
  /**
   * The memory of an operand, which the caller fills before {@link #run()}. Owned by this execution
   * unless bound.
   */
  Buffer input(int i);

  /** The memory of a result, valid after {@link #run()} until the next. */
  Buffer output(int i);

  /**
   * Reads an operand from this buffer from now on. It need not be aligned, but aligned (64 bytes)
   * is faster.
   *
   * @throws IllegalArgumentException if the size is not the operand's
   */
  void bindInput(int i, Buffer buffer);

  /**
   * Writes a result to this buffer from now on. May be the buffer bound to a donated operand;
   * otherwise it must not overlap an operand.
   *
   * @throws IllegalArgumentException if the size is not the result's
   */
  void bindOutput(int i, Buffer buffer);

  /**
   * Computes all results. Allocates nothing.
   *
   * @throws IndexOutOfBoundsException if an index operand lies outside its table
   */
  void run();

  /**
   * As {@link #run()}, and tells of each result once, as soon as nothing in this run writes or
   * reads it any more: another thread may read it, and write over it, while the others are
   * computed.
   *
   * @param complete takes the numbers of results, in any order, on the calling thread
   */
  void run(IntConsumer complete);

  /**
   * Runs so many times, as {@link #run()} does, with a clock read around each step. The slower loop
   * is here alone: {@link #run()} pays nothing for it.
   *
   * @return by default the whole program as one step
   * @throws IllegalArgumentException if {@code runs} is less than 1
   */
  default Profile profile(int runs) {
    return Profile.of("program", runs, this::run);
  }

  /** Frees the workspace. */
  @Override
  void close();
}
