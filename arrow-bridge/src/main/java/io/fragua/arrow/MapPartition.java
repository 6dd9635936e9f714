package io.fragua.arrow;

import java.util.Iterator;
import java.util.NoSuchElementException;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarBatch;

/** What a task of {@link ColumnarMapExec} does with its partition. */
final class MapPartition implements FlatMapFunction<Iterator<ColumnarBatch>, ColumnarBatch> {
  private static final long serialVersionUID = 1L;

  private final BatchFunction function;
  private final int[] ordinals;
  private final int width;
  private final boolean keep;
  private final String label;
  private final MapMetrics metrics;

  MapPartition(
      BatchFunction function,
      int[] ordinals,
      int width,
      boolean keep,
      String label,
      MapMetrics metrics) {
    this.function = function;
    this.ordinals = ordinals;
    this.width = width;
    this.keep = keep;
    this.label = label;
    this.metrics = metrics;
  }

  @Override
  public Iterator<ColumnarBatch> call(Iterator<ColumnarBatch> in) {
    Input input = new Input(in);
    return new Output(input, function.apply(input, ordinals, metrics.reporter()));
  }

  /** The child's batches: measures the wait, notices a killed task, frees what was consumed. */
  private final class Input implements Iterator<ColumnarBatch> {
    private final Iterator<ColumnarBatch> in;
    private final TaskContext task = TaskContext.get();
    private ColumnarBatch last;
    private long taken;

    Input(Iterator<ColumnarBatch> in) {
      this.in = in;
    }

    @Override
    public boolean hasNext() {
      if (task != null) {
        task.killTaskIfInterrupted();
      }
      long t = System.nanoTime();
      boolean more = in.hasNext();
      metrics.load().add(System.nanoTime() - t);
      if (!more) {
        release();
      }
      return more;
    }

    @Override
    public ColumnarBatch next() {
      release();
      // Spark's file scan insists on being asked before it gives.
      if (!hasNext()) {
        throw new NoSuchElementException("ColumnarMap " + label + ": no more input batches");
      }
      long t = System.nanoTime();
      last = in.next();
      metrics.load().add(System.nanoTime() - t);
      taken++;
      return last;
    }

    /**
     * When the input is passed on, whoever takes the columns frees them, as for any Spark operator;
     * otherwise this is their last user.
     */
    private void release() {
      if (!keep && last != null) {
        last.closeIfFreeable();
        last = null;
      }
    }
  }

  /** The function's batches, with the input's columns in front where they are kept. */
  private final class Output implements Iterator<ColumnarBatch> {
    private final Input input;
    private final Iterator<ColumnarBatch> out;
    private long given;

    Output(Input input, Iterator<ColumnarBatch> out) {
      this.input = input;
      this.out = out;
    }

    @Override
    public boolean hasNext() {
      return out.hasNext();
    }

    @Override
    public ColumnarBatch next() {
      if (!out.hasNext()) {
        throw new NoSuchElementException("ColumnarMap " + label + ": no more batches");
      }
      ColumnarBatch b = out.next();
      given++;
      metrics.batches().add(1);
      metrics.rows().add(b.numRows());
      return keep ? joined(b) : b;
    }

    private ColumnarBatch joined(ColumnarBatch b) {
      ColumnarBatch in = input.last;
      if (input.taken != given || in.numRows() != b.numRows()) {
        throw new IllegalStateException(
            "ColumnarMap "
                + label
                + ": a function that appends yields one batch per input batch, of its size: after "
                + input.taken
                + " input batches, the last of "
                + (in == null ? 0 : in.numRows())
                + " rows, it yielded batch "
                + given
                + " of "
                + b.numRows()
                + " rows; use replace, or correct "
                + function.getClass().getName());
      }
      ColumnVector[] all = new ColumnVector[width + b.numCols()];
      for (int i = 0; i < width; i++) {
        all[i] = in.column(i);
      }
      for (int i = 0; i < b.numCols(); i++) {
        all[width + i] = b.column(i);
      }
      return new ColumnarBatch(all, b.numRows());
    }
  }
}
