package io.fragua.spark.train;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.spark.SparkEnv;
import org.apache.spark.sql.util.ArrowUtils;

/** The rows of one worker: one store, or one for each of its shards. Used by one thread. */
final class ShardStores implements AutoCloseable {
  private final TrainPlan plan;
  private final int first;
  private final List<WorkerStore> stores = new ArrayList<>();

  /**
   * Empty stores.
   *
   * @param budget most bytes of all together
   */
  ShardStores(TrainPlan plan, int rank, int workers, long budget) {
    this.plan = plan;
    int parts = plan.shards() > 0 ? plan.shards() : workers;
    int n = 0;
    int from = -1;
    for (int s = 0; s < parts; s++) {
      if (ShardTree.owner(s, parts, workers) == rank) {
        from = from < 0 ? s : from;
        n++;
      }
    }
    first = from;
    String name = "fragua training " + plan.id() + " rank " + rank;
    for (int i = 0; i < n; i++) {
      String shard = plan.shards() > 0 ? " shard " + (first + i) : "";
      stores.add(
          new WorkerStore(
              plan.layout(),
              ArrowUtils.rootAllocator(),
              name + shard,
              budget / n,
              new SpillFiles(SparkEnv.get()),
              plan.global()));
    }
  }

  /** All stores, by shard. */
  List<WorkerStore> all() {
    return stores;
  }

  /** Number of the first shard. */
  int first() {
    return first;
  }

  /** Adds a chunk to the store of its shard, which with more than one is its partition. */
  void add(byte[] chunk) {
    int shard = 0;
    if (plan.shards() > 0) {
      shard = Chunk.read(chunk, plan.layout().rowBytes()).partition() - first;
      if (shard < 0 || shard >= stores.size()) {
        throw new IllegalStateException(
            "train: rows must have been put in the order of "
                + plan.shards()
                + " shards: there are some of partition "
                + (first + shard)
                + "; arrange them with RowOrder");
      }
    }
    stores.get(shard).add(chunk);
  }

  void finish() {
    stores.forEach(WorkerStore::finish);
  }

  /** Training and validation rows of each shard, as text. */
  String sizes() {
    return stores.stream()
        .map(s -> s.rows() + "," + s.validationRows())
        .collect(Collectors.joining(";"));
  }

  long rows() {
    return stores.stream().mapToLong(WorkerStore::rows).sum();
  }

  long validationRows() {
    return stores.stream().mapToLong(WorkerStore::validationRows).sum();
  }

  long bytes() {
    return stores.stream().mapToLong(WorkerStore::bytes).sum();
  }

  long spilledBytes() {
    return stores.stream().mapToLong(WorkerStore::spilledBytes).sum();
  }

  long rawBytes() {
    return stores.stream().mapToLong(WorkerStore::rawBytes).sum();
  }

  @Override
  public void close() {
    RuntimeException first = null;
    for (WorkerStore s : stores) {
      try {
        s.close();
      } catch (RuntimeException e) { // thrown below, when the others are closed
        if (first == null) {
          first = e;
        } else {
          first.addSuppressed(e);
        }
      }
    }
    if (first != null) {
      throw first;
    }
  }
}
