package io.fragua.arrow;

import java.io.Serializable;
import java.util.Iterator;
import java.util.function.UnaryOperator;
import org.apache.spark.sql.vectorized.ColumnarBatch;

/**
 * What {@link ColumnarMap} applies to the batches of one partition. It is serialised to the
 * executors and called once per task, on the task's thread.
 *
 * <p>Rules that every implementation keeps:
 *
 * <ul>
 *   <li>A produced batch holds the output columns only. With {@link ColumnarMap#append} there is
 *       exactly one produced batch for every input batch, with as many rows, and the input batch is
 *       taken during the {@code next()} that produces it: the operator adds the input's columns.
 *   <li>A produced batch may be reused for the next: Spark has finished with a batch before it asks
 *       for the next one. An input batch is valid until the next is asked for.
 *   <li>What is not garbage collected is freed by a task completion listener: a consumer such as a
 *       limit stops asking before the input ends.
 *   <li>{@code equals} decides whether Spark may take two queries for one (caching, exchange
 *       reuse); the default, identity, is always right.
 * </ul>
 */
public interface BatchFunction extends Serializable {
  /**
   * The output batches for the input batches of one partition.
   *
   * @param in the input; pulled lazily
   * @param ordinals positions of the operator's inputs in each input batch, in the order in which
   *     they were given to {@link ColumnarMap}
   * @param metrics takes the times of copying and computing; the operator itself counts rows and
   *     batches and measures the wait for the input
   */
  Iterator<ColumnarBatch> apply(
      Iterator<ColumnarBatch> in, int[] ordinals, ColumnarMetrics metrics);

  /**
   * For {@link #apply}, where an output batch is a function of one input batch: asks for it when
   * the output is asked for, and keeps nothing.
   */
  static Iterator<ColumnarBatch> each(
      Iterator<ColumnarBatch> in, UnaryOperator<ColumnarBatch> function) {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return in.hasNext();
      }

      @Override
      public ColumnarBatch next() {
        return function.apply(in.next());
      }
    };
  }

  /**
   * Whether every Spark ML vector in the columns it produces is dense and not null. Elements are
   * then read from the values, without making objects of the rows.
   */
  default boolean yieldsDenseVectors() {
    return false;
  }

  /**
   * The function that yields only some of the columns; asked for where a query uses no others.
   *
   * @param outputs positions of those columns, ascending, at least one
   * @return null if it cannot, the default: the columns are then computed and not used
   */
  default BatchFunction only(int[] outputs) {
    return null;
  }

  /** Shown in {@code explain()} after the columns, for instance device and precision. */
  default String describe() {
    return "";
  }
}
