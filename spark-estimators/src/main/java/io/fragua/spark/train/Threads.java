package io.fragua.spark.train;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;

/** Threads of a training, which must have ended before the memory that they write to is freed. */
final class Threads {
  private Threads() {}

  /**
   * Ends one: its work is interrupted, and waited for even if the calling thread is interrupted,
   * which it stays.
   *
   * @return false if it did not end in this time
   */
  static boolean end(ExecutorService thread, long ms) {
    thread.shutdownNow();
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ms);
    boolean interrupted = false;
    while (true) {
      try {
        long left = Math.max(0, end - System.nanoTime());
        boolean ended = thread.awaitTermination(left, TimeUnit.NANOSECONDS);
        if (interrupted) {
          Thread.currentThread().interrupt();
        }
        return ended;
      } catch (InterruptedException e) {
        interrupted = true; // a task that is killed must wait, too
      }
    }
  }

  /**
   * Runs what an interrupted thread could not do; the calling thread stays interrupted if it was.
   */
  static void uninterrupted(Runnable work) {
    boolean interrupted = Thread.interrupted();
    try {
      work.run();
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Waits for the end of one that was told to end, even if the calling thread is interrupted. */
  static void join(Thread thread) {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
