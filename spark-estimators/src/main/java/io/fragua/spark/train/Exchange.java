package io.fragua.spark.train;

import io.fragua.exec.Allocator;
import io.fragua.tensor.Buffer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

/** Sends one part of a vector over one link while it receives another part over another link. */
final class Exchange implements AutoCloseable {
  /*
   * Both directions run interleaved in the calling thread on non-blocking sockets: blocking writes
   * would deadlock once all socket buffers are full, and a second thread would cost two wake-ups per
   * exchange. It spins first, because a neighbour in the same step usually answers within
   * microseconds, and sleeps in a selector when it does not.
   */
  private static final long SPIN_NANOS = 50_000;

  /** Floats summed or rounded at a time: all operands stay in the first-level cache. */
  static final int BLOCK = 2048;

  /** Bytes received before they are summed, which stay in the second-level cache. */
  static final int SCRATCH = 1 << 18;

  /** What is done with what arrives. */
  enum Use {
    /** It takes the place of what is there. */
    STORE,
    /** It is added to what is there, at once. */
    ADD,
    /** It is added when all is sent: both parts are the same. At most {@link #SCRATCH} bytes. */
    ADD_AFTER
  }

  private final Pulse pulse;
  private final Runnable check;
  private final int rank;
  private final Selector selector;
  private final Map<Link, SelectionKey> keys = new HashMap<>();
  private final Allocator allocator;
  private final Buffer arrivals;
  private final Buffer departures;
  private final ByteBuffer scratch;
  private final IntBuffer scratchInts;
  private final FloatBuffer scratchFloats;
  private final ByteBuffer rounded;
  private final IntBuffer roundedInts;
  private final float[] mine = new float[BLOCK];
  private final float[] theirs = new float[BLOCK];
  private final int[] bits = new int[BLOCK];
  private final int[] packed = new int[BLOCK];

  private Buffer bound;
  private ByteBuffer out;
  private ByteBuffer in;
  private FloatBuffer floats;
  private IntBuffer ints;

  private boolean bf16;
  private int packAt;
  private int packEnd;
  private Use use;
  private int at; // next float to be received
  private int end;

  Exchange(int rank, Collection<Link> links, Pulse pulse, Runnable check) throws IOException {
    this.rank = rank;
    this.pulse = pulse;
    this.check = check;
    selector = Selector.open();
    for (Link l : links) {
      keys.put(l, l.channel.register(selector, 0));
    }
    allocator = new Allocator("collective of rank " + rank);
    arrivals = allocator.allocate(SCRATCH);
    departures = allocator.allocate(SCRATCH);
    scratch = arrivals.bytes().duplicate().order(arrivals.bytes().order());
    scratchInts = arrivals.bytes().asIntBuffer();
    scratchFloats = arrivals.bytes().asFloatBuffer();
    rounded = departures.bytes().duplicate();
    roundedInts = departures.bytes().asIntBuffer();
  }

  /** The vector of the exchanges that follow. Views are made once per buffer. */
  void bind(Buffer buffer) {
    if (buffer != bound) {
      bound = buffer;
      out = buffer.bytes().duplicate();
      in = buffer.bytes().duplicate();
      floats = buffer.bytes().asFloatBuffer();
      ints = buffer.bytes().asIntBuffer();
    }
  }

