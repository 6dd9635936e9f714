package io.fragua.spark.train;

import io.fragua.arrow.Parcel;
import io.fragua.arrow.Sent;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.SerializableWritable;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkThrowable;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.rdd.RDD;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.jdk.javaapi.CollectionConverters;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction1;

/** One Spark job that trains from a checkpoint or from the start, and its outcome or failure. */
final class TrainAttempt {
  private static final Logger LOG = LoggerFactory.getLogger(TrainAttempt.class);

  /** How long a better explanation than "my neighbour is gone" may take to reach the driver. */
  private static final long GRACE_MS = 2000;

  /** How long workers may take to notice that they were cancelled. */
  private static final long CANCEL_MS = 10_000;

  private final SparkContext spark;
  private final TrainPlan plan;
  private final WorkerWatch watch;

  /** A worker was lost, which another attempt may be spared. */
  static final class LostException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    LostException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  TrainAttempt(SparkContext spark, TrainPlan plan) {
    this.spark = spark;
    this.plan = plan;
    watch = new WorkerWatch(plan.id());
  }

  /** Workers of this attempt that run, also after it has failed: those that hang. */
  int running() {
    return watch.running();
  }

  /**
   * Trains on these chunks.
   *
   * @throws LostException if a worker was lost
   */
  TrainTask.Outcome run(RDD<byte[]> chunks, TrainListener listener) {
    Sent<TrainPlan> sent = Sent.of(spark, plan);
    spark.addSparkListener(watch);
    boolean hangs = false;
    boolean interrupted = false;
    try (Progress progress = new Progress(plan.id(), listener)) {
      return await(submit(chunks, sent), progress);
    } catch (Throwable t) {
      interrupted = Thread.interrupted(); // else nothing could be waited for here
      interrupted |= awaitEnd(); // then nothing of it writes, listens or holds memory any more
      hangs = watch.running() > 0;
      throw t;
    } finally {
      if (!hangs) { // else it hears when they end, if ever
        spark.removeSparkListener(watch);
      }
      sent.destroy();
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Whether the thread was interrupted meanwhile. */
  private boolean awaitEnd() {
    try {
      spark.listenerBus().waitUntilEmpty(GRACE_MS);
      watch.awaitEnd(CANCEL_MS);
    } catch (TimeoutException e) {
      LOG.warn("train: Spark's events are late; workers may still be ending", e);
    } catch (InterruptedException e) {
      return true;
    }
    return false;
  }

  private JavaFutureAction<List<SerializableWritable<Parcel<TrainTask.Outcome>>>> submit(
      RDD<byte[]> chunks, Sent<TrainPlan> sent) {
    ClassTag<SerializableWritable<Parcel<TrainTask.Outcome>>> tag =
        ClassTag$.MODULE$.apply(Object.class); // arrays of it are what Kryo knows
    RDD<SerializableWritable<Parcel<TrainTask.Outcome>>> trained =
        chunks.barrier().mapPartitions(new Worker(sent), false, tag).setName(plan.id());
    return new JavaRDD<>(trained, tag).collectAsync();
  }

  /** Runs a {@link TrainTask} on an executor. */
  private static final class Worker
      extends AbstractFunction1<
          scala.collection.Iterator<byte[]>,
          scala.collection.Iterator<SerializableWritable<Parcel<TrainTask.Outcome>>>>
      implements java.io.Serializable {
    private static final long serialVersionUID = 1;
    private final Sent<TrainPlan> plan;

    Worker(Sent<TrainPlan> plan) {
      this.plan = plan;
    }

    @Override
    public scala.collection.Iterator<SerializableWritable<Parcel<TrainTask.Outcome>>> apply(
        scala.collection.Iterator<byte[]> chunks) {
      Iterator<byte[]> in = CollectionConverters.asJava(chunks);
      TrainTask.Outcome o = new TrainTask(plan.value(), BarrierTaskContext.get()).run(in);
      return CollectionConverters.asScala(Stream.ofNullable(o).map(Parcel::of).iterator());
    }
  }

  private TrainTask.Outcome await(
      JavaFutureAction<List<SerializableWritable<Parcel<TrainTask.Outcome>>>> job,
      Progress progress) {
    boolean ended = false;
    try {
      while (!job.isDone()) {
        watch.pause(50);
        WorkerWatch.Failure f = watch.root(); // before the listener's failure, which may explain it
        if (progress.failure() != null) {
          throw progress.failure();
        }
        if (f != null && (!f.secondary() || watch.sinceFirst() > GRACE_MS)) {
          throw failure(f);
        }
      }
      ended = true;
      TrainTask.Outcome outcome = Parcel.open(job.get().get(0));
      if (progress.failure() != null) {
        throw progress.failure();
      }
      return outcome;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("train: interrupted; fit again", e);
    } catch (ExecutionException e) {
      throw progress.failure() != null ? progress.failure() : failed(e);
    } finally {
      if (!ended) {
        job.cancel(true); // Spark would repeat the stage, or wait long for the lost executor
      }
    }
  }

  /** Spark ended the job before this thread saw why. */
  private RuntimeException failed(ExecutionException e) {
    if (e.getCause() instanceof SparkThrowable s
        && "SPARK_JOB_CANCELLED".equals(s.getCondition())) {
      return explained(e); // a worker whose neighbour ended first may call it lost
    }
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
    String message =
        "train: every worker must live until the training ends: rank "
            + f.rank()
            + " (host "
            + f.host()
            + ", executor "
            + f.executor()
            + ") failed: "
            + f.why()
            + "; remove the cause and fit again";
    return f.lost()
        ? new LostException(message, f.cause())
        : new IllegalStateException(message, f.cause());
  }
}
