package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.rdd.RDD;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import scala.jdk.javaapi.CollectionConverters;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction1;

/** A worker as Spark starts it. */
class TrainTaskTest {
  /**
   * With how many threads a worker would update a large table: here, on an executor, and
   * deterministic; and a small one here.
   */
  private static final class Updating
      extends AbstractFunction1<
          scala.collection.Iterator<Integer>, scala.collection.Iterator<Integer>>
      implements Serializable {
    private static final long serialVersionUID = 1;
    private static final Distribution SHARDS = new Distribution(8, 0, false, false, 0, 0);
    private final TrainPlan plain = plan(Distribution.PLAIN, TrainTask.SHARED_UPDATE);
    private final TrainPlan deterministic = plan(SHARDS, TrainTask.SHARED_UPDATE);
    private final TrainPlan small = plan(Distribution.PLAIN, Task.CATEGORIES);

    private static TrainPlan plan(Distribution distribution, int table) {
      Task t = new Task(TestSpark.rows(10, 1));
      t.workers = 2;
      t.table = table;
      t.distribution = distribution;
      return TrainPlan.of("updating", t.request());
    }

    @Override
    public scala.collection.Iterator<Integer> apply(scala.collection.Iterator<Integer> rank) {
      BarrierTaskContext context = BarrierTaskContext.get();
      String here = SparkEnv.get().executorId();
      List<Integer> threads =
          List.of(
              new TrainTask(plain, context).updating(here),
              new TrainTask(plain, context).updating("0"),
              new TrainTask(deterministic, context).updating(here),
              new TrainTask(small, context).updating(here));
      return CollectionConverters.asScala(threads.iterator());
    }
  }

  private static final CountDownLatch BEGUN = new CountDownLatch(1);
  private static final CountDownLatch END = new CountDownLatch(1);

  /** The rows of a worker that hangs, whatever it is told, and of one whose disk fails. */
  private static Iterator<byte[]> hangOrFail(int rank) throws InterruptedException {
    if (rank == 1) {
      BEGUN.await();
      throw new UncheckedIOException(new IOException("no disk"));
    }
    BEGUN.countDown();
    while (END.getCount() > 0) {
      LockSupport.parkNanos(1_000_000);
    }
    return List.<byte[]>of().iterator();
  }

  /** Until it leaves its slot no other attempt is made: Spark would wait for the slot for ever. */
  @Test
  void aWorkerThatHangsKeepsItsSlot() {
    SparkContext sc = TestSpark.get().sparkContext();
    Task t = new Task(TestSpark.rows(10, 1));
    t.workers = 2;
    RDD<byte[]> chunks =
        JavaSparkContext.fromSparkContext(sc)
            .parallelize(List.of(0, 1), 2)
            .mapPartitions(in -> hangOrFail(in.next()))
            .rdd();
    TrainAttempt attempt = new TrainAttempt(sc, TrainPlan.of("hangs", t.request()));
    sc.conf().set(Slots.REPLACEMENT, "200ms");
    try {
      assertThrows(TrainAttempt.LostException.class, () -> attempt.run(chunks, TrainListener.NONE));
      Executable await = () -> Slots.await(sc, 2, Distribution.PLAIN, attempt::running);
      assertEquals(
          "train: workers that were given up must leave their slots within 200 ms"
              + " (spark.fragua.train.replacementTimeout): 1 of 2 slots are still held, for 2"
              + " workers; end what the held ones wait for, or their executors, or add executors",
          assertThrows(IllegalArgumentException.class, await).getMessage());
      END.countDown();
      assertTrue(Patience.until(() -> attempt.running() == 0));
      assertDoesNotThrow(await);
    } finally {
      END.countDown();
      sc.conf().remove(Slots.REPLACEMENT);
    }
  }

  @ParameterizedTest
  @CsvSource({"[::1]:7077, [::1]", "10.0.0.1:7077, 10.0.0.1", "node-1:7077, node-1", "node, node"})
  void hostsOfAddresses(String address, String host) {
    assertEquals(host, TrainTask.host(address));
  }

  /** Where all workers wait in one process while one of them updates, it has their cores. */
  @Test
  void oneUpdatesWithTheCoresOfThoseThatWait() {
    ClassTag<Integer> tag = ClassTag$.MODULE$.apply(Integer.class);
    RDD<Integer> ranks =
        JavaSparkContext.fromSparkContext(TestSpark.get().sparkContext())
            .parallelize(List.of(0, 1), 2)
            .rdd();
    RDD<Integer> threads = ranks.barrier().mapPartitions(new Updating(), false, tag);
    assertEquals(List.of(2, 1, 1, 1, 2, 1, 1, 1), new JavaRDD<>(threads, tag).collect());
  }
}
