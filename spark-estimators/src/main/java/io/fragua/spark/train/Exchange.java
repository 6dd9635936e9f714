package io.fragua.spark.train;

import io.fragua.exec.Allocator;
import io.fragua.spark.train.Blocks.Use;
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
import java.util.concurrent.locks.LockSupport;

/** Sends parts of a vector over one link while it receives other parts over another link. */
final class Exchange implements AutoCloseable {
  /*
   * Both directions run interleaved in the calling thread on non-blocking sockets: blocking writes
   * would deadlock once all socket buffers are full, and a second thread would cost two wake-ups per
   * exchange. It looks again and again first, because a neighbour in the same step usually answers
   * within microseconds, and sleeps in a selector when it does not.
   */

  /** As long as this a wait does not sleep: being woken may take as long as a small step. */
  static final long SPIN_NANOS = 1_000_000;

  /** Pause between two looks at shared memory. */
  static final long SLEEP_NANOS = 50_000;

  /** As long as this a wait keeps its core to itself. */
  private static final long KEEP_NANOS = 5_000;

  /** Floats summed or rounded at a time: all operands stay in the first-level cache. */
  static final int BLOCK = 2048;

  /** Bytes received before they are summed, which stay in the second-level cache. */
  static final int SCRATCH = 1 << 18;

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
  private final One one = new One();

  private Buffer bound;
  private ByteBuffer source;
  private ByteBuffer out;
  private ByteBuffer in;
  private FloatBuffer floats;
  private IntBuffer ints;

  /** Whether a thread of this worker computes meanwhile, whose core is not to be taken. */
  private volatile boolean computes;

  private boolean bf16;
  private int packAt;
  private int packEnd;
  private Use use;
  private boolean direct;
  private int at; // next float to be received
  private int end;

  /** A single part each way. */
  private static final class One implements Blocks {
    private int sendAt;
    private int sendCount;
    private int receiveAt;
    private int receiveCount;
    private Use use;

    @Override
    public int count() {
      return 1;
    }

    @Override
    public int sendAt(int i) {
      return sendAt;
    }

    @Override
    public int sendCount(int i) {
      return sendCount;
    }

    @Override
    public int receiveAt(int i) {
      return receiveAt;
    }

    @Override
    public int receiveCount(int i) {
      return receiveCount;
    }

    @Override
    public Use use(int i) {
      return use;
    }

    @Override
    public int ahead() {
      return 0;
    }
  }

  Exchange(int rank, Collection<Link> links, Pulse pulse, Runnable check) throws IOException {
    this.rank = rank;
    this.pulse = pulse;
    this.check = check;
    selector = Selector.open();
    allocator = new Allocator("collective of rank " + rank);
    try {
      for (Link l : links) {
        keys.put(l, l.channel.register(selector, 0));
      }
      arrivals = allocator.allocate(SCRATCH);
      departures = allocator.allocate(SCRATCH);
    } catch (Throwable t) {
      Rendezvous.close(selector);
      Rendezvous.close(allocator);
      throw t;
    }
    scratch = arrivals.bytes().duplicate().order(arrivals.bytes().order());
    scratchInts = arrivals.bytes().asIntBuffer();
    scratchFloats = arrivals.bytes().asFloatBuffer();
    rounded = departures.bytes().duplicate();
    roundedInts = departures.bytes().asIntBuffer();
  }

  /** Whether another thread of this worker computes: then this one does not spin. */
  void computes(boolean now) {
    computes = now;
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

  /** Exchanges one part; a count of 0 needs no link. Numbers travel as they are. */
  void run(
      Link to, int sendFrom, int sendCount, Link from, int receiveFrom, int receiveCount, Use use) {
    one.sendAt = sendFrom;
    one.sendCount = sendCount;
    one.receiveAt = receiveFrom;
    one.receiveCount = receiveCount;
    one.use = use;
    run(to, from, one, false);
  }

  /**
   * Exchanges.
   *
   * @param bf16 whether numbers travel as bfloat16
   */
  void run(Link to, Link from, Blocks blocks, boolean bf16) {
    this.bf16 = bf16;
    int count = blocks.count();
    int sent = 0; // blocks that were begun to be sent
    int received = 0;
    source = bf16 ? rounded : out;
    source.limit(0);
    packAt = packEnd;
    open(blocks, 0);
    long idle = 0;
    while (true) {
      while (received < count && at == end) {
        close(blocks, received++);
        if (received < count) {
          open(blocks, received);
        }
      }
      while (!unsent() && sent < count && sent - received <= blocks.ahead()) {
        send(blocks.sendAt(sent), blocks.sendCount(sent));
        sent++;
      }
      if (!source.hasRemaining() && packAt < packEnd) {
        pack();
      }
      boolean sending = source.hasRemaining() || to != null && to.pending();
      boolean receiving = received < count;
      if (!sending && !receiving) {
        return;
      }
      boolean progress = sending && write(to, source);
      if (receiving && read(from, direct ? in : scratch)) {
        progress = true;
        at = direct ? in.position() / 4 : at;
      }
      if (receiving && !direct && scratch.position() > 0) {
        consume(unsent());
      }
      if (progress) {
        idle = 0;
      } else if (idle == 0) {
        idle = System.nanoTime();
      } else {
        long waited = System.nanoTime() - idle;
        if (waited < SPIN_NANOS && !computes) {
          spin(waited);
        } else {
          sleep(sending ? to : null, receiving ? from : null, waited / 1_000_000);
        }
      }
    }
  }

  /**
   * Once more looked in vain. Who waits gives way: the one that is waited for may be queued for
   * this very core, where a busy wait would keep it out for a whole time slice.
   */
  static void spin(long waitedNanos) {
    if (waitedNanos < KEEP_NANOS) {
      Thread.onSpinWait();
    } else {
      Thread.yield();
    }
  }

  /** True while some of a part is not with the link. */
  private boolean unsent() {
    return source.hasRemaining() || packAt < packEnd;
  }

  private void send(int from, int count) {
    if (bf16) {
      packAt = from;
      packEnd = from + count;
    } else {
      out.limit(4 * (from + count)).position(4 * from);
    }
  }

  private void open(Blocks blocks, int i) {
    use = blocks.use(i);
    at = blocks.receiveAt(i);
    end = at + blocks.receiveCount(i);
    direct = use == Use.STORE && !bf16;
    scratch.clear();
    if (direct) {
      in.limit(4 * end).position(4 * at);
    }
  }

  private void close(Blocks blocks, int i) {
    if (bf16 && use == Use.ADD_LAST) {
      round(blocks.receiveAt(i), blocks.receiveCount(i));
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
  private void round(int from, int count) {
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
    if (sleeps(sending) || sleeps(receiving)) {
      LockSupport.parkNanos(SLEEP_NANOS);
      return;
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

  /** Whether nobody would wake this thread for a link, which is looked at here. */
  private static boolean sleeps(Link link) {
    if (link == null || link.wakes()) {
      return false;
    }
    link.look();
    return true;
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
