package io.fragua.arrow;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
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

/**
 * Removes the files of shuffles that nobody asks for again. Spark does so when the driver's garbage
 * collector finds that nobody can, which may be hours later, and a shuffle of all rows is as large
 * as they are.
 *
 * <p>Only what a query or an RDD has shuffled itself goes: an RDD or a cached table it reads from
 * may be used again by others, so {@code RDD.cleanShuffleDependencies}, which takes all ancestors,
 * is not used. Nothing waits for the executors; one that has died keeps nobody.
 */
public final class Shuffles {
  private Shuffles() {}

  /** All rows of a query that is not run again, whose shuffles are removed, also if it fails. */
  public static <T> List<T> collected(Dataset<T> query) {
    try {
      return query.collectAsList();
    } finally {
      remove(query);
    }
  }

  /** Removes what the exchanges of a query's plan have shuffled. */
  public static void remove(Dataset<?> query) {
    Set<Integer> ids = new TreeSet<>();
    var run = ((org.apache.spark.sql.classic.Dataset<?>) query).queryExecution();
    find(run.executedPlan(), true, ids);
    remove(query.sparkSession().sparkContext(), ids);
  }

  /** Removes the shuffles that an RDD itself reads, not those before them. */
  public static void remove(RDD<?> rdd) {
    Set<Integer> ids = new TreeSet<>();
    find(rdd, ids);
    remove(rdd.sparkContext(), ids);
  }

  private static void remove(SparkContext spark, Set<Integer> ids) {
    if (spark.cleaner().isDefined()) { // else Spark was told to keep all it has
      ids.forEach(id -> spark.cleaner().get().doCleanupShuffle(id, false));
    }
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
