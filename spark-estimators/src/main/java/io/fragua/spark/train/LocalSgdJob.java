package io.fragua.spark.train;

import io.fragua.arrow.ColumnarMap;
import io.fragua.arrow.TileSpec;
import io.fragua.nn.ParamTree;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.UUID;
import org.apache.spark.Partitioner;
import org.apache.spark.SparkException;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.rdd.PartitionPruningRDD;
import org.apache.spark.rdd.RDD;
import org.apache.spark.resource.ResourceProfile;
import scala.Tuple2;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction1;

/**
 * Training without a barrier: round after round, each one ordinary Spark job. In a round every
 * worker makes some steps by itself from the same values (local SGD: Stich, "Local SGD converges
 * fast and communicates little", 2019), then their means, weighted by rows, are the values of the
 * next round. What a round needs is in Spark's hands: rows as shuffled chunks, values as a
 * broadcast, means through a shuffle. So executors may come and go, and a lost task is repeated
 * alone.
 */
final class LocalSgdJob {
  /** More rounds an epoch than this are not made; the steps of a round are more then. */
  private static final int MAX_PIECES = 4096;

  private final TrainRequest request;
  private final JavaSparkContext spark;
  private final String id = "fragua-train-" + UUID.randomUUID();
  private final int workers;
  private Broadcast<TrainPlan> plan;
  private JavaRDD<byte[]> chunks;
  private ResourceProfile resources;
  private int rounds;

  LocalSgdJob(TrainRequest request) {
    this.request = request;
    workers = request.numWorkers();
    spark = JavaSparkContext.fromSparkContext(request.data().sparkSession().sparkContext());
  }

  TrainResult run() {
    PlanCheck.check(request);
    TileSpec.check(request.data().schema(), request.tiles());
    TrainJob.checkValidationColumn(request);
    resources = WorkerResources.profile(spark.sc(), request.distribution());
    TrainListener listener = request.listener();
    listener.phase("reading");
    TrainPlan p = TrainPlan.of(id, request);
    plan = spark.broadcast(p);
    try {
      deal();
      listener.phase("training");
      return epochs(p.values());
    } catch (Exception e) { // SparkException is checked, but Scala does not say who throws it
      if (e instanceof SparkException) {
        throw TrainJob.explained(e);
      }
      throw e;
    } finally {
      plan.destroy();
    }
  }

  /** Cuts the rows into pieces, one for each worker and round; validation rows lie behind. */
  private void deal() {
    long perRound = (long) workers * request.localBatch() * request.distribution().localSteps();
    long rows = request.data().count();
    long wanted = Math.max(1, (rows + perRound - 1) / perRound);
    rounds = (int) Math.min(wanted, Math.max(1, MAX_PIECES / workers));
    ChunkWriter writer =
        new ChunkWriter(request.tiles(), request.validationColumn(), rounds * workers, false);
    int rowBytes = RowLayout.of(request.tiles()).rowBytes();
    int pieces = rounds * workers;
    int validators = workers;
    chunks =
        ColumnarMap.replace(
                request.data(), writer.inputs(), ChunkWriter.OUTPUT, writer, "training chunks")
            .queryExecution()
            .toRdd()
            .toJavaRDD()
            .mapToPair(
                row -> {
                  byte[] chunk = row.getBinary(1);
                  int piece = row.getInt(0);
                  boolean validation = Chunk.read(chunk, rowBytes).validation();
                  return new Tuple2<>(validation ? pieces + piece % validators : piece, chunk);
                })
            .partitionBy(new Own(pieces + validators))
            .values();
  }

  /** A partition for each key. */
  private static final class Own extends Partitioner {
    private static final long serialVersionUID = 1;
    private final int partitions;

    Own(int partitions) {
      this.partitions = partitions;
    }

    @Override
    public int numPartitions() {
      return partitions;
    }

    @Override
    public int getPartition(Object key) {
      return (Integer) key;
    }
  }

  private TrainResult epochs(float[] start) {
    float[] values = start;
    float[] best = start;
    double least = Double.POSITIVE_INFINITY;
    int worse = 0;
    List<EpochMetrics> history = new ArrayList<>();
    for (int epoch = 0; epoch < request.epochs() && worse <= patience(); epoch++) {
      long began = System.nanoTime();
      LocalSgdTask.Learnt sums = epoch(epoch, values);
      values = sums.values();
      Double validation = request.validationColumn() == null ? null : validate(epoch, values);
      EpochMetrics m =
          new EpochMetrics(
              epoch,
              sums.loss() / sums.weights(),
              validation,
              sums.rows(),
              (System.nanoTime() - began) / 1e9);
      history.add(m);
      request.listener().epoch(m);
      if (request.patience() == 0 || validation < least) {
        least = validation == null ? least : validation;
        best = values;
        worse = 0;
      } else {
        worse++;
      }
    }
    return result(best, history);
  }

  /** Epochs without a better validation loss that do not stop the training. */
  private int patience() {
    return request.patience() == 0 ? Integer.MAX_VALUE : request.patience() - 1;
  }

