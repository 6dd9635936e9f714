package io.fragua.spark.train;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import org.apache.spark.util.ThreadUtils;

/**
 * Writes checkpoints on a thread of its own while rank 0 goes on; the others would take a worker
 * that waits for a file system for dead. A checkpoint that comes due while the one before is still
 * being written is written at the first step after that. Used by one thread.
 */
final class CheckpointSaver implements AutoCloseable {
  private static final long END_MS = 20_000;

  private final CheckpointPlan plan;
  private final DataSum.Value rows;
  private final CheckpointFolder folder;
  private final ExecutorService thread;
  private Future<?> running;
  private boolean owed;

  CheckpointSaver(CheckpointPlan plan, DataSum.Value rows, String name) {
    this.plan = plan;
    this.rows = rows;
    folder = plan.open();
    thread = ThreadUtils.newDaemonSingleThreadExecutor("fragua-checkpoint-" + name);
  }

  /**
   * Whether to save now, after steps within an epoch.
   *
   * @param more steps since this was last asked
   * @param globalStep steps since the beginning
   */
  boolean dueAfterSteps(int more, long globalStep) {
    int every = plan.everySteps();
    return due(every > 0 && globalStep / every > (globalStep - more) / every);
  }

  /** Whether to save now, when this many epochs are done. */
  boolean dueAfterEpoch(int epochs) {
    return due(epochs % plan.everyEpochs() == 0);
  }

  private boolean due(boolean now) {
    owed |= now;
    if (!owed || running != null && !running.isDone()) {
      return false;
    }
    await();
    return true;
  }

  /**
   * Saves what the training is at this position.
   *
   * @param tensors a safetensors file of everything
   * @throws UncheckedIOException if the checkpoint before could not be written
   */
  void save(Position position, byte[] tensors) {
    await();
    owed = false;
    running =
        thread.submit(
            () -> {
              folder.save(plan.identity(), rows, position, tensors, plan.keep());
              return null;
            });
  }

  /** Waits until the checkpoint that is being written is there. */
  void await() {
    if (running == null) {
      return;
    }
    try {
      running.get();
      running = null;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("train: interrupted while a checkpoint was written", e);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof IOException io
          ? new UncheckedIOException(
              "train: checkpoints must be written to "
                  + plan.folder()
                  + ": "
                  + io
                  + "; make room or set another checkpointDir",
              io)
          : new IllegalStateException("train: a checkpoint must be written", e.getCause());
    }
  }

  /** Ends the thread; a checkpoint that is being written is given up. */
  @Override
  public void close() {
    if (!Threads.end(thread, END_MS)) {
      throw new IllegalStateException(
          "train: a file system must answer within " + END_MS + " ms: " + plan.folder());
    }
  }
}
