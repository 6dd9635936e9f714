package io.fragua.arrow;

import io.fragua.exec.MemoryBudget;
import io.fragua.tensor.Check;
import java.io.IOException;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.memory.MemoryConsumer;
import org.apache.spark.memory.MemoryMode;
import org.apache.spark.memory.TaskMemoryManager;
import org.apache.spark.network.util.JavaUtils;
import org.apache.spark.sql.internal.SQLConf;

/**
 * How much native memory the scoring of a task may take. Two limits, each optional: the setting
 * {@value #KEY} for a task, and where {@code spark.memory.offHeap.enabled} is true what Spark's own
 * memory manager grants the task of {@code spark.memory.offHeap.size}, for which it lets Spark's
 * sorts and aggregations spill. Without either the JVM's direct memory is the limit.
 */
final class TaskMemory implements MemoryBudget {
  /** Most bytes of a task, as {@code 512m}; read when {@code transform} is called. */
  static final String KEY = "spark.fragua.score.memory";

  private final long limit; // Long.MAX_VALUE for none
  private final Consumer consumer; // null for none
  private long used;

  private TaskMemory(long limit, Consumer consumer) {
    this.limit = limit;
    this.consumer = consumer;
  }

  /**
   * The session's setting, read on the driver.
   *
   * @return Long.MAX_VALUE for none
   * @throws IllegalArgumentException if it is not a number of bytes from 1 up
   */
  static long setting() {
    String set = SQLConf.get().getConfString(KEY, "").strip();
    if (set.isEmpty()) {
      return Long.MAX_VALUE;
    }
    long bytes;
    try {
      bytes = JavaUtils.byteStringAsBytes(set);
    } catch (NumberFormatException e) {
      bytes = 0; // refused with the text as it was given
    }
    Check.that(
        bytes > 0,
        "%s: must be a number of bytes from 1 up, as 512m: \"%s\"; correct or unset it",
        KEY,
        set);
    return bytes;
  }

  /** The budget of this task; null for none. */
  static MemoryBudget of(TaskContext task, long limit) {
    boolean managed = SparkEnv.get().conf().getBoolean("spark.memory.offHeap.enabled", false);
    if (!managed && limit == Long.MAX_VALUE) {
      return null;
    }
    return new TaskMemory(limit, managed ? new Consumer(task.taskMemoryManager()) : null);
  }

  @Override
  public synchronized boolean take(long bytes) {
    if (bytes > limit - used || consumer != null && !consumer.take(bytes)) {
      return false;
    }
    used += bytes;
    return true;
  }

  @Override
  public synchronized void give(long bytes) {
    used -= bytes;
    if (consumer != null) {
      consumer.freeMemory(bytes);
    }
  }

  @Override
  public String describe() {
    String own = limit == Long.MAX_VALUE ? null : limit + " bytes a task; raise or unset " + KEY;
    String sparks =
        consumer == null
            ? null
            : "what Spark grants the task of "
                + SparkEnv.get().conf().get("spark.memory.offHeap.size", "0")
                + " bytes; raise spark.memory.offHeap.size";
    return own == null ? sparks : sparks == null ? own : own + ", and " + sparks;
  }

  /** Spark's account of the memory. */
  private static final class Consumer extends MemoryConsumer {
    Consumer(TaskMemoryManager manager) {
      super(manager, manager.pageSizeBytes(), MemoryMode.OFF_HEAP);
    }

    boolean take(long bytes) {
      if (bytes == 0) {
        return true; // Spark wants to be asked for something
      }
      long granted = acquireMemory(bytes);
      if (granted < bytes) {
        freeMemory(granted);
      }
      return granted >= bytes;
    }

    /** Nothing: tiles and results are in use until the task ends. */
    @Override
    public long spill(long size, MemoryConsumer trigger) throws IOException {
      return 0;
    }
  }
}
