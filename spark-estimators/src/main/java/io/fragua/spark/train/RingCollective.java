package io.fragua.spark.train;

import io.fragua.exec.Allocator;
import io.fragua.tensor.Buffer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.List;

/** The collective of workers in several processes: a ring of TCP connections. */
final class RingCollective implements Collective {
  /*
   * Ring all-reduce (Patarasuk and Yuan, 2009): the vector is cut into one segment per rank. In the
   * first n - 1 exchanges each rank passes on a segment to which it has added its own part, so that
   * segment i is summed in the order i, i + 1, ..., always the same; in the next n - 1 the finished
   * segments go round. A segment is finished on one rank and copied to the others: all hold the same
   * bits. For two ranks this is the exchange of halves.
   *
   * Both directions of an exchange run interleaved in the calling thread on non-blocking sockets:
   * blocking writes would deadlock once all socket buffers are full, and a second thread would cost
   * two wake-ups per exchange. It spins first, because a neighbour in the same step usually answers
   * within microseconds, and sleeps in a selector when it does not.
   */
  private static final long SPIN_NANOS = 50_000;

  /** Floats summed at a time: both operands stay in the first-level cache. */
  private static final int BLOCK = 2048;

  private final int rank;
  private final List<Peer> peers;
  private final SocketChannel next;
  private final SocketChannel prev;
  private final Timeouts timeouts;
  private final Runnable check;
  private final Selector selector;
  private final SelectionKey sendKey;
  private final SelectionKey receiveKey;
  private final Allocator allocator;
  private final float[] mine = new float[BLOCK];
  private final float[] theirs = new float[BLOCK];

  private Buffer scratch;
  private ByteBuffer incoming;
  private FloatBuffer incomingFloats;
  private Buffer bound;
  private ByteBuffer out;
  private ByteBuffer in;
  private FloatBuffer floats;
  private boolean closed;

  RingCollective(
      int rank,
      List<Peer> peers,
      SocketChannel next,
      SocketChannel prev,
      Timeouts timeouts,
      Runnable check) {
    this.rank = rank;
    this.peers = List.copyOf(peers);
    this.next = next;
    this.prev = prev;
    this.timeouts = timeouts;
    this.check = check;
    try {
      selector = Selector.open();
      sendKey = next.register(selector, 0);
      receiveKey = prev.register(selector, 0);
    } catch (IOException e) {
      Rendezvous.close(next);
      Rendezvous.close(prev);
      throw new CollectiveException("collective: sockets can be waited for: " + e, e);
    }
    allocator = new Allocator("collective of rank " + rank);
  }

  @Override
  public int rank() {
    return rank;
  }

  @Override
  public int size() {
    return peers.size();
  }

  @Override
  public void allReduce(Buffer buffer, int count) {
    int n = peers.size();
    if (count == 0) {
      return;
    }
    bind(buffer, count);
    for (int k = 0; k < n - 1; k++) {
      exchange(mod(rank - k), mod(rank - k - 1), count, true);
    }
    for (int k = 0; k < n - 1; k++) {
      exchange(mod(rank + 1 - k), mod(rank - k), count, false);
    }
  }

  private int mod(int i) {
    return Math.floorMod(i, peers.size());
  }

  /** First float of a segment. */
  private int start(int segment, int count) {
    return (int) ((long) count * segment / peers.size());
  }

  /** Views are made once per buffer, not once per call. */
  private void bind(Buffer buffer, int count) {
    if (buffer != bound) {
      bound = buffer;
      out = buffer.bytes().duplicate();
      in = buffer.bytes().duplicate();
      floats = buffer.bytes().asFloatBuffer();
    }
    int need = 4 * (count / peers.size() + 1);
    if (scratch == null || scratch.size() < need) {
      if (scratch != null) {
        allocator.free(scratch);
      }
      scratch = allocator.allocate(need);
      incoming = scratch.bytes().duplicate();
      incomingFloats = scratch.bytes().asFloatBuffer();
    }
  }

  /** Sends one segment to the next rank while receiving another from the previous. */
  private void exchange(int send, int receive, int count, boolean add) {
    int to = start(receive, count);
    int length = start(receive + 1, count) - to;
    ByteBuffer target = add ? incoming : in;
    target.limit(add ? 4 * length : 4 * (to + length)).position(add ? 0 : 4 * to);
    out.limit(4 * start(send + 1, count)).position(4 * start(send, count));
    int added = 0;
    long idle = 0;
    while (out.hasRemaining() || target.hasRemaining()) {
      boolean progress = out.hasRemaining() && write();
      if (target.hasRemaining() && read(target)) {
        progress = true;
        if (add) {
          added = add(to, added, target.position() / 4, !target.hasRemaining());
        }
      }
      if (progress) {
        idle = 0;
      } else if (idle == 0) {
        idle = System.nanoTime();
      } else {
        long waited = System.nanoTime() - idle;
        if (waited < SPIN_NANOS) {
          Thread.onSpinWait();
        } else {
          sleep(out.hasRemaining(), target.hasRemaining(), waited / 1_000_000);
        }
      }
    }
  }

  private boolean write() {
    try {
      return next.write(out) > 0;
    } catch (IOException e) {
      throw failure(peers.get(mod(rank + 1)), "is gone: " + e.getMessage(), e);
    }
  }

  private boolean read(ByteBuffer target) {
    int got;
    try {
      got = prev.read(target);
    } catch (IOException e) {
      throw failure(peers.get(mod(rank - 1)), "is gone: " + e.getMessage(), e);
    }
    if (got < 0) {
      throw failure(peers.get(mod(rank - 1)), "is gone: it closed the connection", null);
    }
    return got > 0;
  }

  /** Adds what has arrived, whole blocks only until everything is there. */
  private int add(int to, int from, int until, boolean all) {
    while (until - from >= BLOCK || all && until > from) {
      int n = Math.min(BLOCK, until - from);
      // Copies to arrays and back: the compiler vectorises loops over arrays, not over buffers.
      floats.get(to + from, mine, 0, n);
      incomingFloats.get(from, theirs, 0, n);
      for (int i = 0; i < n; i++) {
        mine[i] += theirs[i];
      }
      floats.put(to + from, mine, 0, n);
      from += n;
    }
    return from;
  }

  private void sleep(boolean sending, boolean receiving, long waitedMs) {
    check.run();
    if (Thread.currentThread().isInterrupted()) {
      throw CollectiveException.interrupted(rank);
    }
    if (waitedMs > timeouts.readMs()) {
      throw failure(
          peers.get(mod(receiving ? rank - 1 : rank + 1)),
          "was silent for " + timeouts.readMs() + " ms (" + Timeouts.READ + ")",
          null);
    }
    try {
      sendKey.interestOps(sending ? SelectionKey.OP_WRITE : 0);
      receiveKey.interestOps(receiving ? SelectionKey.OP_READ : 0);
      selector.select(100);
      selector.selectedKeys().clear();
    } catch (IOException e) {
      throw failure(peers.get(mod(rank - 1)), "cannot be waited for: " + e, e);
    }
  }

  private CollectiveException failure(Peer peer, String what, Throwable cause) {
    return CollectiveException.lost(peer, what, peers.get(rank), cause);
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    Rendezvous.close(next);
    Rendezvous.close(prev);
    Rendezvous.close(selector);
    if (scratch != null) {
      allocator.free(scratch);
    }
    allocator.close();
  }
}