  /**
   * Exchanges; positions and counts are in floats. A count of 0 needs no link.
   *
   * @param bf16 whether numbers travel as bfloat16
   */
  void run(
      Link to,
      int sendFrom,
      int sendCount,
      Link from,
      int receiveFrom,
      int receiveCount,
      Use use,
      boolean bf16) {
    this.bf16 = bf16;
    this.use = use;
    at = receiveFrom;
    end = receiveFrom + receiveCount;
    packAt = sendFrom;
    packEnd = bf16 ? sendFrom + sendCount : sendFrom;
    ByteBuffer source = bf16 ? rounded.limit(0) : out;
    if (!bf16) {
      out.limit(4 * (sendFrom + sendCount)).position(4 * sendFrom);
    }
    boolean direct = use == Use.STORE && !bf16;
    scratch.clear();
    if (direct) {
      in.limit(4 * end).position(4 * at);
    }
    long idle = 0;
    while (true) {
      if (!source.hasRemaining() && packAt < packEnd) {
        pack();
      }
      boolean sending = source.hasRemaining() || sendCount > 0 && to.pending();
      boolean receiving = at < end;
      if (!sending && !receiving) {
        return;
      }
      boolean progress = sending && write(to, source);
      if (receiving && read(from, direct ? in : scratch)) {
        progress = true;
        at = direct ? in.position() / 4 : at;
      }
      if (receiving && !direct && scratch.position() > 0) {
        consume(source.hasRemaining() || packAt < packEnd);
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
          sleep(sending ? to : null, receiving ? from : null, waited / 1_000_000);
        }
      }
    }
  }

  private boolean write(Link to, ByteBuffer source) {
    try {
      return to.write(source);
    } catch (IOException e) {
      throw pulse.explain(to.peer(), e);
    }
  }

  private boolean read(Link from, ByteBuffer target) {
    if (target == scratch) {
      int wire = bf16 ? wireBytes(end - at) : 4 * (end - at);
      scratch.limit(Math.min(SCRATCH, wire));
    }
    try {
      return target.hasRemaining() && from.read(target);
    } catch (IOException e) {
      throw pulse.explain(from.peer(), e);
    }
  }

  /** Bytes of so many floats as blocks of bfloat16. */
  private static int wireBytes(int floats) {
    return floats / BLOCK * 2 * BLOCK + 4 * Bfloat16.packed(floats % BLOCK);
  }

  /** Rounds the next floats to send. */
  private void pack() {
    rounded.clear();
    int to = 0;
    while (packAt < packEnd && 4 * to + 2 * BLOCK <= SCRATCH) {
      int n = Math.min(BLOCK, packEnd - packAt);
      ints.get(packAt, bits, 0, n);
      Bfloat16.pack(bits, n, packed);
      roundedInts.put(to, packed, 0, Bfloat16.packed(n));
      packAt += n;
      to += Bfloat16.packed(n);
    }
    rounded.limit(4 * to);
  }

  /** Takes whole blocks out of the scratch memory, and what is left when all is there. */
  private void consume(boolean sending) {
    if (use == Use.ADD_AFTER && sending) {
      return;
    }
    int used = 0; // bytes
    while (at < end) {
      int n = Math.min(BLOCK, end - at);
      int size = bf16 ? 4 * Bfloat16.packed(n) : 4 * n;
      if (scratch.position() - used < size) {
        break;
      }
      if (bf16) {
        scratchInts.get(used / 4, packed, 0, size / 4);
        Bfloat16.unpack(packed, n, bits);
      }
      if (use == Use.STORE) {
        ints.put(at, bits, 0, n);
      } else {
        add(used / 4, n);
      }
      at += n;
      used += size;
    }
    if (used > 0) {
      scratch.flip().position(used);
      scratch.compact();
    }
  }

  private void add(int from, int n) {
    // Copies to arrays and back: the compiler vectorises loops over arrays, not over buffers.
    if (bf16) {
      for (int i = 0; i < n; i++) {
        theirs[i] = Float.intBitsToFloat(bits[i]);
      }
    } else {
      scratchFloats.get(from, theirs, 0, n);
    }
    floats.get(at, mine, 0, n);
    for (int i = 0; i < n; i++) {
      mine[i] += theirs[i];
    }
    floats.put(at, mine, 0, n);
  }

  /** Rounds this worker's own part to what the others receive of it. */
  void round(int from, int count) {
    for (int i = from; i < from + count; i += BLOCK) {
      int n = Math.min(BLOCK, from + count - i);
      ints.get(i, bits, 0, n);
      Bfloat16.round(bits, n);
      ints.put(i, bits, 0, n);
    }
  }

  private void sleep(Link sending, Link receiving, long waitedMs) {
    check.run();
    pulse.check();
    if (Thread.currentThread().isInterrupted()) {
      throw CollectiveException.interrupted(rank);
    }
    if (waitedMs > pulse.patienceMs()) {
      throw pulse.stuck((receiving != null ? receiving : sending).peer(), waitedMs);
    }
    try {
      want(sending, SelectionKey.OP_WRITE);
      want(receiving, SelectionKey.OP_READ);
      selector.select(50);
      selector.selectedKeys().clear();
      want(sending, 0);
      want(receiving, 0);
    } catch (IOException e) {
      throw new CollectiveException("collective: sockets can be waited for: " + e, e);
    }
  }

  private void want(Link link, int interest) {
    if (link != null) {
      SelectionKey k = keys.get(link);
      k.interestOps(interest == 0 ? 0 : k.interestOps() | interest);
    }
  }

  @Override
  public void close() {
    Rendezvous.close(selector);
    allocator.free(arrivals);
    allocator.free(departures);
    allocator.close();
  }
}
