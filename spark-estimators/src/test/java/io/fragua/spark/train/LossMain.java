package io.fragua.spark.train;

import io.fragua.spark.estimator.NeuralClassificationModel;
import io.fragua.spark.estimator.NeuralClassifier;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.spark.Success$;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.streaming.StreamingQuery;
import org.apache.spark.sql.streaming.Trigger;

/**
 * What {@link LossTest} runs in a process of its own: its arguments are the class folders that
 * executors need besides Spark's jars, and a folder for files. Prints one line per result.
 */
final class LossMain {
  /** Rows that are scored, and the files they lie in for a stream. */
  private static final long ROWS = 400_000;

  private static final int FILES = 6;

  private LossMain() {}

  public static void main(String[] args) throws Exception {
    try (SparkSession cluster = ClusterMain.session("local-cluster[2,1,1024]", args, false)) {
      cluster.conf().set("spark.sql.shuffle.partitions", 2);
      full(cluster, Path.of(args[1]));
      scoring(cluster);
      streaming(cluster, Path.of(args[1]));
    }
  }

  /** Trains where no process may make a file of more than 200 KB, as if there were no more room. */
  private static void full(SparkSession spark, Path folder) throws Exception {
    System.out.println("BEFORE " + small(spark)); // which unpacks native libraries
    largestFile("204800:");
    System.out.println("SOCKETS " + small(spark));
    // The shuffle's files are small, one a partition; those of the two workers are large.
    Task t = new Task(TestSpark.rows(spark, 100_000, 40));
    t.workers = 2;
    t.batch = 1000;
    try {
      t.train();
      System.out.println("FULL but it learnt");
    } catch (RuntimeException e) {
      System.out.println("FULL " + e.getMessage().replace('\n', ' '));
    }
    System.out.println("SPILLED " + OpenFiles.spilled(folder));
    System.out.println("AFTER " + small(spark));
    largestFile("unlimited:");
  }

  private static String small(SparkSession spark) {
    return ClusterMain.bits(ClusterMain.task(spark, 2).train().params());
  }

  /** Sets the soft limit of this process and its executors. */
  private static void largestFile(String limit) throws IOException, InterruptedException {
    Stream<ProcessHandle> executors = ProcessHandle.current().descendants();
    for (ProcessHandle p : Stream.concat(Stream.of(ProcessHandle.current()), executors).toList()) {
      int status =
          new ProcessBuilder("prlimit", "--fsize=" + limit, "--pid=" + p.pid())
              .inheritIO()
              .start()
              .waitFor();
      if (status != 0) {
        throw new IllegalStateException("prlimit ended with status " + status);
      }
    }
  }

  private static NeuralClassificationModel model(SparkSession spark) {
    return new NeuralClassifier()
        .setNumericCols("a", "b")
        .setLabelCol("label")
        .setHiddenLayers(8)
        .setEpochs(1)
        .setBatchSize(64)
        .fit(TestSpark.rows(spark, 1000, 2));
  }

  private static Dataset<Row> sums(Dataset<Row> scored) {
    return scored.agg(
        functions.count("*"), functions.sum("prediction"), functions.sum(functions.col("id")));
  }

  private static void scoring(SparkSession spark) {
    NeuralClassificationModel model = model(spark);
    Dataset<Row> scored = sums(model.transform(TestSpark.rows(spark, ROWS, 8)));
    System.out.println("WANTED " + scored.first());
    Reaper reaper = new Reaper(spark);
    System.out.println("SCORED " + scored.first());
    System.out.println("LOST " + reaper.lost());
  }

  private static void streaming(SparkSession spark, Path folder) throws Exception {
    NeuralClassificationModel model = model(spark);
    Dataset<Row> rows = TestSpark.rows(spark, 30_000, FILES).select("id", "a", "b");
    String from = folder.resolve("stream").toString();
    String to = folder.resolve("scored").toString();
    rows.write().parquet(from);
    System.out.println("EXPECTED " + sums(model.transform(rows)).first());
    Dataset<Row> stream =
        spark.readStream().schema(rows.schema()).option("maxFilesPerTrigger", 1).parquet(from);
    Reaper reaper = new Reaper(spark);
    StreamingQuery q =
        model
            .transform(stream)
            .select("id", "prediction")
            .writeStream()
            .format("parquet")
            .option("checkpointLocation", folder.resolve("checkpoint").toString())
            .trigger(Trigger.AvailableNow())
            .start(to);
    q.awaitTermination();
    System.out.println("STREAMED " + sums(spark.read().parquet(to)).first());
    System.out.println("STREAM-LOST " + reaper.lost());
  }

  /**
   * Kills (SIGKILL) the executor of the first task that starts after another has ended, and if that
   * was through before it died, a later one.
   */
  private static final class Reaper extends SparkListener {
    private static final long PAUSE_MS = 2000;

    private boolean ended;
    private long killed; // by the clock of a started task
    private final AtomicInteger lost = new AtomicInteger();
    private final SparkSession spark;

    Reaper(SparkSession spark) {
      this.spark = spark;
      spark.sparkContext().addSparkListener(this);
    }

    @Override
    public void onTaskEnd(SparkListenerTaskEnd e) {
      if (!(e.reason() instanceof Success$)) {
        lost.incrementAndGet();
      }
      ended = true;
    }

    @Override
    public void onTaskStart(SparkListenerTaskStart e) {
      long now = e.taskInfo().launchTime();
      if (ended && lost.get() == 0 && now - killed > PAUSE_MS) {
        killed = now;
        Killer.kill(e.taskInfo().executorId());
      }
    }

    /** Tasks that failed since. */
    int lost() {
      try {
        spark.sparkContext().listenerBus().waitUntilEmpty(60_000);
      } catch (TimeoutException e) {
        throw new IllegalStateException(e);
      }
      spark.sparkContext().removeSparkListener(this);
      return lost.get();
    }
  }
}
