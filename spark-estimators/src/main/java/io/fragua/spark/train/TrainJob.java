package io.fragua.spark.train;

import io.fragua.arrow.ColumnarMap;
import io.fragua.arrow.TileSpec;
import io.fragua.io.Safetensors;
import io.fragua.nn.ParamTree;
import io.fragua.tensor.Tensor;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.Partitioner;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import scala.Option;
import scala.Tuple2;
import scala.jdk.javaapi.CollectionConverters;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction1;

/** The driver's side of one training: checks, one Spark job, its outcome or its failure. */
final class TrainJob {
  /** How long a better explanation than "my neighbour is gone" may take to reach the driver. */
  private static final long GRACE_MS = 2000;

  private final TrainRequest request;
  private final SparkContext spark;
  private final String id = "fragua-train-" + UUID.randomUUID();

  TrainJob(TrainRequest request) {
    this.request = request;
    spark = request.data().sparkSession().sparkContext();
  }

  TrainResult run() {
    PlanCheck.check(request);
    TileSpec.check(request.data().schema(), request.tiles());
    checkValidationColumn(request);
    BarrierTrainer.checkCluster(spark, request.numWorkers(), request.distribution());
    request.listener().phase("reading");
    Broadcast<TrainPlan> plan =
        JavaSparkContext.fromSparkContext(spark).broadcast(TrainPlan.of(id, request));
    WorkerWatch watch = new WorkerWatch(id);
    spark.addSparkListener(watch);
    try (Progress progress = new Progress(id, request.listener())) {
      return result(await(submit(plan), watch, progress));
    } finally {
      spark.removeSparkListener(watch);
      plan.destroy();
    }
  }

  static void checkValidationColumn(TrainRequest request) {
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

  private JavaFutureAction<List<TrainTask.Outcome>> submit(Broadcast<TrainPlan> plan) {
    int workers = request.numWorkers();
    int shards = request.distribution().shards();
    ChunkWriter writer =
        new ChunkWriter(
            request.tiles(),
            request.validationColumn(),
            request.distribution().parts(workers),
            shards > 0);
    Dataset<Row> chunks =
        ColumnarMap.replace(
            request.data(), writer.inputs(), ChunkWriter.OUTPUT, writer, "training chunks");
    RDD<byte[]> dealt =
        chunks
            .queryExecution()
            .toRdd()
            .toJavaRDD()
            .mapToPair(row -> new Tuple2<>(row.getInt(0), row.getBinary(1)))
            .partitionBy(new ByWorker(request.distribution().parts(workers), workers))
            .values()
            .rdd();
    dealt.withResources(WorkerResources.profile(spark, request.distribution()));
    ClassTag<TrainTask.Outcome> tag = ClassTag$.MODULE$.apply(TrainTask.Outcome.class);
    RDD<TrainTask.Outcome> trained =
        dealt.barrier().mapPartitions(new Worker(plan), false, tag).setName(id);
    return new JavaRDD<>(trained, tag).collectAsync();
  }

  /** Sends chunks to the worker they name. */
  private static final class ByWorker extends Partitioner {
    private static final long serialVersionUID = 1;
    private final int parts;
    private final int workers;

    ByWorker(int parts, int workers) {
      this.parts = parts;
      this.workers = workers;
    }

    @Override
    public int numPartitions() {
      return workers;
    }

    @Override
    public int getPartition(Object key) {
      return ShardTree.owner((Integer) key, parts, workers);
    }
  }

  /** Runs a {@link TrainTask} on an executor. */
  private static final class Worker
      extends AbstractFunction1<
          scala.collection.Iterator<byte[]>, scala.collection.Iterator<TrainTask.Outcome>>
      implements java.io.Serializable {
    private static final long serialVersionUID = 1;
    private final Broadcast<TrainPlan> plan;

    Worker(Broadcast<TrainPlan> plan) {
      this.plan = plan;
    }

    @Override
    public scala.collection.Iterator<TrainTask.Outcome> apply(
        scala.collection.Iterator<byte[]> chunks) {
      Iterator<byte[]> in = CollectionConverters.asJava(chunks);
      TrainTask.Outcome o = new TrainTask(plan.value(), BarrierTaskContext.get()).run(in);
      return CollectionConverters.asScala(
          (o == null ? List.<TrainTask.Outcome>of() : List.of(o)).iterator());
    }
  }

  private TrainTask.Outcome await(
      JavaFutureAction<List<TrainTask.Outcome>> job, WorkerWatch watch, Progress progress) {
    boolean ended = false;
    try {
      while (!job.isDone()) {
        watch.pause(50);
        if (progress.failure() != null) {
          throw progress.failure();
        }
        WorkerWatch.Failure f = watch.root();
        if (f != null && (!f.secondary() || watch.sinceFirst() > GRACE_MS)) {
          throw failure(f);
        }
      }
      ended = true;
      List<TrainTask.Outcome> outcomes = job.get();
      if (progress.failure() != null) {
        throw progress.failure();
      }
      return outcomes.get(0);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("train: interrupted; fit again", e);
    } catch (ExecutionException e) {
      throw failed(e, watch);
    } finally {
      if (!ended) {
        job.cancel(true); // Spark would repeat the stage, or wait long for the lost executor
      }
    }
  }

  /** Spark ended the job before this thread saw why. */
  private RuntimeException failed(ExecutionException e, WorkerWatch watch) {
    try {
      spark.listenerBus().waitUntilEmpty(GRACE_MS);
      while (watch.root() != null && watch.root().secondary() && watch.sinceFirst() < GRACE_MS) {
        watch.pause(50);
      }
    } catch (TimeoutException late) {
      e.addSuppressed(late); // then Spark's own words have to do
    } catch (InterruptedException i) {
      Thread.currentThread().interrupt();
    }
    if (watch.root() != null) {
      return failure(watch.root());
    }
    return explained(e);
  }

  /** What Spark says of a job that failed, or what the data did wrong, found by a task. */
  static RuntimeException explained(Exception e) {
    for (Throwable t = e; t != null; t = t.getCause()) {
      if (t instanceof IllegalArgumentException) {
        return new IllegalArgumentException(t.getMessage(), e);
      }
    }
    Throwable cause = e.getCause() == null ? e : e.getCause();
    return new IllegalStateException(
        "train: the job must run to its end: " + cause.getMessage() + "; see its cause", e);
  }

  private static RuntimeException failure(WorkerWatch.Failure f) {
    if (IllegalArgumentException.class.getName().equals(f.type())) {
      return new IllegalArgumentException(f.why(), f.cause()); // data or settings, not the worker
    }
    return new IllegalStateException(
        "train: every worker must live until the training ends: rank "
            + f.rank()
            + " (host "
            + f.host()
            + ", executor "
            + f.executor()
            + ") failed: "
            + f.why()
            + "; remove the cause and fit again",
        f.cause());
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
