package io.fragua.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a helper thread throws, the caller throws as its own; helpers that end. */
class PoolTest {
  /** Cannot be made from a message alone. */
  @SuppressWarnings("serial")
  static final class Numbered extends RuntimeException {
    Numbered(int n) {
      super("number " + n);
    }
  }

  /** Made from a message, it says something else. */
  @SuppressWarnings("serial")
  public static final class Told extends RuntimeException {
    /** Of a message. */
    public Told(String m) {
      super("told: " + m);
    }
  }

  private static Throwable thrown(Throwable e, int by) {
    try (Pool pool = new Pool(3)) {
      return assertThrows(
          e.getClass(),
          () ->
              pool.run(
                  3,
                  part -> {
                    if (part == by) {
                      throw PoolTest.<RuntimeException>as(e);
                    }
                  }));
    }
  }

  @SuppressWarnings("unchecked")
  private static <E extends Throwable> E as(Throwable e) throws E {
    throw (E) e;
  }

  private static boolean isMine(Throwable e) {
    return Arrays.stream(e.getStackTrace()).anyMatch(s -> s.getMethodName().equals("thrown"));
  }

  @Test
  void anErrorOfAHelperIsMadeAgainInTheCaller() throws InterruptedException {
    for (int by = 1; by < 3; by++) {
      for (Throwable e :
          List.of(
              new IndexOutOfBoundsException("index 7"),
              new IllegalArgumentException((String) null),
              new OutOfMemoryError("no room"))) {
        Throwable there = elsewhere(e);
        Throwable here = thrown(there, by);
        assertSame(there.getClass(), here.getClass());
        assertEquals(there.getMessage(), here.getMessage());
        assertSame(there, here.getCause());
        assertTrue(isMine(here));
      }
    }
  }

  @Test
  void whatCannotBeMadeAgainHasBothTraces() throws InterruptedException {
    for (Throwable e : List.of(new Numbered(7), new Told("so"))) {
      Throwable there = elsewhere(e);
      StackTraceElement first = there.getStackTrace()[0];
      Throwable here = thrown(there, 1);
      assertSame(there, here);
      assertEquals(first, here.getStackTrace()[0]);
      assertTrue(isMine(here));
    }
  }

  @Test
  void anErrorOfTheCallerIsThrownAsItIs() {
    Throwable e = new IllegalStateException("mine");
    assertSame(e, thrown(e, 0));
    assertNull(e.getCause());
  }

  /** With the trace of another thread. */
  private static Throwable elsewhere(Throwable e) throws InterruptedException {
    Thread t = new Thread(e::fillInStackTrace);
    t.start();
    t.join();
    return e;
  }

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
