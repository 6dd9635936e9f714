package io.fragua.arrow;

/** Where a {@link BatchFunction} reports its times, shown in Spark's SQL tab. Used by one task. */
public interface ColumnarMetrics {
  /** Adds time spent copying columns to tiles or tiles to columns. */
  void copy(long nanos);

  /** Adds time spent computing. */
  void compute(long nanos);

  /** Metrics that go nowhere. */
  static ColumnarMetrics none() {
    return new ColumnarMetrics() {
      @Override
      public void copy(long nanos) {}

      @Override
      public void compute(long nanos) {}
    };
  }
}
