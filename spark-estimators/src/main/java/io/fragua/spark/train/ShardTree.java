package io.fragua.spark.train;

import io.fragua.tensor.Buffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Sums over shards in an order that does not depend on who computes them: a binary tree over the
 * shards' numbers, whose leaves worker r holds from {@code first(r)} to {@code first(r + 1)}.
 *
 * <p>Adding shard after shard and merging the last two sums whenever they are halves of the same
 * node is the whole algorithm. A worker does so with its own shards; then the open sums of all
 * shards before its own arrive from the worker before, and it goes on with them. The memory is one
 * buffer of slots of equal length: slot 0 for the shard at hand and the result, then the worker's
 * own sums, then those that arrive.
 */
final class ShardTree {
  /** Floats merged at a time. */
  private static final int BLOCK = 2048;

  /** A node: shards from {@code from} to before {@code to}. */
  record Node(int from, int to) {
    /** True if this node and the next are the halves of one. */
    boolean pairs(Node next) {
      int size = to - from;
      return next.to - next.from == size && from % (2 * size) == 0;
    }
  }

  /** Adds the right slot to the left one. */
  private record Merge(int left, int right) {}

  private final int shards;
  private final int workers;
  private final int from;
  private final int to;
  private final int stride;
  private final int ownSlots;
  private final int arriving;
  private final List<Node> own;
  private final List<Node> open = new ArrayList<>();
  private final List<Merge> merges = new ArrayList<>();
  private final List<Integer> outgoing = new ArrayList<>();
  private final float[] left = new float[BLOCK];
  private final float[] right = new float[BLOCK];
  private int[] closes;
  private float[][] stack;
  private Buffer memory;
  private FloatBuffer floats;

  /**
   * A worker's part of the tree.
   *
   * @param stride floats of a slot
   */
  ShardTree(int shards, int workers, int rank, int stride) {
    this.shards = shards;
    this.workers = workers;
    this.stride = stride;
    from = first(rank);
    to = first(rank + 1);
    own = nodes(from, to);
    List<Node> before = nodes(0, from);
    // While shards are added one more sum may be open than in the end.
    ownSlots = own.size() + 32 - Integer.numberOfLeadingZeros(to - from);
    arriving = before.size();
    List<Node> stack = new ArrayList<>(before);
    for (int i = 0; i < arriving; i++) {
      outgoing.add(1 + ownSlots + i);
    }
    for (int i = 0; i < own.size(); i++) {
      stack.add(own.get(i));
      outgoing.add(1 + i);
      while (stack.size() > 1 && stack.get(stack.size() - 2).pairs(stack.get(stack.size() - 1))) {
        Node r = stack.remove(stack.size() - 1);
        Node l = stack.remove(stack.size() - 1);
        stack.add(new Node(l.from(), r.to()));
        int slot = outgoing.remove(outgoing.size() - 1);
        merges.add(new Merge(outgoing.get(outgoing.size() - 1), slot));
      }
    }
  }

  /** First shard of a worker. */
  private int first(int rank) {
    return (int) (((long) rank * shards + workers - 1) / workers);
  }

  /** The worker that computes a shard. */
  static int owner(int shard, int shards, int workers) {
    return (int) ((long) shard * workers / shards);
  }

  /** Largest nodes that together are these shards. */
  private static List<Node> nodes(int from, int to) {
    List<Node> stack = new ArrayList<>();
    for (int s = from; s < to; s++) {
      push(stack, new Node(s, s + 1));
    }
    return stack;
  }

  private static void push(List<Node> stack, Node next) {
    Node n = next;
    while (!stack.isEmpty() && stack.get(stack.size() - 1).pairs(n)) {
      n = new Node(stack.remove(stack.size() - 1).from(), n.to());
    }
    stack.add(n);
  }

