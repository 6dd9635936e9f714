package io.fragua.spark.train;

import io.fragua.arrow.NativeCache;
import io.fragua.exec.Backends;
import io.fragua.io.Safetensors;
import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;
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
    Programs programs = Programs.acquire(plan, Backends.cpu(), context.cpus());
    // Workers meet last, when all that may take long is done: from then on they have deadlines.
    try (Rendezvous rendezvous = Rendezvous.listen(host);
        WorkerStore store = load(chunks, sum, env, host);
        Workspace work = new Workspace(plan, programs.get(), rank)) {
      Position from = resume(work, host);
      Meeting meeting = meet(rendezvous, store, sum, env, host);
      try (CheckpointSaver saver =
              checkpoints == null || rank != 0
                  ? null
                  : new CheckpointSaver(checkpoints, meeting.rows(), plan.id());
          Collective ring =
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

  /** Takes the checkpoint's tensors, if there is one; where to begin. */
  private Position resume(Workspace work, String host) {
    CheckpointPlan p = plan.checkpoints();
    if (p == null) {
      return Position.START;
    }
    CheckpointFolder folder = p.open();
    try {
      folder.checkMark(host);
      if (p.resume() == null) {
        return Position.START;
      }
      String who = folder.tensorsName(p.resume());
      work.restore(Safetensors.read(folder.tensors(p.resume()), who).tensors(), who);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "train: every worker must be able to read the checkpoints in " + p.folder() + ": " + e,
          e);
    }
    return p.resume().position();
  }

  private WorkerStore load(Iterator<byte[]> chunks, DataSum sum, SparkEnv env, String host) {
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
            StoreBudget.of(env.conf(), Math.max(1, here)),
            new SpillFiles(env));
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
  private record Meeting(List<Peer> peers, TrainLoop.Sizes sizes, DataSum.Value rows, byte[] key) {}

  private Meeting meet(
      Rendezvous rendezvous, WorkerStore store, DataSum sum, SparkEnv env, String host) {
    DataSum.Value rows = sum == null ? new DataSum.Value(0, 0) : sum.value();
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
            Long.toHexString(rows.content()),
            Long.toHexString(rows.order()),
            rank == 0 ? HexFormat.of().formatHex(token) : "");
    // Spark looks for the others' messages once a second, which a worker alone need not wait for.
    String[] said = context.numPartitions() == 1 ? new String[] {mine} : context.allGather(mine);
    List<Peer> peers = new ArrayList<>();
    long[] training = new long[said.length];
    long[] validation = new long[said.length];
    rows = new DataSum.Value(0, 0);
    for (int r = 0; r < said.length; r++) {
      String[] s = said[r].split("\\|", -1);
      peers.add(new Peer(r, s[0], Integer.parseInt(s[1]), s[2]));
      training[r] = Long.parseLong(s[3]);
      validation[r] = Long.parseLong(s[4]);
      rows =
          rows.plus(
              new DataSum.Value(
                  Long.parseUnsignedLong(s[5], 16), Long.parseUnsignedLong(s[6], 16)));
      if (r == 0) {
        token = HexFormat.of().parseHex(s[7]);
      }
    }
    TrainLoop.Sizes sizes = new TrainLoop.Sizes(training, validation);
    checkRows(sizes);
    checkSame(rows);
    return new Meeting(peers, sizes, rows, key(env.securityManager(), token));
  }

  /** A checkpoint must be of these rows; their order is not in the user's hands everywhere. */
  private void checkSame(DataSum.Value rows) {
    CheckpointPlan p = plan.checkpoints();
    if (p == null || p.resume() == null) {
      return;
    }
    if (p.resume().rows().content() != rows.content()) {
      throw p.open().other(p.resume(), "the rows' values");
    }
    if (rank == 0 && p.resume().rows().order() != rows.order()) {
      LOG.warn(
          "train: the rows come in another order than when the checkpoint was written, as after a"
              + " shuffle or with other partitions: the training goes on from step {} of epoch {},"
              + " but not to the same bits as without the break",
          p.resume().position().step() + 1,
          p.resume().position().epoch() + 1);
    }
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

  /** A safetensors file; the tensors are copied. */
  static byte[] file(Map<String, Tensor> tensors) {
    long bytes = tensors.values().stream().mapToLong(t -> t.type().byteSize()).sum();
    Check.that(
        bytes < Integer.MAX_VALUE - (1 << 20),
        "train: weights and optimizer state together hold at most 2 GiB: %d bytes; use a smaller"
            + " network, or no checkpoints",
        bytes);
    ByteArrayOutputStream out = new ByteArrayOutputStream((int) bytes + (1 << 16));
    try {
      Safetensors.write(out, tensors, Map.of());
    } catch (IOException e) {
      throw new UncheckedIOException("train: memory can be written to", e);
    }
    return out.toByteArray();
  }
}
