package io.fragua.spark.train;

import io.fragua.arrow.NativeCache;
import io.fragua.exec.Backends;
import io.fragua.io.Safetensors;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.SecurityManager;
import org.apache.spark.SparkEnv;
import org.apache.spark.sql.util.ArrowUtils;
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
        WorkerStore store = load(chunks, env, host);
        Workspace work = new Workspace(plan, programs.get(), rank)) {
      Meeting meeting = meet(rendezvous, store, env, host);
      try (Collective ring =
          rendezvous.join(
              rank,
              meeting.peers(),
              meeting.key(),
              Timeouts.of(env.conf()),
              context::killTaskIfInterrupted)) {
        programs.begin();
        listener.phase("training");
        List<EpochMetrics> history =
            new TrainLoop(
                    plan,
                    work,
                    store,
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

  private WorkerStore load(Iterator<byte[]> chunks, SparkEnv env, String host) {
    long start = System.nanoTime();
    int here = 0;
    for (var info : context.getTaskInfos()) {
      here += info.address().split(":")[0].equals(host) ? 1 : 0;
    }
    WorkerStore store =
        new WorkerStore(
            plan.layout(),
            ArrowUtils.rootAllocator(),
            "fragua training " + plan.id() + " rank " + rank,
            StoreBudget.of(env.conf(), Math.max(1, here)));
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
  private record Meeting(List<Peer> peers, TrainLoop.Sizes sizes, byte[] key) {}

  private Meeting meet(Rendezvous rendezvous, WorkerStore store, SparkEnv env, String host) {
    byte[] token = new byte[32];
    new SecureRandom().nextBytes(token);
    String mine =
        String.join(
            "|",
            host,
            String.valueOf(rendezvous.port()),
            env.executorId(),
            String.valueOf(store.rows()),
            String.valueOf(store.validationRows()),
            rank == 0 ? HexFormat.of().formatHex(token) : "");
    // Spark looks for the others' messages once a second, which a worker alone need not wait for.
    String[] said = context.numPartitions() == 1 ? new String[] {mine} : context.allGather(mine);
    List<Peer> peers = new ArrayList<>();
    long[] training = new long[said.length];
    long[] validation = new long[said.length];
    for (int r = 0; r < said.length; r++) {
      String[] s = said[r].split("\\|", -1);
      peers.add(new Peer(r, s[0], Integer.parseInt(s[1]), s[2]));
      training[r] = Long.parseLong(s[3]);
      validation[r] = Long.parseLong(s[4]);
      if (r == 0) {
        token = HexFormat.of().parseHex(s[5]);
      }
    }
    TrainLoop.Sizes sizes = new TrainLoop.Sizes(training, validation);
    checkRows(sizes);
    return new Meeting(peers, sizes, key(env.securityManager(), token));
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

  /**
   * The key of this ring: this training's token, which the barrier carries, and with {@code
   * spark.authenticate} Spark's own secret on top, so that having read the token is not enough.
   */
  static byte[] key(SecurityManager security, byte[] token) {
    String secret = security.isAuthenticationEnabled() ? security.getSecretKey() : null;
    return secret == null
        ? token
        : Handshake.hmac(secret.getBytes(StandardCharsets.UTF_8)).doFinal(token);
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
