package io.fragua.spark.train;

import io.fragua.arrow.TileSpec;
import io.fragua.graph.GraphJson;
import io.fragua.io.Safetensors;
import io.fragua.nn.ParamTree;
import io.fragua.spark.files.CheckedFolder;
import io.fragua.tensor.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkContext;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.Option;

/** The driver's side of one training: checks, then a Spark job, and another where one is lost. */
final class TrainJob {
  private static final Logger LOG = LoggerFactory.getLogger(TrainJob.class);

  private final TrainRequest request;
  private final SparkContext spark;
  private final String id = "fragua-train-" + UUID.randomUUID();
  private final Map<String, String> identity;

  TrainJob(TrainRequest request) {
    this.request = request;
    spark = request.data().sparkSession().sparkContext();
    ModelSize.of(request).check(spark.conf());
    identity = request.recovery().saves() ? identity(request) : Map.of();
  }

  TrainResult run(Checkpoints checkpoints) {
    PlanCheck.check(request);
    TileSpec.check(request.data().schema(), request.tiles());
    checkValidationColumn(request);
    BarrierTrainer.checkCluster(spark, request.numWorkers(), request.distribution());
    CheckpointFolder folder = checkpoints.folder();
    try {
      if (folder != null) {
        folder.removeUnfinished();
        newest(folder);
      }
      request.listener().phase("reading");
      TrainTask.Outcome outcome =
          request.distribution().local()
              ? new LocalSgdJob(request, TrainPlan.of(id, request, checkpoints(folder))).run()
              : train(folder);
      TrainResult learnt = result(outcome);
      if (folder != null) {
        tidy(folder);
      }
      return learnt;
    } catch (IOException e) {
      throw CheckpointFolder.unusable(request.recovery().folder(), e);
    }
  }

  /** Removes the checkpoints. A model is not given up because files cannot be removed. */
  private void tidy(CheckpointFolder folder) {
    try {
      folder.clear();
    } catch (IOException | RuntimeException e) { // file systems throw both
      LOG.warn(
          "train: the checkpoints are done with and must go: {} cannot be emptied; remove them by"
              + " hand, or the next fit with this checkpointDir meets them",
          request.recovery().folder(),
          e);
    }
  }

  /** Tries until it ends well, or fails for a reason that another try will not remove. */
  private TrainTask.Outcome train(CheckpointFolder folder) throws IOException {
    try (ChunkWriter.Dealt dealt = dealt()) { // once: what executors that live have is used again
      return train(folder, dealt.chunks().rdd());
    }
  }

  private TrainTask.Outcome train(CheckpointFolder folder, RDD<byte[]> chunks) throws IOException {
    List<RuntimeException> before = new ArrayList<>();
    List<TrainAttempt> attempts = new ArrayList<>();
    while (true) {
      TrainPlan plan = TrainPlan.of(id + "-" + before.size(), request, checkpoints(folder));
      TrainAttempt attempt = new TrainAttempt(spark, plan);
      attempts.add(attempt);
      try {
        return attempt.run(chunks, request.listener());
      } catch (TrainAttempt.LostException e) {
        before.forEach(e::addSuppressed);
        if (before.size() == request.recovery().maxRetries()) {
          throw e;
        }
        before.add(e);
        LOG.warn("train: retry {} of {}", before.size(), request.recovery().maxRetries(), e);
        awaitSlots(attempts, e);
        request.listener().retry(before.size(), e);
      }
    }
  }

  private void awaitSlots(List<TrainAttempt> attempts, RuntimeException lost) {
    try {
      Slots.await(
          spark,
          request.numWorkers(),
          request.distribution(),
          () -> attempts.stream().mapToInt(TrainAttempt::running).sum());
    } catch (IllegalArgumentException tooFew) {
      lost.addSuppressed(tooFew);
      throw lost;
    }
  }

  private Configuration hadoop() {
    return request.data().sparkSession().sessionState().newHadoopConf();
  }

