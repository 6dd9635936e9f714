package io.fragua.spark.train;

import io.fragua.arrow.Parcel;
import io.fragua.arrow.Sent;
import io.fragua.arrow.Shuffles;
import io.fragua.nn.RunningVariance;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.apache.spark.HashPartitioner;
import org.apache.spark.SerializableWritable;
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
 * alone. What the rounds add up to is {@link LocalSgdLoop}'s.
 *
 * <p>Rows are dealt to the pieces of an epoch by their place, which keeps pieces equal whatever the
 * rows hold. If an executor's shuffled chunks are lost and their input has no fixed order, they are
 * dealt anew: of that epoch some of these rows are then learnt twice and others not; later epochs
 * have each row once again. Which rows are for validation does not change.
 */
final class LocalSgdJob {
  /** More rounds an epoch than this are not made; the steps of a round are more then. */
  private static final int MAX_PIECES = 4096;

  private final TrainRequest request;
  private final TrainPlan plan;
  private final JavaSparkContext spark;
  private final ResourceProfile resources;
  private final int workers;
  private final int rounds;

  /** From a round's first step to that of the next, so that each step has random keys alone. */
  private final long stride;

  private Sent<TrainPlan> sent;
  private RDD<?> exchanged; // by the workers of a round that has not ended well
  private ChunkWriter.Dealt dealt;

  LocalSgdJob(TrainRequest request, TrainPlan plan) {
    this.request = request;
    this.plan = plan;
    workers = request.numWorkers();
    spark = JavaSparkContext.fromSparkContext(request.data().sparkSession().sparkContext());
    resources = WorkerResources.profile(spark.sc(), request.distribution());
    long perRound = (long) workers * plan.batch() * request.distribution().localSteps();
    long wanted = Math.max(1, (request.rows() + perRound - 1) / perRound);
    rounds = (int) Math.min(wanted, Math.max(1, MAX_PIECES / workers));
    stride =
        stride(
            request.distribution().localSteps(),
            request.rows(),
            (long) rounds * workers * plan.batch());
  }

  /**
   * Twice the steps that a round has: rows are dealt by chance, and a worker's may be more.
   *
   * @param perStep rows of a step of all workers in all rounds
   */
  static long stride(int localSteps, long rows, long perStep) {
    return 2 * Math.max(localSteps, (rows + perStep - 1) / perStep);
  }

  /** Rounds of an epoch. */
  int rounds() {
    return rounds;
  }

