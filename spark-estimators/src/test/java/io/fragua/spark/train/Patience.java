package io.fragua.spark.train;

import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Waits for what other threads and processes do in their own time. */
public final class Patience {
  private Patience() {}

  /** Whether it comes true within a minute; on a busy machine little happens at once. */
  public static boolean until(BooleanSupplier condition) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    boolean now = condition.getAsBoolean();
    while (!now && System.nanoTime() < end) {
      pause(5);
      now = condition.getAsBoolean();
    }
    return now;
  }

  /** Takes so long. */
  static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
