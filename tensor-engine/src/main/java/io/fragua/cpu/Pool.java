package io.fragua.cpu;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntConsumer;

/**
 * A few daemon threads that help one execution with its large kernels. Work is divided the same way
 * every time, so results do not depend on timing.
 */
final class Pool implements AutoCloseable {
  private final ExecutorService helpers;

  Pool(int threads) {
    helpers =
        Executors.newFixedThreadPool(
            threads - 1,
            r -> {
              Thread t = new Thread(r, "fragua-cpu");
              t.setDaemon(true);
              return t;
            });
  }

  /** Runs parts 0 to {@code parts - 1}, the first on the calling thread. */
  void run(int parts, IntConsumer part) {
    Future<?>[] others = new Future<?>[parts - 1];
    for (int i = 1; i < parts; i++) {
      int t = i;
      others[i - 1] = helpers.submit(() -> part.accept(t));
    }
    RuntimeException failed = null;
    try {
      part.accept(0);
    } catch (RuntimeException e) {
      failed = e;
    }
    for (Future<?> f : others) {
      try {
        f.get();
      } catch (ExecutionException e) {
        failed = failed != null ? failed : new IllegalStateException(e.getCause());
      } catch (InterruptedException e) {
        // The helpers write to memory of this execution: it may not be left before they are done.
        Thread.currentThread().interrupt();
        failed = failed != null ? failed : new IllegalStateException("cpu: interrupted", e);
      }
    }
    if (failed != null) {
      throw failed;
    }
  }

  @Override
  public void close() {
    helpers.shutdown();
  }
}
