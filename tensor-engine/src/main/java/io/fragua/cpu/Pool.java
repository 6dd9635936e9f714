package io.fragua.cpu;

import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

/**
 * A few daemon threads that help one execution with its large kernels. Work is divided the same way
 * every time, so results do not depend on timing.
 *
 * <p>A helper that has finished looks for more for some microseconds before it sleeps, since the
 * next kernel of a program is seldom further away; waking a thread costs more than a small kernel.
 */
final class Pool implements AutoCloseable {
  /** A piece of the units of some work. */
  @FunctionalInterface
  interface Range {
    void run(int part, int from, int to);
  }

  /**
   * How many threads so much work is worth.
   *
   * @param units that it can be cut into
   * @param work in all, in the unit of {@code least}, which a thread has to have
   */
  static int parts(int threads, long units, long work, long least) {
    return (int) Math.max(1, Math.min(Math.min(threads, units), work / least));
  }

  /** Where a part of so many units begins; the one behind the last ends them. */
  static int start(int units, int parts, int part) {
    return (int) ((long) units * part / parts);
  }

  /** Runs a range of the units in each part; a single one needs no pool. */
  static void split(Pool pool, int parts, int units, Range range) {
    if (parts == 1) {
      range.run(0, 0, units);
    } else {
      pool.range = range;
      pool.units = units;
      pool.run(parts, pool.ranged);
    }
  }

  /** Looks for work before a helper sleeps, and before the caller yields its core. */
  private static final int SPINS = 4000;

  private final Helper[] helpers;
  private IntConsumer work;
  private int parts;

  /** What {@link #ranged} divides; fields, since a function of its own would be made every time. */
  private Range range;

  private int units;
  private final IntConsumer ranged = this::range;

  /** Counts the pieces of work handed out; written last, so that what precedes it is seen. */
  private volatile int turn;

  private volatile boolean closed;

  /** One thread. */
  private final class Helper extends Thread {
    private final int part;

    /** The turn it has finished. */
    private volatile int done;

    private volatile boolean asleep;
    private Throwable failed;

    Helper(int part) {
      super("fragua-cpu");
      this.part = part;
      setDaemon(true);
    }

    @Override
    public void run() {
      int seen = 0;
      while (true) {
        for (int i = 0; turn == seen && !closed && i < SPINS; i++) {
          Thread.onSpinWait();
        }
        while (turn == seen && !closed) {
          asleep = true;
          if (turn == seen && !closed) {
            LockSupport.park(this);
          }
          asleep = false;
        }
        if (turn == seen) {
          return;
        }
        seen = turn;
        if (part < parts) {
          try {
            work.accept(part);
          } catch (Throwable e) { // handed to the caller, who throws it
            failed = e;
          }
        }
        done = seen;
      }
    }
  }

  Pool(int threads) {
    this(threads, Thread::start);
  }

  /** With another way to start a thread; one that cannot be started ends those that were. */
  Pool(int threads, Consumer<Thread> start) {
    helpers = new Helper[threads - 1];
    try {
      for (int i = 0; i < helpers.length; i++) {
        helpers[i] = new Helper(i + 1);
        start.accept(helpers[i]);
      }
    } catch (RuntimeException | Error e) { // as where the system has no more threads
      close();
      throw e;
    }
  }

  private void range(int part) {
    range.run(part, start(units, parts, part), start(units, parts, part + 1));
  }

  /** Runs parts 0 to {@code parts - 1}, the first on the calling thread. */
  void run(int parts, IntConsumer part) {
    this.parts = parts;
    work = part;
    int now = turn + 1;
    turn = now;
    for (Helper h : helpers) {
      if (h.asleep) {
        LockSupport.unpark(h);
      }
    }
    Throwable failed = null;
    boolean helped = false;
    try {
      part.accept(0);
    } catch (RuntimeException | Error e) { // thrown below, when the helpers are done
      failed = e;
    }
    // Helpers write to memory of this execution: it may not be left before they are done.
    for (Helper h : helpers) {
      for (int i = 0; h.done != now; i++) {
        if (i < SPINS) {
          Thread.onSpinWait();
        } else {
          Thread.yield();
        }
      }
      if (h.failed != null) {
        helped |= failed == null;
        failed = failed != null ? failed : h.failed;
        h.failed = null;
      }
    }
    work = null;
    failed = helped ? here(failed) : failed;
    if (failed instanceof RuntimeException e) {
      throw e;
    }
    if (failed instanceof Error e) {
      throw e;
    }
  }

  /**
   * A helper's error as one of this thread, whose trace shows the user's line; the helper's is its
   * cause. One of a class that cannot be made from a message gets this thread's trace behind its
   * own.
   */
  static Throwable here(Throwable e) {
    try {
      Throwable t = e.getClass().getConstructor(String.class).newInstance(e.getMessage());
      if (Objects.equals(t.getMessage(), e.getMessage())) {
        return t.initCause(e);
      }
    } catch (ReflectiveOperationException | IllegalStateException x) {
      // there is no such constructor, or it sets a cause
    }
    StackTraceElement[] here = new Throwable().getStackTrace();
    StackTraceElement[] there = e.getStackTrace();
    StackTraceElement[] both = Arrays.copyOf(there, there.length + here.length);
    System.arraycopy(here, 0, both, there.length, here.length);
    e.setStackTrace(both);
    return e;
  }

  @Override
  public void close() {
    closed = true;
    for (Helper h : helpers) {
      LockSupport.unpark(h); // nothing, if there is none
    }
  }
}