  /** The checkpoint to go on from, or null. */
  private Checkpoint newest(CheckpointFolder folder) throws IOException {
    Checkpoint c = folder.newest();
    if (c != null) {
      folder.check(c, identity);
    }
    return c;
  }

  private CheckpointPlan checkpoints(CheckpointFolder folder) throws IOException {
    if (folder == null) {
      return null;
    }
    Recovery r = request.recovery();
    return new CheckpointPlan(
        r.folder(),
        new SerializableConfiguration(hadoop()),
        r.everyEpochs(),
        r.everySteps(),
        r.keep(),
        identity,
        newest(folder));
  }

  private static void checkValidationColumn(TrainRequest request) {
    String name = request.validationColumn();
    if (name == null) {
      return;
    }
    StructType schema = request.data().schema();
    Option<Object> at = schema.getFieldIndex(name);
    if (at.isEmpty()) {
      throw new IllegalArgumentException(
          "train: validation column "
              + name
              + " must be in the data: columns are "
              + List.of(schema.fieldNames())
              + "; correct the name");
    }
    DataType type = schema.fields()[(Integer) at.get()].dataType();
    if (!type.equals(DataTypes.BooleanType)) {
      throw new IllegalArgumentException(
          "train: validation column "
              + name
              + " must be boolean: "
              + type.simpleString()
              + "; cast it, for instance to (column = 1)");
    }
  }

  /** The rows as chunks, each in the partition of the worker that it is for. */
  private ChunkWriter.Dealt dealt() {
    int workers = request.numWorkers();
    int parts = request.distribution().parts(workers);
    ChunkWriter.Dealt dealt =
        ChunkWriter.deal(
            request, parts, workers, (part, held) -> ShardTree.owner(part, parts, workers));
    dealt.chunks().rdd().withResources(WorkerResources.profile(spark, request.distribution()));
    return dealt;
  }

  /** What a checkpoint's training must have in common with this one. */
  private static Map<String, String> identity(TrainRequest r) {
    Map<String, String> m = new TreeMap<>(r.recovery().identity());
    m.put("numWorkers", String.valueOf(r.numWorkers()));
    m.put("batchSize", String.valueOf(r.batchSize()));
    m.put("epochs", String.valueOf(r.epochs()));
    m.put("seed", String.valueOf(r.seed()));
    m.put("patience", String.valueOf(r.patience()));
    m.put("precision", r.precision().name());
    m.put("distribution", r.distribution().toString());
    if (r.distribution().local()) {
      m.put("training rows", String.valueOf(r.rows())); // by which rounds are cut
    }
    m.put("columns", TileSpec.inputs(r.tiles()).toString());
    m.put("layout of rows", RowLayout.of(r.tiles()).toString());
    m.put("gradient graph", sha256(GraphJson.write(r.gradient())));
    m.put("update graph", sha256(GraphJson.write(r.update())));
    m.put(
        "evaluation graph", r.evaluate() == null ? "none" : sha256(GraphJson.write(r.evaluate())));
    Map<String, Tensor> start = new TreeMap<>();
    r.params().asMap().forEach((n, t) -> start.put("param:" + n, t));
    r.state().asMap().forEach((n, t) -> start.put("state:" + n, t));
    r.optState().asMap().forEach((n, t) -> start.put("opt:" + n, t));
    m.put("initial values", CheckedFolder.sha256(TrainTask.file(start)).substring(0, 16));
    return m;
  }

  private static String sha256(String text) {
    return CheckedFolder.sha256(text.getBytes(StandardCharsets.UTF_8)).substring(0, 16);
  }

  private TrainResult result(TrainTask.Outcome o) {
    Map<String, Tensor> learnt = Safetensors.read(o.weights(), "weights of rank 0").tensors();
    ParamTree all = ParamTree.of(learnt);
    return new TrainResult(
        request.params().fill(all.under("param:").asMap(), "train: the result"),
        request.state().fill(all.under("state:").asMap(), "train: the result"),
        o.history());
  }
}