  TrainTask.Outcome run() {
    int pieces = rounds * workers; // one for each worker and round; validation rows lie behind
    int n = workers;
    dealt =
        ChunkWriter.deal(
            request,
            pieces,
            pieces + n,
            (piece, validation) -> validation ? pieces + piece % n : piece);
    sent = Sent.of(spark.sc(), plan);
    boolean interrupted = false;
    spark.sc().addJobTag(plan.id());
    try {
      DataSum.Value rows = plan.checkpoints() == null ? DataSum.Value.NONE : sum();
      try (CheckpointSaver saver =
          plan.checkpoints() == null
              ? null
              : new CheckpointSaver(plan.checkpoints(), rows, plan.id())) {
        request.listener().phase("training");
        return new LocalSgdLoop(request, plan, this, saver).run();
      }
    } catch (Exception e) { // some of them are checked, but Scala does not say who throws them
      if (e instanceof InterruptedException) {
        interrupted = true;
        spark.sc().cancelJobsWithTag(plan.id()); // Spark lets the job of such a thread go on
        throw new IllegalStateException("train: interrupted; fit again", e);
      }
      if (e instanceof SparkException) {
        throw TrainAttempt.explained(e);
      }
      throw e;
    } finally {
      interrupted |= Thread.interrupted(); // else nothing could be waited for here
      spark.sc().removeJobTag(plan.id());
      sent.destroy();
      dealt.close();
      if (exchanged != null) {
        Shuffles.remove(exchanged);
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** The rows' short name; checked against that of the checkpoint to go on from. */
  private DataSum.Value sum() {
    int rowBytes = plan.layout().rowBytes();
    DataSum.Value rows =
        piece(0, (rounds + 1) * workers)
            .mapPartitions(
                in -> {
                  DataSum sum = new DataSum(rowBytes);
                  in.forEachRemaining(sum::add);
                  return List.of(Parcel.of(sum.value())).iterator();
                })
            .collect()
            .stream()
            .map(Parcel::open)
            .reduce(DataSum.Value.NONE, DataSum.Value::plus);
    plan.checkpoints().checkSame(rows, true);
    return rows;
  }

  /** A part of what a worker has come to, on its way to who takes the mean of that part. */
  private record Part(int worker, LocalSgdTask.Learnt learnt) implements Serializable {}

  /**
   * The mean of what the workers come to, and the sums of all.
   *
   * @param round of the epoch
   * @param piece of the rows, as many as there are rounds
   */
  LocalSgdTask.Learnt round(int epoch, int round, int piece, float[] values) {
    Broadcast<float[]> start = spark.broadcast(values);
    int length = values.length;
    try {
      Sent<TrainPlan> p = sent;
      int n = workers;
      long step = ((long) epoch * rounds + round) * stride;
      var reduced =
          piece(piece * n, n)
              .mapPartitions(
                  in ->
                      parts(new LocalSgdTask(p.value(), epoch, step).learn(in, start.value()), n)
                          .iterator())
              .mapToPair(t -> t)
              .groupByKey(new HashPartitioner(n))
              .mapValues(LocalSgdJob::mean);
      exchanged = reduced.rdd();
      var means = reduced.collect();
      Shuffles.remove(exchanged);
      exchanged = null;
      float[] next = new float[length];
      means.forEach(
          t -> {
            float[] part = Parcel.open(t._2()).values();
            System.arraycopy(part, 0, next, at(t._1(), n, length), part.length);
          });
      LocalSgdTask.Learnt any =
          Parcel.open(means.get(0)._2()); // each knows the sums of all workers
      for (int i = 0; i < plan.variances().size() && any.rows() > 0; i++) {
        RunningVariance v = plan.variances().get(i);
        RunningStatistics.takeSquares(
            plan.statistic(values, v.mean()),
            plan.statistic(next, v.mean()),
            plan.statistic(values, v.variance()),
            plan.statistic(next, v.variance()),
            any.sums()[2 + i] / any.rows());
      }
      return new LocalSgdTask.Learnt(any.rows() == 0 ? values : next, any.rows(), any.sums());
    } finally {
      start.destroy();
    }
  }

  private static List<Tuple2<Integer, SerializableWritable<Parcel<Part>>>> parts(
      LocalSgdTask.Learnt l, int n) {
    int worker = TaskContext.getPartitionId();
    List<Tuple2<Integer, SerializableWritable<Parcel<Part>>>> parts = new ArrayList<>();
    for (int s = 0; s < n; s++) {
      int length = l.values().length;
      float[] part = Arrays.copyOfRange(l.values(), at(s, n, length), at(s + 1, n, length));
      LocalSgdTask.Learnt some = new LocalSgdTask.Learnt(part, l.rows(), l.sums());
      parts.add(new Tuple2<>(s, Parcel.of(new Part(worker, some))));
    }
    return parts;
  }

  /** First value of a part. */
  private static int at(int part, int parts, int length) {
    return (int) ((long) length * part / parts);
  }

  /** The mean, weighted by rows; added up in the workers' order, so that a repeat has its bits. */
  private static SerializableWritable<Parcel<LocalSgdTask.Learnt>> mean(
      Iterable<SerializableWritable<Parcel<Part>>> given) {
    List<Part> parts = new ArrayList<>();
    given.forEach(p -> parts.add(Parcel.open(p)));
    parts.sort(Comparator.comparingInt(Part::worker));
    List<LocalSgdTask.Learnt> all = parts.stream().map(Part::learnt).toList();
    LocalSgdTask.Learnt total = total(all);
    float[] mean = new float[all.get(0).values().length];
    for (int i = 0; i < mean.length; i++) {
      double sum = 0;
      for (LocalSgdTask.Learnt l : all) {
        sum += l.rows() * (double) l.values()[i];
      }
      mean[i] = (float) (sum / total.rows()); // of no rows it is not used
    }
    return Parcel.of(new LocalSgdTask.Learnt(mean, total.rows(), total.sums()));
  }

  /** Rows and sums of all workers. */
  private static LocalSgdTask.Learnt total(List<LocalSgdTask.Learnt> all) {
    long rows = 0;
    double[] sums = new double[all.get(0).sums().length];
    for (LocalSgdTask.Learnt l : all) {
      rows += l.rows();
      for (int i = 0; i < sums.length; i++) {
        sums[i] += l.sums()[i];
      }
    }
    return new LocalSgdTask.Learnt(new float[0], rows, sums);
  }

  /** Rows and sums over the validation rows of all workers. */
  LocalSgdTask.Learnt validate(int epoch, float[] values) {
    Broadcast<float[]> now = spark.broadcast(values);
    try {
      Sent<TrainPlan> p = sent;
      return total(
          piece(rounds * workers, workers)
              .mapPartitions(
                  in ->
                      List.of(
                              Parcel.of(
                                  new LocalSgdTask(p.value(), epoch, 0).validate(in, now.value())))
                          .iterator())
              .collect()
              .stream()
              .map(Parcel::open)
              .toList());
    } finally {
      now.destroy();
    }
  }

  /** Some consecutive partitions of the chunks. */
  private JavaRDD<byte[]> piece(int from, int count) {
    ClassTag<byte[]> tag = ClassTag$.MODULE$.apply(byte[].class);
    RDD<byte[]> some =
        PartitionPruningRDD.create(dealt.chunks().rdd(), new Between(from, from + count));
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
}
