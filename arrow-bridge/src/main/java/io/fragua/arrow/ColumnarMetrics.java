package io.fragua.arrow;

/** Where a {@link BatchFunction} reports its times, shown in Spark's SQL tab. Used by one task. */
public interface ColumnarMetrics {
  /** Adds time spent copying columns to tiles or tiles to columns. */
  void copy(long nanos);

  /** Adds time spent computing. */
  void compute(long nanos);

  /** Counts a batch size that was halved because a batch did not fit the memory. */
  void halved();

  /** Adds the task's native memory, in bytes. */
  void memory(long bytes);

  /** Metrics that go nowhere. */
  static ColumnarMetrics none() {
    return new ColumnarMetrics() {
      @Override
      public void copy(long nanos) {}

      @Override
      public void compute(long nanos) {}

      @Override
      public void halved() {}

      @Override
      public void memory(long bytes) {}
    };
  }
}
