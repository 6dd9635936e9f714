package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** What a thread writes to is freed after it has ended, whatever happens to the task that waits. */
class ThreadsTest {
  private final AtomicBoolean written = new AtomicBoolean();
  private final CountDownLatch began = new CountDownLatch(1);
  private final CountDownLatch free = new CountDownLatch(1);

  /** Work that does not heed interrupts, as a read from a disk. */
  private ExecutorService writing() throws InterruptedException {
    ExecutorService thread = Executors.newSingleThreadExecutor();
    thread.execute(
        () -> {
          began.countDown();
          while (free.getCount() > 0) {
            Thread.onSpinWait();
          }
          written.set(true);
        });
    began.await();
    return thread;
  }

  @Test
  void aTaskThatIsKilledWaitsToo() throws Exception {
    ExecutorService thread = writing();
    Thread helper =
        new Thread(
            () -> {
              Patience.pause(200);
              free.countDown();
            });
    helper.start();
    Thread.currentThread().interrupt();
    assertTrue(Threads.end(thread, 60_000));
    assertTrue(Thread.interrupted(), "it stays interrupted");
    assertTrue(written.get());
    helper.join();
  }

  @Test
  void oneThatDoesNotEndIsTold() throws Exception {
    ExecutorService thread = writing();
    assertFalse(Threads.end(thread, 20));
    free.countDown();
    assertTrue(Threads.end(thread, 60_000));
  }
}
