package io.fragua.spark.train;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.ExceptionFailure;
import org.apache.spark.TaskFailedReason;
import org.apache.spark.TaskKilled;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Hears on the driver which worker failed and why. A worker's death makes its neighbours fail too,
 * and Spark repeats the stage; what matters is what the first attempt said. Thread-safe.
 */
final class WorkerWatch extends SparkListener {
  private final String rddName;
  private final List<Failure> failures = new ArrayList<>();
  private int stage = -1;
  private int running;
  private long firstAt;

  /**
   * A failed worker.
   *
   * @param rank its number
   * @param host it ran on
   * @param executor it ran on
   * @param why text for people
   * @param cause what it threw; null if the executor died or the exception did not travel
   * @param type class name of what it threw, or null
   * @param lost whether the place failed and not the work: another try elsewhere may end well
   */
  record Failure(
      int rank,
      String host,
      String executor,
      String why,
      Throwable cause,
      String type,
      boolean lost) {
    /** True if another worker's fate explains this one. */
    boolean secondary() {
      return CollectiveException.class.getName().equals(type);
    }
  }

  /** Watches the stage that computes the RDD of this name. */
  WorkerWatch(String rddName) {
    this.rddName = rddName;
  }

  @Override
  public synchronized void onStageSubmitted(SparkListenerStageSubmitted e) {
    CollectionConverters.asJava(e.stageInfo().rddInfos()).stream()
        .filter(r -> r.name().equals(rddName))
        .findAny()
        .ifPresent(r -> stage = e.stageInfo().stageId());
  }

  @Override
  public synchronized void onTaskEnd(SparkListenerTaskEnd e) {
    running -= e.stageId() == stage ? 1 : 0;
    if (e.stageId() != stage
        || e.stageAttemptId() > 0
        || !(e.reason() instanceof TaskFailedReason reason)
        || e.reason() instanceof TaskKilled) {
      return;
    }
    String why = reason.toErrorString();
    Throwable cause = null;
    String type = null;
    boolean lost = true; // the executor died, or what the worker was to fetch from another
    if (reason instanceof ExceptionFailure f) {
      type = f.className();
      cause = f.exception().isDefined() ? f.exception().get() : null;
      why = f.description();
      lost = CollectiveException.class.getName().equals(type) || fromOutside(cause);
    }
    var t = e.taskInfo();
    if (failures.isEmpty()) {
      firstAt = System.nanoTime();
    }
    failures.add(new Failure(t.index(), t.host(), t.executorId(), why, cause, type, lost));
    notifyAll();
  }

  @Override
  public synchronized void onTaskStart(SparkListenerTaskStart e) {
    running += e.stageId() == stage ? 1 : 0;
  }

  /** Whether a disk, a file system or a connection failed. */
  private static boolean fromOutside(Throwable cause) {
    for (Throwable t = cause; t != null; t = t.getCause()) {
      if (t instanceof IOException) {
        return true;
      }
    }
    return false;
  }

  /** Workers that run, also those that were told to end. */
  synchronized int running() {
    return running;
  }

  /** Waits until no worker runs any more, or the time is over. */
  synchronized void awaitEnd(long millis) throws InterruptedException {
    long end = System.nanoTime() + millis * 1_000_000;
    while (running > 0 && System.nanoTime() - end < 0) {
      wait(50);
    }
  }

  /** Milliseconds since the first failure, or -1 if there was none. */
  synchronized long sinceFirst() {
    return failures.isEmpty() ? -1 : (System.nanoTime() - firstAt) / 1_000_000;
  }

  /** The failure that explains the others, or null if there was none. */
  synchronized Failure root() {
    return failures.stream()
        .filter(f -> !f.secondary())
        .findFirst()
        .orElse(failures.isEmpty() ? null : failures.get(0));
  }

  /** Waits a little for something to happen. */
  synchronized void pause(long millis) throws InterruptedException {
    wait(millis);
  }
}
