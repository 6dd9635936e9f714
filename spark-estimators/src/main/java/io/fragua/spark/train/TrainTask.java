package io.fragua.spark.train;

import io.fragua.arrow.NativeCache;
import io.fragua.exec.Backends;
import io.fragua.io.Safetensors;
import io.fragua.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.SparkEnv;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One worker, from its first chunk to the learnt weights: a task of the barrier stage. Everything
 * it takes (memory, sockets, programs) is given back when it ends, however it ends.
 */
final class TrainTask {
  private static final Logger LOG = LoggerFactory.getLogger(TrainTask.class);

  /** Fewer numbers than this are updated sooner by one thread than others are woken up. */
  static final int SHARED_UPDATE = 1 << 20;

  private final TrainPlan plan;
  private final BarrierTaskContext context;
  private final int rank;

  /**
   * What rank 0 returns.
   *
   * @param weights a safetensors file: parameters and state with their prefixes
   * @param history of the epochs
   */
  record Outcome(byte[] weights, ArrayList<EpochMetrics> history) implements java.io.Serializable {}

  TrainTask(TrainPlan plan, BarrierTaskContext context) {
    this.plan = plan;
    this.context = context;
    rank = context.partitionId();
  }

  /** Trains on these chunks; the outcome on rank 0, null on the others. */
  Outcome run(Iterator<byte[]> chunks) {
    if (context.stageAttemptNumber() > 0) {
      throw new IllegalStateException(
          "train: a training that lost a worker is taken up by another job: attempt "
              + context.stageAttemptNumber()
              + " of the stage; look at what failed before");
    }
    NativeCache.prepare();
    SparkEnv env = SparkEnv.get();
    String host = env.blockManager().blockManagerId().host();
    Progress.Sender sender = rank == 0 ? new Progress.Sender(plan.id()) : null;
    TrainListener listener = rank == 0 ? sender : TrainListener.NONE;
    listener.phase("loading");
    CheckpointPlan checkpoints = plan.checkpoints();
    DataSum sum = checkpoints == null ? null : new DataSum(plan.layout().rowBytes());
    Programs programs =
        Programs.acquire(plan, Backends.cpu(), context.cpus(), updating(env.executorId()));
    boolean connects = context.numPartitions() > 1 && !local(env.executorId());
    // Workers meet last, when all that may take long is done: from then on they have deadlines.
    try (Rendezvous rendezvous = connects ? Rendezvous.listen(host) : Rendezvous.inProcess();
        ShardStores stores = load(chunks, sum, env);
        Workspace work = new Workspace(plan, programs.get(), rank, context.numPartitions())) {
      Position from =
          checkpoints == null ? Position.START : checkpoints.restore(host, work::restore);
      Meeting meeting = meet(rendezvous, stores, sum, env);
      boolean overlap = OverlappedCollective.pays(env.conf(), meeting.peers());
      try (CheckpointSaver saver =
              checkpoints == null || rank != 0
                  ? null
                  : new CheckpointSaver(checkpoints, meeting.rows(), plan.id());
          Collective ring =
              OverlappedCollective.over(
                  rendezvous.join(
                      rank,
                      meeting.peers(),
                      new Topology(context.numPartitions(), plan.global()),
                      meeting.secret(),
                      Timeouts.of(env.conf()),
                      SharedMemory.wanted(env.conf()),
                      context::killTaskIfInterrupted),
                  overlap,
                  context::killTaskIfInterrupted)) {
        RowSwap swap =
            plan.global()
                ? new RowSwap(ring, plan.layout().rowBytes(), context::killTaskIfInterrupted)
                : null;
        work.use(ring.share(work.model()));
        programs.begin();
        listener.phase("training");
        List<EpochMetrics> history =
            new TrainLoop(
                    plan,
                    work,
                    stores.all(),
                    stores.first(),
                    meeting.sizes(),
                    ring,
                    swap,
                    listener,
                    context::killTaskIfInterrupted,
                    from,
                    saver)
                .run();
        if (rank != 0) {
          return null;
        }
        return new Outcome(file(work.learnt()), new ArrayList<>(history));
      }
    } catch (InterruptedException e) {
      context.killTaskIfInterrupted();
      throw new IllegalStateException("train: a worker must not be interrupted: rank " + rank, e);
    } finally {
      programs.release();
    }
  }

