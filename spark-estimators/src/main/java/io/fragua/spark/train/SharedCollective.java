package io.fragua.spark.train;

import io.fragua.tensor.Buffer;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;

/**
 * The collective of workers that are threads of one process, as in {@code local[2]}: they read each
 * other's vectors where they are. Each rank sums one segment over all vectors and writes it to all,
 * in the order in which {@link LinkedCollective} adds them up, and with its roundings, so both give
 * the same bits.
 */
final class SharedCollective implements Collective {
  /** The rings of this process by their peers, whose ports are in use nowhere else. */
  private static final Map<List<Peer>, Group> GROUPS = new HashMap<>();

  /** Floats summed at a time, in the first-level cache. */
  private static final int BLOCK = 2048;

  /** What the workers share. */
  private static final class Group {
    final FloatBuffer[] vectors;
    final ShardTree[] trees;

    /** Arrivals at barriers, ever: a barrier is passed when it is the next multiple of n. */
    final AtomicInteger arrived = new AtomicInteger();

    /** Barriers each worker has come to. */
    final AtomicIntegerArray came;

    /** Workers that are reading and writing vectors of others, which must not be freed then. */
    final AtomicInteger summing = new AtomicInteger();

    /** Set before the barrier behind which the others take it. */
    ModelMemory model;

    /** Why no sum will come about any more: the first cause, which all workers name; or null. */
    private Loss loss;

    int members;

    Group(int n) {
      vectors = new FloatBuffer[n];
      trees = new ShardTree[n];
      came = new AtomicIntegerArray(n);
    }

    synchronized Loss loss() {
      return loss;
    }

    /** The first cause: this one, if there is none yet. */
    synchronized Loss lose(Peer peer, String what) {
      loss = loss == null ? new Loss(peer, what) : loss;
      return loss;
    }
  }

  /** A worker without which the others cannot go on, and what happened to it. */
  private record Loss(Peer peer, String what) {}

  private final int rank;
  private final List<Peer> peers;
  private final Timeouts timeouts;
  private final Runnable check;
  private final Group group;
  private final float[] mine = new float[BLOCK];
  private final float[] theirs = new float[BLOCK];
  private final int[] bits = new int[BLOCK];
  private float[][] parts; // one for each rank that takes part in doubling
  private int barriers;
  private Buffer bound;
  private boolean closed;

  SharedCollective(int rank, List<Peer> peers, Timeouts timeouts, Runnable check) {
    this.rank = rank;
    this.peers = List.copyOf(peers);
    this.timeouts = timeouts;
    this.check = check;
    synchronized (GROUPS) {
      group = GROUPS.computeIfAbsent(this.peers, p -> new Group(p.size()));
      group.members++;
    }
  }

