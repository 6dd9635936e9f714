package io.fragua.spark.train;

import io.fragua.spark.estimator.NeuralClassifier;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorRemoved;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.sql.SparkSession;

/**
 * What {@link LocalSgdTest} runs in a process of its own: a cluster whose executors come and go.
 * Prints the error of a barrier, then of each training its bits, its jobs and executors lost; and
 * what became of an estimator that does not say how many workers there are.
 */
final class ElasticMain {
  private ElasticMain() {}

  public static void main(String[] args) throws Exception {
    try (SparkSession spark =
        SparkSession.builder()
            .master("local-cluster[2,1,1024]")
            .appName("elastic test")
            .config("spark.ui.enabled", "false")
            .config("spark.executor.extraClassPath", args[0])
            .config("spark.dynamicAllocation.enabled", "true")
            .config("spark.dynamicAllocation.initialExecutors", "1")
            .config("spark.dynamicAllocation.maxExecutors", "2")
            .config("spark.dynamicAllocation.executorIdleTimeout", "120s")
            .config("spark.shuffle.io.maxRetries", "1") // else a dead executor is asked for long
            .config("spark.shuffle.io.retryWait", "100ms")
            .getOrCreate()) {
      spark.sparkContext().setLogLevel("ERROR");
      try {
        Task t = new Task(TestSpark.rows(spark, 100, 2));
        t.train();
      } catch (IllegalArgumentException e) {
        System.out.println("BARRIER " + e.getMessage());
      }
      System.out.println("UNBROKEN " + train(spark, false));
      System.out.println("KILLED " + train(spark, true));
      System.out.println("LEFT-OUT " + fit(spark, "localSgd"));
      System.out.println("LEFT-OUT-BARRIER " + fit(spark, "barrier"));
    }
  }

  private static String train(SparkSession spark, boolean kill) throws Exception {
    AtomicInteger jobs = new AtomicInteger();
    AtomicInteger lost = new AtomicInteger();
    SparkListener counter = counter(jobs, lost);
    long victim = kill ? somePid(spark) : 0;
    spark.sparkContext().listenerBus().waitUntilEmpty(60_000);
    spark.sparkContext().addSparkListener(counter);
    Task t = new Task(TestSpark.rows(spark, 600, 3));
    t.workers = 2;
    t.batch = 32;
    t.epochs = 1;
    t.distribution = new Distribution(0, 3, false, false, 0, 0);
    AtomicInteger steps = new AtomicInteger();
    t.listener =
        new TrainListener() {
          @Override
          public void step(int epoch, int epochs, long done, long total, double loss) {
            if (kill && steps.incrementAndGet() == 3) {
              ProcessHandle.of(victim).orElseThrow().destroyForcibly();
            }
          }
        };
    String bits = ClusterMain.bits(t.train().params());
    Patience.until(() -> lost.get() >= (kill ? 1 : 0)); // the driver may not have noticed yet
    spark.sparkContext().listenerBus().waitUntilEmpty(60_000);
    spark.sparkContext().removeSparkListener(counter);
    return bits + " " + jobs + " " + lost;
  }

  /** Rows that an epoch learnt from, or the error; and jobs. */
  private static String fit(SparkSession spark, String distribution) throws Exception {
    AtomicInteger jobs = new AtomicInteger();
    SparkListener counter = counter(jobs, new AtomicInteger());
    spark.sparkContext().listenerBus().waitUntilEmpty(60_000);
    spark.sparkContext().addSparkListener(counter);
    String result;
    try {
      var model =
          new NeuralClassifier()
              .setNumericCols("a", "b")
              .setHiddenLayers(4)
              .setEpochs(1)
              .setDistribution(distribution)
              .fit(TestSpark.rows(spark, 600, 3));
      result = String.valueOf(model.summary().epochs().get(0).rows());
    } catch (IllegalArgumentException e) {
      result = e.getMessage();
    }
    spark.sparkContext().listenerBus().waitUntilEmpty(60_000);
    spark.sparkContext().removeSparkListener(counter);
    return jobs + " " + result;
  }

  private static SparkListener counter(AtomicInteger jobs, AtomicInteger lost) {
    return new SparkListener() {
      @Override
      public void onJobStart(SparkListenerJobStart e) {
        jobs.incrementAndGet();
      }

      @Override
      public void onExecutorRemoved(SparkListenerExecutorRemoved e) {
        lost.incrementAndGet();
      }
    };
  }

  /** The process of an executor that runs tasks. */
  private static long somePid(SparkSession spark) {
    return JavaSparkContext.fromSparkContext(spark.sparkContext())
        .parallelize(List.of(1), 1)
        .mapPartitions(ElasticMain::pid)
        .collect()
        .get(0);
  }

  private static Iterator<Long> pid(Iterator<Integer> in) {
    return List.of(
            SparkEnv.get().executorId().equals("driver") ? -1 : ProcessHandle.current().pid())
        .iterator();
  }
}
