package io.fragua.spark.train;

import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * The gradients of a step, in the order in which the backward pass gives them, cut into parts that
 * are added up over the workers one after the other, each as soon as it is complete. Which results
 * a bucket has depends on the graph alone, so all workers cut alike, whatever their CPUs make of
 * the graph. One thread computes and says what is complete; another may wait for it.
 */
final class Buckets {
  /**
   * Bytes from which a bucket ends. A network of 10 Gbit/s carries so many in 3 ms, some hundred
   * times the delay of a message, so cutting costs nearly nothing; and what is left when the
   * backward pass ends, which nothing hides, is not much more. PyTorch takes 25 MB, for GPUs, whose
   * calls cost more.
   */
  static final int BYTES = 4 << 20;

  private final Buffer sums;
  private final boolean bf16;

  /** First float of each bucket, and where the last one ends. */
  private final int[] starts;

  /** By the number of a result; -1 if it is in none. */
  private final int[] bucketOf;

  /** Results of each bucket. */
  private final int[] sizes;

  /** Of them those that are not complete; the computing thread's. */
  private final int[] missing;

  private int complete; // buckets, from the first on; guarded by this

  private Buckets(Buffer sums, boolean bf16, int[] starts, int[] bucketOf) {
    this.sums = sums;
    this.bf16 = bf16;
    this.starts = starts;
    this.bucketOf = bucketOf;
    sizes = new int[starts.length - 1];
    Arrays.stream(bucketOf).filter(b -> b >= 0).forEach(b -> sizes[b]++);
    missing = new int[sizes.length];
  }

  /**
   * Numbers of the gradients among a graph's results, those first that take the fewest steps, as
   * programs compute them: the last layer's.
   */
  static List<Integer> order(Graph g) {
    int[] depth = new int[g.values()];
    int value = g.inputs().size() + g.constants().size();
    for (Graph.Equation e : g.equations()) {
      int most = e.inputs().stream().mapToInt(v -> depth[v]).max().orElse(0);
      Arrays.fill(depth, value, value + e.types().size(), most + 1);
      value += e.types().size();
    }
    List<Integer> order = new ArrayList<>();
    for (int o = 0; o < g.outputs().size(); o++) {
      if (g.outputs().get(o).name().startsWith("grad:")) {
        order.add(o);
      }
    }
    order.sort(Comparator.comparingInt(o -> depth[g.outputs().get(o).value()]));
    return order;
  }

  /**
   * Cuts gradients that lie one behind the other.
   *
   * @param order numbers of their results
   * @param at the first float of each, and the end
   * @param bytes from which a bucket ends
   * @return null if they do not fill two: then one sum for all is as good
   */
  static Buckets cut(Buffer sums, List<Integer> order, int[] at, int bytes, boolean bf16) {
    if (4L * (at[order.size()] - at[0]) < 2L * bytes) {
      return null;
    }
    List<Integer> starts = new ArrayList<>(List.of(at[0]));
    int[] bucketOf = new int[order.stream().mapToInt(o -> o).max().orElseThrow() + 1];
    Arrays.fill(bucketOf, -1);
    for (int i = 0; i < order.size(); i++) {
      bucketOf[order.get(i)] = starts.size() - 1;
      boolean full = 4L * (at[i + 1] - starts.get(starts.size() - 1)) >= bytes;
      if (full || i == order.size() - 1) {
        starts.add(at[i + 1]);
      }
    }
    return new Buckets(sums, bf16, starts.stream().mapToInt(s -> s).toArray(), bucketOf);
  }

  int count() {
    return sizes.length;
  }

  /** The buffer that they are parts of. */
  Buffer sums() {
    return sums;
  }

  /** First float of a bucket. */
  int from(int bucket) {
    return starts[bucket];
  }

  int floats(int bucket) {
    return starts[bucket + 1] - starts[bucket];
  }

  /** Whether parts of sums are rounded to bfloat16 on their way. */
  boolean bf16() {
    return bf16;
  }

  /** A step begins: nothing is complete. */
  synchronized void begin() {
    System.arraycopy(sizes, 0, missing, 0, sizes.length);
    complete = 0;
  }

  /** Nothing writes this result any more until the next step. */
  void complete(int result) {
    int b = result < bucketOf.length ? bucketOf[result] : -1;
    if (b >= 0 && --missing[b] == 0) {
      advance();
    }
  }

  /** As {@link #complete}, of all results. */
  void completeAll() {
    Arrays.fill(missing, 0);
    advance();
  }

  private synchronized void advance() {
    while (complete < missing.length && missing[complete] == 0) {
      complete++;
    }
    notifyAll();
  }

  /** Waits until a bucket and all before it are complete; what was written is then seen. */
  synchronized void await(int bucket) throws InterruptedException {
    if (Thread.interrupted()) { // also if it need not wait
      throw new InterruptedException();
    }
    while (complete <= bucket) {
      wait();
    }
  }
}
