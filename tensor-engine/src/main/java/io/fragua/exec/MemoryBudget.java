package io.fragua.exec;

/** How much an {@link Allocator} may give out, decided by whoever owns the memory. Thread-safe. */
public interface MemoryBudget {
  /**
   * Takes so many bytes more.
   *
   * @return false, with nothing taken, if they do not fit
   */
  boolean take(long bytes);

  /** Gives bytes back that were taken. */
  void give(long bytes);

  /** What the limit is and which setting raises it, for errors. */
  String describe();
}
