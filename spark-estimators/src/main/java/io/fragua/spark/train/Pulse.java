package io.fragua.spark.train;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * Signs of life, on a thread and on connections of their own, so that a long step is no silence.
 * Everyone tells rank 0 that it lives; rank 0 tells everyone who does not: who died, or was silent
 * too long, is known to all by name within the time of one message. Who leaves says how many
 * operations it took part in, so that only those who still need it are told.
 */
final class Pulse implements AutoCloseable {
  /** What a message says of a rank. */
  private static final int LIVES = 0;

  private static final int LEFT = 1;
  private static final int CLOSED = 2;
  private static final int SILENT = 3;

  /** A message: what, rank, number of operations. */
  private static final int MESSAGE = 16;

  /** How long the explanation of a closed connection may take to come round. */
  private static final long EXPLAIN_MS = 2000;

  /** How long a last message may take to be sent. */
  private static final long FAREWELL_MS = 500;

  /** A worker that is no longer there, and how many operations it took part in. */
  private record Gone(int rank, int what, long operations) {}

  /** One connection's state; used by the thread alone. */
  private static final class Line {
    final Link link;
    final ByteBuffer in = ByteBuffer.allocate(MESSAGE);
    final ByteBuffer out = ByteBuffer.allocate(256 * MESSAGE).limit(0);
    long heard = System.nanoTime();
    boolean over;

    Line(Link link) {
      this.link = link;
    }
  }

  private final int rank;
  private final List<Peer> peers;
  private final Timeouts timeouts;
  private final List<Line> lines = new ArrayList<>();
  private final List<Gone> gone = new ArrayList<>(); // in the order heard of; guarded by itself
  private final long[] begun; // operations each rank has begun; rank 0's knowledge
  private final Selector selector;
  private final Thread thread;
  private volatile long operations;
  private volatile long ended;
  private volatile int behind;
  private volatile long behindAt;
  private volatile boolean closing;

  /** Starts the thread. The links stay the caller's. */
  Pulse(int rank, List<Peer> peers, Collection<Link> life, Timeouts timeouts) throws IOException {
    this.rank = rank;
    this.peers = peers;
    this.timeouts = timeouts;
    begun = new long[peers.size()];
    selector = Selector.open();
    for (Link l : life) {
      Line line = new Line(l);
      lines.add(line);
      l.channel.register(selector, SelectionKey.OP_READ, line);
    }
    thread = new Thread(this::run, "fragua-pulse-" + rank);
    thread.setDaemon(true);
    thread.start();
  }

  /** This worker takes part in its next operation. */
  void begin() {
    operations++; // one thread writes it at a time
  }

  /** It has taken part in it, and the others do not need it any more for this one. */
  void end() {
    ended = operations;
  }

  /**
   * For a worker that waits.
   *
   * @throws CollectiveException naming a worker that this operation needs and that is gone
   */
  void check() {
    synchronized (gone) {
      for (Gone g : gone) {
        if (g.what() != LEFT || g.operations() < operations) {
          throw lost(g);
        }
      }
    }
  }

