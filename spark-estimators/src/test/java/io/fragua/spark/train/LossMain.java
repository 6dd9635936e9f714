package io.fragua.spark.train;

import io.fragua.spark.estimator.NeuralClassificationModel;
import io.fragua.spark.estimator.NeuralClassifier;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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
import scala.jdk.javaapi.CollectionConverters;

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
    System.setProperty("spark.decommission.enabled", "true");
    // Else a dead executor is asked for long.
    System.setProperty("spark.shuffle.io.maxRetries", "1");
    System.setProperty("spark.shuffle.io.retryWait", "100ms");
    try (SparkSession cluster = ClusterMain.session("local-cluster[2,1,1024]", args, false)) {
      cluster.conf().set("spark.sql.shuffle.partitions", 2);
      full(cluster, Path.of(args[1]));
      scoring(cluster);
      streaming(cluster, Path.of(args[1]));
      shuffles(cluster, Path.of(args[1]));
      decommission(cluster);
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
  private static void largestFile(String limit) {
    Stream<ProcessHandle> executors = ProcessHandle.current().descendants();
    for (ProcessHandle p : Stream.concat(Stream.of(ProcessHandle.current()), executors).toList()) {
      Killer.command("prlimit", "--fsize=" + limit, "--pid=" + p.pid());
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
   * Loses the files of shuffles that executors which live have written: below a model, and below
   * trainings, one of which is taken up again, and one of which comes back to them in every round.
   */
  private static void shuffles(SparkSession spark, Path folder) throws IOException {
    Dataset<Row> scored =
        sums(
            model(spark)
                .transform(
                    TestSpark.rows(spark, ROWS, 8)
                        .groupBy("id")
                        .agg(functions.max("a").as("a"), functions.max("b").as("b"))));
    System.out.println("SHUFFLED " + scored.first());
    int files = lose(folder);
    System.out.println("FETCHED " + scored.first());
    System.out.println("SCORED-WITHOUT " + files);

    int[] lost = new int[1];
    Slots.await(spark.sparkContext(), 2, Distribution.PLAIN, () -> 0); // also for the last killed
    Task t = steps(spark);
    System.out.println("STEPS " + ClusterMain.bits(t.train().params()));
    t.recovery = new Recovery("", 1, 0, 1, 3, Map.of());
    List<String> causes = new ArrayList<>();
    t.listener =
        new TrainListener() {
          @Override
          public void phase(String name) {
            if (name.equals("training") && causes.isEmpty()) {
              Killer.kill(executors(spark).get(0));
            }
          }

          @Override
          public void retry(int retry, RuntimeException cause) {
            causes.add(cause.getMessage().replace('\n', ' '));
            if (retry == 1) {
              lost[0] = lose(folder);
            }
          }
        };
    System.out.println("STEPS-AGAIN " + ClusterMain.bits(t.train().params()));
    System.out.println("STEPS-WITHOUT " + lost[0]);
    System.out.println("CAUSES " + causes);

    int[] rounds = new int[1];
    t = ClusterMain.task(spark, 2);
    t.distribution = new Distribution(0, 3, false, false, 0, 0);
    System.out.println("ROUNDS " + ClusterMain.bits(t.train().params()));
    t.listener =
        new TrainListener() {
          @Override
          public void step(int epoch, int epochs, long done, long total, double loss) {
            if (epoch == 1 && rounds[0] == 0) {
              rounds[0] = lose(folder);
            }
          }
        };
    System.out.println("ROUNDS-AGAIN " + ClusterMain.bits(t.train().params()));
    System.out.println("ROUNDS-WITHOUT " + rounds[0]);
  }

  /** A training of so many steps that something can happen within. */
  private static Task steps(SparkSession spark) {
    Task t = ClusterMain.task(spark, 2);
    t.batch = 2;
    t.epochs = 8;
    return t;
  }

  private static List<String> executors(SparkSession spark) {
    return CollectionConverters.asJava(spark.sparkContext().getExecutorIds());
  }

  /** Deletes the data of all shuffles; of how many. */
  private static int lose(Path folder) {
    try {
      List<Path> data = OpenFiles.below(folder, "shuffle_.*[.]data");
      for (Path p : data) {
        Files.deleteIfExists(p);
      }
      return data.size();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Tells an executor to go, as a cloud does before it takes a machine back, while it trains. */
  private static void decommission(SparkSession spark) throws Exception {
    Slots.await(spark.sparkContext(), 2, Distribution.PLAIN, () -> 0);
    Task t = steps(spark);
    String[] going = new String[1];
    t.listener =
        new TrainListener() {
          @Override
          public void epoch(EpochMetrics m) {
            if (m.epoch() == 2) {
              going[0] = executors(spark).get(0);
              Killer.signal("PWR", going[0]);
            }
          }
        };
    System.out.println("GOING " + ClusterMain.bits(t.train().params()));
    System.out.println("GONE " + Patience.until(() -> !executors(spark).contains(going[0])));
    Slots.await(spark.sparkContext(), 2, Distribution.PLAIN, () -> 0);
    t.listener = TrainListener.NONE;
    System.out.println("REPLACED " + ClusterMain.bits(t.train().params()));
  }

  /**
   * Kills (SIGKILL) the executor of the first task that starts after another has ended, and if that
   * was through before it died, a later one.
   */
  private static final class Reaper extends SparkListener {
    private static final long PAUSE_MS = 500;

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