  /** True if all these workers are threads of one process. */
  static boolean canJoin(List<Peer> peers) {
    return peers.stream().map(Peer::executor).distinct().count() == 1;
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
  public void allReduce(Buffer buffer, int start, int count, boolean bf16) {
    int n = peers.size();
    if (n == 1 || count == 0) {
      return;
    }
    bind(buffer);
    together(
        () -> {
          int from = start + (int) ((long) count * rank / n);
          int to = start + (int) ((long) count * (rank + 1) / n);
          for (int at = from; at < to; at += BLOCK) {
            int length = Math.min(BLOCK, to - at);
            if (count <= SMALL) {
              doubling(at, length);
            } else {
              ring(at, length, bf16);
            }
            for (FloatBuffer v : group.vectors) {
              v.put(at, mine, 0, length);
            }
          }
        });
  }

  @Override
  public void allReduce(ShardTree tree) {
    int n = peers.size();
    group.trees[rank] = tree;
    together(
        () -> {
          int from = (int) ((long) tree.stride() * rank / n);
          int to = (int) ((long) tree.stride() * (rank + 1) / n);
          for (int at = from; at < to; at += BLOCK) {
            tree.sum(group.trees, at, Math.min(BLOCK, to - at));
          }
        });
  }

  @Override
  public void swap(int partner, Buffer buffer, int count) {
    bind(buffer);
    FloatBuffer own = group.vectors[rank];
    together(() -> own.put(own.capacity() / 2, group.vectors[partner], 0, count));
  }

  private void bind(Buffer buffer) {
    if (buffer != bound) {
      bound = buffer;
      group.vectors[rank] = buffer.bytes().asFloatBuffer();
    }
  }

  @Override
  public ModelMemory share(ModelMemory own) {
    if (rank == 0) {
      group.model = own;
    }
    barrier();
    if (rank != 0 && !group.model.share()) {
      throw lost(group.lose(peers.get(0), "is gone: it left"));
    }
    try {
      barrier(); // until then rank 0 does not leave
    } catch (Throwable t) {
      if (rank != 0) {
        group.model.release();
      }
      throw t;
    }
    return group.model;
  }

  @Override
  public void change(Runnable change) {
    if (rank == 0) {
      change.run();
    }
    barrier(); // until then nobody reads what is changed
  }

  /** Runs a part of a sum when all vectors are there; returns when all parts are summed. */
  private void together(Runnable part) {
    barrier(); // all vectors are there
    group.summing.incrementAndGet();
    try {
      // Who leaves says so before looking for those who sum, so one of the two sees the other.
      Loss loss = group.loss();
      if (loss != null) {
        throw lost(loss);
      }
      part.run();
    } finally {
      group.summing.decrementAndGet();
    }
    barrier(); // all segments are summed
  }

  private CollectiveException lost(Loss loss) {
    return CollectiveException.lost(loss.peer(), loss.what(), peers.get(rank), null);
  }

  /** As the segment of this rank goes round the ring: it is the first to add. */
  private void ring(int at, int length, boolean bf16) {
    int n = peers.size();
    group.vectors[rank].get(at, mine, 0, length);
    for (int k = 1; k < n; k++) {
      if (bf16) {
        round(length);
      }
      add(mine, group.vectors[(rank + k) % n], at, length);
    }
    if (bf16) {
      round(length);
    }
  }

  /** As pairs of ranks, then pairs of pairs, exchange their vectors. */
  private void doubling(int at, int length) {
    int p = Topology.paired(peers.size());
    if (parts == null) {
      parts = new float[p][BLOCK];
    }
    for (int r = 0; r < p; r++) {
      group.vectors[r].get(at, parts[r], 0, length);
      if (r + p < peers.size()) {
        add(parts[r], group.vectors[r + p], at, length);
      }
    }
    for (int d = 1; d < p; d *= 2) {
      for (int r = 0; r < p; r += 2 * d) {
        for (int i = 0; i < length; i++) {
          parts[r][i] += parts[r + d][i];
        }
      }
    }
    System.arraycopy(parts[0], 0, mine, 0, length);
  }

  private void add(float[] sum, FloatBuffer v, int at, int length) {
    v.get(at, theirs, 0, length);
    for (int i = 0; i < length; i++) {
      sum[i] += theirs[i];
    }
  }

  private void round(int length) {
    for (int i = 0; i < length; i++) {
      bits[i] = Float.floatToRawIntBits(mine[i]);
    }
    Bfloat16.round(bits, length);
    for (int i = 0; i < length; i++) {
      mine[i] = Float.intBitsToFloat(bits[i]);
    }
  }

  /** Waits until all workers are here; what they wrote before is then seen. */
  private void barrier() {
    int goal = ++barriers * peers.size(); // both may overflow, so only their difference counts
    group.came.set(rank, barriers);
    group.arrived.incrementAndGet();
    long began = 0;
    while (group.arrived.get() - goal < 0) {
      if (began == 0) {
        began = System.nanoTime();
      }
      long waited = System.nanoTime() - began;
      if (waited < Exchange.SPIN_NANOS) {
        Exchange.spin(waited);
        continue;
      }
      check.run();
      Loss loss = group.loss();
      if (loss != null && group.arrived.get() - goal < 0) { // in this order: who has come may leave
        throw lost(loss);
      }
      if (Thread.currentThread().isInterrupted()) {
        throw CollectiveException.interrupted(rank);
      }
      if (waited > timeouts.stuckMs() * 1_000_000L) {
        String what = "did not join for " + timeouts.stuckMs() + " ms (" + Timeouts.STUCK + ")";
        throw lost(group.lose(slowest(), what));
      }
      LockSupport.parkNanos(Exchange.SLEEP_NANOS);
    }
  }

  private Peer slowest() {
    int slowest = 0;
    for (int r = 1; r < peers.size(); r++) {
      slowest = group.came.get(r) - group.came.get(slowest) < 0 ? r : slowest;
    }
    return peers.get(slowest);
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    group.lose(peers.get(rank), "is gone: it left");
    while (group.summing.get() > 0) { // microseconds; then the caller may free its vector
      Thread.onSpinWait();
    }
    synchronized (GROUPS) {
      if (--group.members == 0) {
        GROUPS.remove(peers, group);
      }
    }
  }

  /** Rings of this process that have members. */
  static int live() {
    synchronized (GROUPS) {
      return GROUPS.size();
    }
  }
}