  private LocalSgdTask.Learnt epoch(int epoch, float[] start) {
    int[] order = new int[rounds];
    Arrays.setAll(order, i -> i);
    SplittableRandom random = new SplittableRandom(31 * request.seed() + epoch);
    for (int i = rounds - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      int t = order[i];
      order[i] = order[j];
      order[j] = t;
    }
    float[] values = start;
    long rows = 0;
    double loss = 0;
    double weights = 0;
    for (int i = 0; i < rounds; i++) {
      LocalSgdTask.Learnt round = round(epoch, i, order[i], values);
      values = round.values();
      rows += round.rows();
      loss += round.loss();
      weights += round.weights();
      request.listener().step(epoch, request.epochs(), i + 1, rounds, loss / weights);
    }
    if (rows == 0) {
      throw new IllegalArgumentException(
          "train: there must be rows to learn from: 0 training rows; check the filters before fit"
              + (request.validationColumn() == null ? "" : " and the validation column"));
    }
    if (!(weights > 0)) {
      throw new IllegalArgumentException(
          "train: the weights of the rows must add up to more than 0: "
              + weights
              + "; correct the weight column");
    }
    return new LocalSgdTask.Learnt(values, rows, loss, weights);
  }

  /** A part of what a worker has come to, on its way to who takes the mean of that part. */
  private record Part(int worker, float[] values, long rows, double loss, double weights)
      implements Serializable {}

  private LocalSgdTask.Learnt round(int epoch, int round, int piece, float[] values) {
    Broadcast<float[]> start = spark.broadcast(values);
    try {
      Broadcast<TrainPlan> p = plan;
      int n = workers;
      int length = values.length;
      long step = ((long) epoch * rounds + round) * (2L * request.distribution().localSteps());
      List<Tuple2<Integer, Part>> means =
          piece(piece * n, n)
              .mapPartitions(
                  in -> {
                    LocalSgdTask.Learnt l =
                        new LocalSgdTask(p.value(), epoch, step).learn(in, start.value());
                    int worker = TaskContext.getPartitionId();
                    List<Tuple2<Integer, Part>> parts = new ArrayList<>();
                    for (int s = 0; s < n; s++) {
                      float[] part =
                          Arrays.copyOfRange(l.values(), at(s, n, length), at(s + 1, n, length));
                      parts.add(
                          new Tuple2<>(s, new Part(worker, part, l.rows(), l.loss(), l.weights())));
                    }
                    return parts.iterator();
                  })
              .mapToPair(t -> t)
              .groupByKey(new Own(n))
              .mapValues(LocalSgdJob::mean)
              .collect();
      float[] next = new float[length];
      means.forEach(
          t -> {
            float[] part = t._2().values();
            System.arraycopy(part, 0, next, at(t._1(), n, length), part.length);
          });
      Part sums = means.get(0)._2(); // each knows the sums of all workers
      return new LocalSgdTask.Learnt(
          sums.rows() == 0 ? values : next, sums.rows(), sums.loss(), sums.weights());
    } finally {
      start.destroy();
    }
  }

  /** First value of a part. */
  private static int at(int part, int parts, int length) {
    return (int) ((long) length * part / parts);
  }

  private static Part mean(Iterable<Part> given) {
    List<Part> parts = new ArrayList<>();
    given.forEach(parts::add);
    parts.sort(Comparator.comparingInt(Part::worker));
    long[] rows = parts.stream().mapToLong(Part::rows).toArray();
    long total = Arrays.stream(rows).sum();
    double loss = 0;
    double weights = 0;
    for (Part p : parts) {
      loss += p.loss();
      weights += p.weights();
    }
    float[] mean =
        total == 0
            ? parts.get(0).values()
            : LocalSgdTask.mean(parts.stream().map(Part::values).toList(), rows);
    return new Part(0, mean, total, loss, weights);
  }

  /** Some consecutive partitions of the chunks. */
  private JavaRDD<byte[]> piece(int from, int count) {
    ClassTag<byte[]> tag = ClassTag$.MODULE$.apply(byte[].class);
    RDD<byte[]> some = PartitionPruningRDD.create(chunks.rdd(), new Between(from, from + count));
    return new JavaRDD<>(some.withResources(resources), tag);
  }

  /** Partitions from one number to before another. */
  private static final class Between extends AbstractFunction1<Object, Object>
      implements Serializable {
    private static final long serialVersionUID = 1;
    private final int from;
    private final int to;

    Between(int from, int to) {
      this.from = from;
      this.to = to;
    }

    @Override
    public Object apply(Object partition) {
      int p = (Integer) partition;
      return p >= from && p < to;
    }
  }

  private double validate(int epoch, float[] values) {
    Broadcast<float[]> now = spark.broadcast(values);
    try {
      Broadcast<TrainPlan> p = plan;
      List<LocalSgdTask.Learnt> all =
          piece(rounds * workers, workers)
              .mapPartitions(
                  in ->
                      List.of(new LocalSgdTask(p.value(), epoch, 0).validate(in, now.value()))
                          .iterator())
              .collect();
      double loss = 0;
      double weights = 0;
      for (LocalSgdTask.Learnt l : all) {
        loss += l.loss();
        weights += l.weights();
      }
      return TrainLoop.validationLoss(loss, weights);
    } finally {
      now.destroy();
    }
  }

  private TrainResult result(float[] values, List<EpochMetrics> history) {
    TrainPlan p = plan.value();
    int[] at = new int[1];
    ParamTree params = tree(p.params(), values, at);
    return new TrainResult(
        request.params().fill(params.asMap(), "train: the result"),
        request.state().fill(tree(p.state(), values, at).asMap(), "train: the result"),
        history);
  }

  private static ParamTree tree(List<TrainPlan.Leaf> leaves, float[] values, int[] at) {
    Map<String, Tensor> m = new LinkedHashMap<>();
    for (TrainPlan.Leaf l : leaves) {
      int n = l.value().length / 4;
      Buffer b = Buffer.collected(4L * n);
      b.bytes().asFloatBuffer().put(values, at[0], n);
      at[0] += n;
      m.put(l.name(), Tensor.of(TensorType.of(DType.F32, l.dims()), b));
    }
    return ParamTree.of(m);
  }
}
