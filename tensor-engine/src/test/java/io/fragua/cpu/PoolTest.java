package io.fragua.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PoolTest {
  @Test
  void aHelperThatCannotBeStartedEndsTheOthers() throws InterruptedException {
    OutOfMemoryError none = new OutOfMemoryError("unable to create native thread");
    List<Thread> started = new ArrayList<>();
    assertSame(
        none,
        assertThrows(
            OutOfMemoryError.class,
            () ->
                new Pool(
                    5,
                    t -> {
                      if (started.size() == 2) {
                        throw none;
                      }
                      t.start();
                      started.add(t);
                    })));
    assertEquals(2, started.size());
    for (Thread t : started) {
      t.join(20_000);
      assertFalse(t.isAlive(), "a helper of no pool");
    }
  }
}
