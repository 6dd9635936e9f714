package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.Serializable;
import java.util.List;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.rdd.RDD;
import org.junit.jupiter.api.Test;
import scala.jdk.javaapi.CollectionConverters;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction1;

/** A worker as Spark starts it. */
class TrainTaskTest {
  /** Asks each worker with how many threads it would update. */
  private static final class Asked
      extends AbstractFunction1<
          scala.collection.Iterator<Integer>, scala.collection.Iterator<Integer>>
      implements Serializable {
    private static final long serialVersionUID = 1;
    private final TrainPlan plan;
    private final String executor;

    /**
     * As a worker of this executor.
     *
     * @param executor null for the one that it is in
     */
    Asked(TrainPlan plan, String executor) {
      this.plan = plan;
      this.executor = executor;
    }

    @Override
    public scala.collection.Iterator<Integer> apply(scala.collection.Iterator<Integer> rank) {
      SparkEnv env = SparkEnv.get();
      TrainTask task = new TrainTask(plan, BarrierTaskContext.get());
      String id = executor == null ? env.executorId() : executor;
      return CollectionConverters.asScala(List.of(task.updating(id)).iterator());
    }
  }

  private static List<Integer> updating(Distribution distribution, String executor) {
    Task t = new Task(TestSpark.rows(10, 1));
    t.workers = 2;
    t.distribution = distribution;
    TrainPlan plan = TrainPlan.of("updating", t.request());
    ClassTag<Integer> tag = ClassTag$.MODULE$.apply(Integer.class);
    RDD<Integer> ranks =
        JavaSparkContext.fromSparkContext(TestSpark.get().sparkContext())
            .parallelize(List.of(0, 1), 2)
            .rdd();
    return new JavaRDD<>(ranks.barrier().mapPartitions(new Asked(plan, executor), false, tag), tag)
        .collect();
  }

  /** Workers of one process wait while one of them updates, so it has their cores. */
  @Test
  void oneUpdatesWithTheCoresOfThoseThatWait() {
    assertEquals(List.of(2, 2), updating(Distribution.PLAIN, null));
    assertEquals(List.of(1, 1), updating(Distribution.PLAIN, "0"), "a process of its own");
    Distribution fixed = new Distribution(8, 0, false, 0, 0);
    assertEquals(List.of(1, 1), updating(fixed, null), "bits that depend on no threads");
  }
}
