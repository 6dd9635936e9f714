package io.fragua.examples.bench;

import io.fragua.spark.train.EpochMetrics;
import io.fragua.spark.train.TrainListener;
import org.apache.spark.sql.util.ArrowUtils;

/** Notes when the first training step was reported, and the most memory that the rows took. */
final class FirstStep implements TrainListener {
  private final TrainListener next;
  private final boolean local;
  private final long began = System.nanoTime();
  private final long bytesBefore = allocated();
  private long at;
  private long bytes;
  private long rows;

  /**
   * Counts from now.
   *
   * @param next hears everything too
   * @param local whether the workers are in this JVM, so that their memory can be seen
   */
  FirstStep(TrainListener next, boolean local) {
    this.next = next;
    this.local = local;
  }

  private static long allocated() {
    return ArrowUtils.rootAllocator().getAllocatedMemory();
  }

  @Override
  public void phase(String name) {
    measure();
    next.phase(name);
  }

  @Override
  public void step(int epoch, int epochs, long rowsDone, long rowsTotal, double loss) {
    first(rowsTotal);
    next.step(epoch, epochs, rowsDone, rowsTotal, loss);
  }

  @Override
  public void epoch(EpochMetrics m) {
    first(m.rows()); // an epoch can be over before its first report
    next.epoch(m);
  }

  private void first(long rowsOfAnEpoch) {
    measure();
    if (at == 0) {
      at = System.nanoTime();
      rows = rowsOfAnEpoch;
    }
  }

  private void measure() {
    if (local) {
      bytes = Math.max(bytes, allocated() - bytesBefore);
    }
  }

  /** From the making of this object to the first report of a step. */
  double seconds() {
    return (at - began) / 1e9;
  }

  /**
   * Off-heap memory of all workers, and the order of their rows: a Java array of four bytes each.
   */
  long storeBytes() {
    return bytes + 4 * rows;
  }
}
