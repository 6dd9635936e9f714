package io.fragua.arrow;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.spark.Dependency;
import org.apache.spark.ShuffleDependency;
import org.apache.spark.SparkContext;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.adaptive.AdaptiveSparkPlanExec;
import org.apache.spark.sql.execution.adaptive.QueryStageExec;
import org.apache.spark.sql.execution.exchange.ReusedExchangeExec;
import org.apache.spark.sql.execution.exchange.ShuffleExchangeLike;
import org.apache.spark.util.ThreadUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.concurrent.duration.Duration;

/**
 * Removes the files of shuffles that nobody asks for again. Spark does so when the driver's garbage
 * collector finds that nobody can, which may be hours later, and a shuffle of all rows is as large
 * as they are.
 *
 * <p>Only what a query or an RDD has shuffled itself goes: an RDD or a cached table it reads from
 * may be used again by others, so {@code RDD.cleanShuffleDependencies}, which takes all ancestors,
 * is not used. Nothing waits for the executors; one that has died keeps nobody. What a task writes
 * that ends in the moment it is cancelled stays, as with Spark's own cleaner.
 */
public final class Shuffles {
  private static final Logger LOG = LoggerFactory.getLogger(Shuffles.class);

  private static final int SCHEDULER_S = 10;

  private Shuffles() {}

  /**
   * All rows of a query that is not run again, whose shuffles are removed, also if it fails. If the
   * thread is interrupted they stay until Spark's cleaner finds them: its jobs go on.
   */
  public static <T> List<T> collected(Dataset<T> query) {
    boolean interrupted = false;
    try {
      return query.collectAsList();
    } catch (Throwable t) { // Scala does not say what it throws
      interrupted = t instanceof InterruptedException;
      throw t;
    } finally {
      if (!interrupted) {
        remove(query);
      }
    }
  }

  /** Removes what the exchanges of a query's plan have shuffled, whose jobs have ended. */
  public static void remove(Dataset<?> query) {
    remove(
        query.sparkSession().sparkContext(),
        ids -> {
          var run = ((org.apache.spark.sql.classic.Dataset<?>) query).queryExecution();
          find(run.executedPlan(), true, ids);
        });
  }

  /**
   * Removes the shuffles that an RDD itself reads, not those before them.
   *
   * @param rdd whose jobs have ended or were told to
   */
  public static void remove(RDD<?> rdd) {
    remove(rdd.sparkContext(), ids -> find(rdd, ids));
  }

  private static void remove(SparkContext spark, Consumer<Set<Integer>> find) {
    boolean interrupted = Thread.interrupted(); // else nothing could be waited for
    try {
      Set<Integer> ids = new TreeSet<>();
      find.accept(ids);
      if (!ids.isEmpty() && spark.cleaner().isDefined()) { // else Spark was told to keep all
        awaitScheduler(spark);
        ids.forEach(id -> spark.cleaner().get().doCleanupShuffle(id, false));
      }
    } catch (Exception e) { // as where there was no shuffle, for want of a file to read
      LOG.debug("shuffles: their files are left to Spark", e);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /**
   * Waits until Spark's scheduler has done what it was told before, as to end a job. It would fail
   * as a whole if a task of a job that it still knows wrote to a shuffle that is no more.
   */
  private static void awaitScheduler(SparkContext spark) throws Exception {
    String none = "fragua-" + UUID.randomUUID(); // it is told one thing after the other
    Duration most = Duration.create(SCHEDULER_S, TimeUnit.SECONDS);
    ThreadUtils.awaitResult(spark.cancelJobsWithTagWithFuture(none, "none has it"), most);
  }

  private static void find(RDD<?> rdd, Set<Integer> ids) {
    for (Dependency<?> d : ScalaLists.list(rdd.dependencies())) {
      if (d instanceof ShuffleDependency<?, ?, ?> s) {
        ids.add(s.shuffleId());
      } else {
        find(d.rdd(), ids);
      }
    }
  }

  /**
   * Shuffles of a plan.
   *
   * @param made whether its exchanges have shuffled; of a plan that adapts those of its stages
   *     alone, and to ask another for its number would make it
   */
  private static void find(SparkPlan plan, boolean made, Set<Integer> ids) {
    if (plan instanceof AdaptiveSparkPlanExec a) {
      find(a.executedPlan(), false, ids);
    } else if (plan instanceof QueryStageExec s) {
      find(s.plan(), true, ids);
    } else if (plan instanceof ReusedExchangeExec r) {
      find(r.child(), made, ids);
    } else {
      if (made && plan instanceof ShuffleExchangeLike s) {
        ids.add(s.shuffleId());
      }
      ScalaLists.list(plan.children()).forEach(c -> find(c, made, ids));
    }
  }
}