  /** What explains that a connection failed; the reason may be a worker further away. */
  CollectiveException explain(Peer peer, IOException cause) {
    long end = System.nanoTime() + EXPLAIN_MS * 1_000_000L;
    try {
      while (System.nanoTime() < end) {
        check();
        Thread.sleep(5);
      }
    } catch (CollectiveException e) {
      e.addSuppressed(cause);
      return e;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return CollectiveException.lost(peer, "is gone: " + cause.getMessage(), peers.get(rank), cause);
  }

  /** Longest wait for a neighbour; shorter once nobody is left who would tell of its death. */
  long patienceMs() {
    synchronized (gone) {
      boolean told = gone.stream().noneMatch(g -> g.rank() == 0);
      return rank == 0 || told ? timeouts.stuckMs() : timeouts.silentMs();
    }
  }

  /** A wait for a neighbour took too long: who has begun the fewest operations is the cause. */
  CollectiveException stuck(Peer neighbour, long waitedMs) {
    Peer peer = behindAt < operations && behind != rank ? peers.get(behind) : neighbour;
    String what = "lives but did not join for " + waitedMs + " ms (" + Timeouts.STUCK + ")";
    return CollectiveException.lost(peer, what, peers.get(rank), null);
  }

  private CollectiveException lost(Gone g) {
    String what =
        switch (g.what()) {
          case LEFT -> "is gone: it left";
          case CLOSED -> "is gone: its connection closed";
          default -> "was silent for " + timeouts.silentMs() + " ms (" + Timeouts.SILENT + ")";
        };
    return CollectiveException.lost(peers.get(g.rank()), what, peers.get(rank), null);
  }

  private void run() {
    long interval = Math.max(1, Math.min(1000, timeouts.silentMs() / 4));
    long next = System.nanoTime();
    try {
      while (!closing) {
        long now = System.nanoTime();
        if (now - next > 2_000_000L * interval) {
          // This process itself stood still (a suspended machine, a long collection of garbage), so
          // that it has not heard others proves nothing.
          lines.forEach(l -> l.heard = now);
        }
        if (now - next >= 0) {
          beat();
          next = now + interval * 1_000_000L;
        }
        for (Line l : lines) {
          if (!l.over && now - l.heard > timeouts.silentMs() * 1_000_000L) {
            over(l, SILENT);
          }
        }
        selector.select(Math.max(1, (next - System.nanoTime()) / 1_000_000));
        for (SelectionKey k : selector.selectedKeys()) {
          Line l = (Line) k.attachment();
          if (l.over) {
            k.cancel();
          } else {
            listen(l);
          }
        }
        selector.selectedKeys().clear();
      }
      farewell();
    } catch (IOException e) {
      for (Line l : lines) {
        over(l, CLOSED);
      }
    }
  }

  private void beat() {
    begun[rank] = operations;
    if (rank == 0) {
      int slowest = 0;
      for (int r = 1; r < begun.length; r++) {
        slowest = begun[r] < begun[slowest] ? r : slowest;
      }
      behind(slowest, begun[slowest]);
    }
    say(LIVES, rank == 0 ? behind : rank, rank == 0 ? behindAt : operations, null);
  }

  private void behind(int slowest, long at) {
    behindAt = at;
    behind = slowest;
  }

  /** Tells all but one. A line that takes nothing for so many messages is about to be silent. */
  private void say(int what, int of, long count, Line except) {
    for (Line l : lines) {
      if (l.over || l == except) {
        continue;
      }
      l.out.compact();
      if (l.out.remaining() >= MESSAGE) {
        l.out.putInt(what).putInt(of).putLong(count);
      }
      l.out.flip();
      flush(l);
    }
  }

  private void flush(Line l) {
    try {
      while (l.link.write(l.out)) {
        continue;
      }
    } catch (IOException e) {
      listen(l); // it may have said that it leaves before it closed
      over(l, CLOSED);
    }
  }

  private void listen(Line l) {
    try {
      while (!l.over && l.link.read(l.in)) {
        if (!l.in.hasRemaining()) {
          l.heard = System.nanoTime();
          heard(l, l.in.flip());
          l.in.clear();
        }
      }
    } catch (IOException e) {
      over(l, CLOSED);
    }
  }

  private void heard(Line l, ByteBuffer m) throws IOException {
    int what = m.getInt();
    int of = m.getInt();
    long count = m.getLong();
    boolean own = of == l.link.peer().rank();
    if (of < 0 || of >= peers.size() || what < LIVES || what > SILENT || rank == 0 && !own) {
      throw new IOException("it sent what is no sign of life");
    }
    if (what != LIVES) {
      l.over |= own;
      gone(new Gone(of, what, count), l);
    } else if (rank == 0) {
      begun[of] = count;
    } else {
      behind(of, count);
    }
  }

  /** A line will say no more. */
  private void over(Line l, int what) {
    if (!l.over) {
      l.over = true;
      gone(new Gone(l.link.peer().rank(), what, 0), l);
    }
  }

  private void gone(Gone g, Line from) {
    synchronized (gone) {
      gone.add(g);
    }
    if (rank == 0) {
      begun[g.rank()] = Long.MAX_VALUE; // nobody waits for it any more
      say(g.what(), g.rank(), g.operations(), from);
    }
  }

  private void farewell() {
    say(LEFT, rank, ended, null); // who leaves in the middle of one is missed there
    long end = System.nanoTime() + FAREWELL_MS * 1_000_000L;
    for (Line l : lines) {
      while (!l.over && (l.out.hasRemaining() || l.link.pending()) && System.nanoTime() < end) {
        flush(l);
        Thread.onSpinWait();
      }
    }
  }

  /** Says goodbye and ends the thread. */
  @Override
  public void close() {
    closing = true;
    selector.wakeup();
    Threads.join(thread); // it ends within FAREWELL_MS
    Rendezvous.close(selector);
  }
}
