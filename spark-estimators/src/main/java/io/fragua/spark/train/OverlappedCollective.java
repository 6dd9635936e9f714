package io.fragua.spark.train;

import io.fragua.tensor.Buffer;
import java.util.List;
import org.apache.spark.SparkConf;

/**
 * Adds up buckets on a thread of its own while the worker computes the gradients of the next ones.
 * The thread makes the calls that the worker would make afterwards, in the same order, so the sums
 * are the same to the bit; at any time one of the two threads uses the connections.
 */
final class OverlappedCollective implements Collective {
  /** Spark's setting: whether sums are overlapped; by default between machines only. */
  static final String KEY = "spark.fragua.collective.overlap";

  /** How often a worker that waits looks whether it is to give up. */
  private static final long LOOK_MS = 50;

  private final LinkedCollective sums;
  private final Runnable check;
  private Thread thread; // since there were buckets
  private Buckets given; // that are not all added up; guarded by this
  private Throwable failure; // why they never will be; guarded by this

  /**
   * Over connections that stand; takes them over.
   *
   * @param check called while a worker waits for the sums; throws to give up
   */
  OverlappedCollective(LinkedCollective sums, Runnable check) {
    this.sums = sums;
    this.check = check;
  }

  /**
   * Whether it pays: between machines bytes are carried while cores compute, but those that stay on
   * one machine are moved by its cores, which have then less time for the gradients.
   */
  static boolean pays(SparkConf conf, List<Peer> peers) {
    return conf.getBoolean(KEY, peers.stream().map(Peer::host).distinct().count() > 1);
  }

  /** The same workers, overlapped if they have connections at all: threads share their memory. */
  static Collective over(Collective workers, boolean pays, Runnable check) {
    return pays && workers instanceof LinkedCollective l
        ? new OverlappedCollective(l, check)
        : workers;
  }

  @Override
  public int rank() {
    return sums.rank();
  }

  @Override
  public int size() {
    return sums.size();
  }

  @Override
  public void allReduce(Buffer buffer, int from, int count, boolean bf16) {
    sums.allReduce(buffer, from, count, bf16);
  }

  @Override
  public void allReduce(ShardTree tree) {
    sums.allReduce(tree);
  }

  @Override
  public void swap(int partner, Buffer buffer, int count) {
    sums.swap(partner, buffer, count);
  }

  @Override
  public void begin(Buckets buckets) {
    sums.computes(true);
    synchronized (this) {
      given = buckets;
      notifyAll();
    }
    if (thread == null) {
      thread = new Thread(this::run, "fragua-sums-" + sums.rank());
      thread.setDaemon(true);
      thread.start();
    }
  }

  @Override
  public void finish(Buckets buckets) {
    sums.computes(false);
    while (!await()) {
      check.run();
    }
  }

  /**
   * Waits a while for the sums; true if they are there.
   *
   * @throws CollectiveException or whatever else the other thread threw
   */
  private synchronized boolean await() {
    try {
      if (given != null && failure == null) {
        wait(LOOK_MS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw CollectiveException.interrupted(sums.rank());
    }
    if (failure instanceof Error e) {
      throw e;
    }
    if (failure != null) {
      throw (RuntimeException) failure; // sums throw no others
    }
    return given == null;
  }

  private void run() {
    try {
      while (true) {
        Buckets b = take();
        for (int i = 0; i < b.count(); i++) {
          b.await(i);
          sums.allReduce(b.sums(), b.from(i), b.floats(i), b.bf16());
        }
        synchronized (this) {
          given = null;
          notifyAll();
        }
      }
    } catch (InterruptedException e) {
      // closed while it waited for work
    } catch (Throwable t) {
      synchronized (this) {
        failure = t;
        notifyAll();
      }
    }
  }

  private synchronized Buckets take() throws InterruptedException {
    while (given == null) {
      wait();
    }
    return given;
  }

  /** Ends the thread, also in the middle of a sum, before it frees what that uses. */
  @Override
  public void close() {
    if (thread != null) {
      thread.interrupt();
      Threads.join(thread);
    }
    sums.close();
  }
}
