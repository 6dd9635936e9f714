package io.fragua.spark.train;

import io.fragua.arrow.NativeCache;
import io.fragua.exec.Backends;
import io.fragua.io.Safetensors;
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
          "train: a training that lost a worker is not repeated by itself: attempt "
              + context.stageAttemptNumber()
              + " of the stage; fit again");
    }
    NativeCache.prepare();
    SparkEnv env = SparkEnv.get();
    String host = env.blockManager().blockManagerId().host();
    Progress.Sender sender = rank == 0 ? new Progress.Sender(plan.id()) : null;
    TrainListener listener = rank == 0 ? sender : TrainListener.NONE;
    listener.phase("loading");
    Programs programs = Programs.acquire(plan, Backends.cpu(), context.cpus());
    // Workers meet last, when all that may take long is done: from then on they have deadlines.
    try (Rendezvous rendezvous = Rendezvous.listen(host);
        ShardStores stores = load(chunks, env, host);
        Workspace work = new Workspace(plan, programs.get(), rank, context.numPartitions())) {
      Meeting meeting = meet(rendezvous, stores, env);
      try (Collective ring =
          rendezvous.join(
              rank,
              meeting.peers(),
              meeting.secret(),
              Timeouts.of(env.conf()),
              context::killTaskIfInterrupted)) {
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
                    listener,
                    context::killTaskIfInterrupted)
                .run();
        if (rank != 0) {
          return null;
        }
        sender.flush();
        return new Outcome(file(work), new ArrayList<>(history));
      }
    } catch (InterruptedException e) {
      context.killTaskIfInterrupted();
      throw new IllegalStateException("train: a worker must not be interrupted: rank " + rank, e);
    } finally {
      programs.release();
    }
  }

  private ShardStores load(Iterator<byte[]> chunks, SparkEnv env, String host) {
    long start = System.nanoTime();
    int here = 0;
    for (var info : context.getTaskInfos()) {
      here += info.address().split(":")[0].equals(host) ? 1 : 0;
    }
    ShardStores store =
        new ShardStores(
            plan, rank, context.numPartitions(), StoreBudget.of(env.conf(), Math.max(1, here)));
    try {
      while (chunks.hasNext()) {
        context.killTaskIfInterrupted();
        store.add(chunks.next());
      }
      store.finish();
    } catch (Throwable t) {
      store.close();
      throw t;
    }
    LOG.info(
        "train: rank {} holds {} training and {} validation rows in {} bytes ({} of cells),"
            + " loaded in {} ms",
        rank,
        store.rows(),
        store.validationRows(),
        store.bytes(),
        store.rawBytes(),
        (System.nanoTime() - start) / 1_000_000);
    return store;
  }

  /** What the workers told each other. */
  private record Meeting(List<Peer> peers, TrainLoop.Sizes sizes, Secret secret) {}

  private Meeting meet(Rendezvous rendezvous, ShardStores stores, SparkEnv env) {
    Invitation all = Invitation.exchange(context, rendezvous, env, stores.sizes());
    int shards = plan.shards() > 0 ? plan.shards() : all.peers().size();
    long[] training = new long[shards];
    long[] validation = new long[shards];
    int shard = 0;
    for (String said : all.said()) {
      for (String rows : said.split(";")) {
        training[shard] = Long.parseLong(rows.split(",")[0]);
        validation[shard++] = Long.parseLong(rows.split(",")[1]);
      }
    }
    TrainLoop.Sizes sizes = new TrainLoop.Sizes(training, validation);
    checkRows(sizes);
    Secret secret = Secret.of(env.securityManager(), env.conf(), all.token());
    return new Meeting(all.peers(), sizes, secret);
  }

  private void checkRows(TrainLoop.Sizes sizes) {
    long rows = TrainLoop.Sizes.sum(sizes.training());
    long held = TrainLoop.Sizes.sum(sizes.validation());
    if (rows == 0) {
      throw new IllegalArgumentException(
          "train: there must be rows to learn from: 0 training rows, "
              + held
              + " validation rows; check the filters before fit"
              + (held > 0 ? " and the validation column" : ""));
    }
    if (held == 0 && plan.patience() > 0) {
      throw new IllegalArgumentException(
          "train: early stopping needs validation rows: "
              + rows
              + " training rows, 0 validation rows; mark some, or set patience to 0");
    }
  }

  private static byte[] file(Workspace work) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      Safetensors.write(out, work.learnt(), Map.of());
    } catch (IOException e) {
      throw new UncheckedIOException("train: memory can be written to", e);
    }
    return out.toByteArray();
  }
}