  /**
   * Bytes of all slots.
   *
   * @throws IllegalArgumentException if they do not fit into one buffer
   */
  long bytes() {
    long bytes = 4L * stride * (1 + ownSlots + arriving);
    if (bytes > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "train: with deterministic=true a worker's open sums must fit into 2147483647 bytes: "
              + (1 + ownSlots + arriving)
              + " sums of "
              + 4L * stride
              + " bytes; use a smaller network or deterministic=false");
    }
    return bytes;
  }

  /** The memory of all slots. */
  void bind(Buffer slots) {
    memory = slots;
    floats = slots.bytes().asFloatBuffer();
  }

  Buffer memory() {
    return memory;
  }

  int stride() {
    return stride;
  }

  /** Adds slot 0: the sums of the worker's next shard. */
  void add() {
    int s = open.isEmpty() ? from : open.get(open.size() - 1).to();
    Node n = new Node(s, s + 1);
    while (!open.isEmpty() && open.get(open.size() - 1).pairs(n)) {
      Node l = open.remove(open.size() - 1);
      merge(1 + open.size(), 0, 0, 0, stride); // earlier + later, into slot 0
      n = new Node(l.from(), n.to());
    }
    open.add(n);
    copy(0, open.size(), 0, stride);
  }

  /** Begins the next step; call when the worker's own sums have been used. */
  void clear() {
    open.clear();
  }

  /** Slots into which the sums of the worker before go. */
  int[] arrivals() {
    int[] slots = new int[arriving];
    for (int i = 0; i < arriving; i++) {
      slots[i] = 1 + ownSlots + i;
    }
    return slots;
  }

  /** Slots that go to the worker after; the last worker has one, the result. */
  int[] departures() {
    return outgoing.stream().mapToInt(i -> i).toArray();
  }

  /** Goes on with what has arrived, for some floats of each slot. */
  void merge(int at, int count) {
    for (Merge m : merges) {
      merge(m.left(), m.right(), m.left(), at, count);
    }
  }

  /** Copies floats from slot to slot. */
  void copy(int source, int target, int at, int count) {
    for (int i = at; i < at + count; i += BLOCK) {
      int n = Math.min(BLOCK, at + count - i);
      floats.get(source * stride + i, left, 0, n);
      floats.put(target * stride + i, left, 0, n);
    }
  }

  /**
   * Sums some floats of all workers' parts, which lie in one process, and puts the result in slot 0
   * of each. One thread of this part calls it.
   */
  void sum(ShardTree[] parts, int at, int count) {
    if (closes == null) {
      plan(parts);
    }
    int height = 0;
    int node = 0;
    for (ShardTree part : parts) {
      for (int slot = 1; slot <= part.own.size(); slot++) {
        part.floats.get(slot * stride + at, stack[height++], 0, count);
        for (int merged = closes[node]; merged > 0; merged--) {
          float[] r = stack[--height];
          float[] l = stack[height - 1];
          for (int k = 0; k < count; k++) {
            l[k] += r[k];
          }
        }
        node++;
      }
    }
    for (ShardTree part : parts) {
      part.floats.put(at, stack[0], 0, count);
    }
  }

  /** How many merges follow each node when all are added in order. */
  private void plan(ShardTree[] parts) {
    List<Node> nodes = new ArrayList<>();
    for (ShardTree part : parts) {
      nodes.addAll(part.own);
    }
    closes = new int[nodes.size()];
    List<Node> done = new ArrayList<>();
    int highest = 0;
    for (int i = 0; i < closes.length; i++) {
      int before = done.size();
      push(done, nodes.get(i));
      closes[i] = before + 1 - done.size();
      highest = Math.max(highest, before + 1);
    }
    stack = new float[highest][BLOCK];
  }

  private void merge(int l, int r, int target, int at, int count) {
    for (int i = at; i < at + count; i += BLOCK) {
      int n = Math.min(BLOCK, at + count - i);
      floats.get(l * stride + i, left, 0, n);
      floats.get(r * stride + i, right, 0, n);
      for (int k = 0; k < n; k++) {
        left[k] += right[k];
      }
      floats.put(target * stride + i, left, 0, n);
    }
  }
}