  /**
   * Threads of an update. In local mode all workers are in this process, and rank 0 may use the
   * cores of those that wait for it, if there is work for them; but sums in an update, as of a
   * norm, depend on the threads.
   */
  int updating(String executor) {
    boolean large =
        plan.params().stream().mapToLong(l -> l.value().length / 4).sum() >= SHARED_UPDATE;
    return local(executor) && large && plan.shards() == 0
        ? context.cpus() * context.numPartitions()
        : context.cpus();
  }

  /** Whether all workers are in this process, as in local mode. */
  private static boolean local(String executor) {
    return executor.equals("driver"); // the name that Spark gives it then
  }

  /** The host of an address, which as IPv6 stands in brackets and has colons of its own. */
  static String host(String address) {
    return address.replaceFirst(":[0-9]+$", "");
  }

  private ShardStores load(Iterator<byte[]> chunks, DataSum sum, SparkEnv env) {
    long start = System.nanoTime();
    var workers = context.getTaskInfos();
    String own = host(workers[rank].address()); // a block manager may have another name for it
    int here = 0;
    for (var worker : workers) {
      here += host(worker.address()).equals(own) ? 1 : 0;
    }
    ShardStores store =
        new ShardStores(plan, rank, context.numPartitions(), StoreBudget.of(env.conf(), here));
    try {
      while (chunks.hasNext()) {
        context.killTaskIfInterrupted();
        byte[] chunk = chunks.next();
        store.add(chunk);
        if (sum != null) {
          sum.add(chunk);
        }
      }
      store.finish();
    } catch (Throwable t) {
      store.close();
      throw t;
    }
    LOG.info(
        "train: rank {} holds {} training and {} validation rows in {} bytes ({} of cells), {}"
            + " on disk, loaded in {} ms",
        rank,
        store.rows(),
        store.validationRows(),
        store.bytes(),
        store.rawBytes(),
        store.spilledBytes(),
        (System.nanoTime() - start) / 1_000_000);
    return store;
  }

  /** What the workers told each other. */
  private record Meeting(
      List<Peer> peers, TrainLoop.Sizes sizes, DataSum.Value rows, Secret secret) {}

  private Meeting meet(Rendezvous rendezvous, ShardStores stores, DataSum sum, SparkEnv env) {
    DataSum.Value rows = sum == null ? DataSum.Value.NONE : sum.value();
    String say = stores.sizes() + "/" + rows;
    Invitation all = Invitation.exchange(context, rendezvous, env, say);
    int shards = plan.shards() > 0 ? plan.shards() : all.peers().size();
    long[] training = new long[shards];
    long[] validation = new long[shards];
    int shard = 0;
    rows = DataSum.Value.NONE;
    for (String said : all.said()) {
      String[] sizesAndRows = said.split("/");
      for (String shardRows : sizesAndRows[0].split(";")) {
        training[shard] = Long.parseLong(shardRows.split(",")[0]);
        validation[shard++] = Long.parseLong(shardRows.split(",")[1]);
      }
      rows = rows.plus(DataSum.Value.parse(sizesAndRows[1]));
    }
    TrainLoop.Sizes sizes = new TrainLoop.Sizes(training, validation);
    checkRows(TrainLoop.Sizes.sum(training), TrainLoop.Sizes.sum(validation), plan.patience());
    if (plan.checkpoints() != null) {
      plan.checkpoints().checkSame(rows, rank == 0);
    }
    Secret secret = Secret.of(env.securityManager(), env.conf(), all.token());
    return new Meeting(all.peers(), sizes, rows, secret);
  }

  /** Whether there are rows for what is to be done with them. */
  static void checkRows(long rows, long held, int patience) {
    if (rows == 0) {
      throw new IllegalArgumentException(
          "train: there must be rows to learn from: 0 training rows, "
              + held
              + " validation rows; check the filters before fit"
              + (held > 0 ? " and the validation column" : ""));
    }
    if (held == 0 && patience > 0) {
      throw new IllegalArgumentException(
          "train: early stopping needs validation rows: "
              + rows
              + " training rows, 0 validation rows; mark some, or set patience to 0");
    }
  }

  /** A safetensors file of what {@link ModelSize} admits; the tensors are copied. */
  static byte[] file(Map<String, Tensor> tensors) {
    long bytes = tensors.values().stream().mapToLong(t -> t.type().byteSize()).sum();
    ByteArrayOutputStream out = new ByteArrayOutputStream((int) bytes + (1 << 16));
    try {
      Safetensors.write(out, tensors, Map.of());
    } catch (IOException e) {
      throw new UncheckedIOException("train: memory can be written to", e);
    }
    return out.toByteArray();
  }
}
