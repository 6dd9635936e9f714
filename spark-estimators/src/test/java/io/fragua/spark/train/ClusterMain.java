package io.fragua.spark.train;

import io.fragua.nn.ParamTree;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/**
 * What {@link LocalClusterTest} runs in a process of its own: its arguments are the class folders
 * that executors need besides Spark's jars, and a folder for files. Prints one line per result.
 */
final class ClusterMain {
  /** Exit status of the driver that crashes on purpose. */
  static final int CRASHED = 99;

  static final List<Killer.Moment> MOMENTS = List.of(Killer.Moment.values());

  private ClusterMain() {}

  public static void main(String[] args) throws IOException {
    try (SparkSession one = session("local[1]", args, true)) {
      System.out.println("ONE " + bits(task(one, 1).train().params()));
    }
    try (SparkSession cluster = session("local-cluster[2,1,1024]", args, false)) {
      System.out.println("MEMORY " + bits(task(cluster, 2).train().params()));
      System.out.println("BUCKETS " + digest(large(cluster).train().params()));
      System.out.println("OVERLAP " + overlapping(cluster));
      System.out.println(
          "PORTS-ROUNDS " + ports(cluster, new Distribution(0, 2, false, false, 0, 0)));
      System.out.println("PORTS-BARRIER " + ports(cluster, Distribution.PLAIN));
      System.out.println("CANCELLED " + cancel(cluster));
      kill(cluster);
    }
    try (SparkSession cluster = session("local-cluster[2,1,1024]", args, true)) {
      System.out.println("SEALED " + bits(task(cluster, 2).train().params()));
      System.out.println("LARGE " + digest(large(cluster).train().params()));
      Slots.await(cluster.sparkContext(), 2, Distribution.PLAIN, () -> 0);
      System.out.println("SURVIVED " + survive(cluster, Path.of(args[1])));
      System.out.println("SPILLED " + OpenFiles.spilled(Path.of(args[1])));
    }
    try (SparkSession local = session("local[2]", args, true)) {
      crash(local, Path.of(args[1]));
    }
  }

  /** Loses an executor at every moment, and trains on. */
  private static String survive(SparkSession spark, Path folder) {
    Task t = survivor(spark, folder.resolve("survive"));
    Killer killer = new Killer(spark, folder.resolve("survive"), t.epochs, MOMENTS);
    t.listener = killer;
    String bits = bits(t.train().params());
    return bits + " " + String.join(",", killer.died());
  }

  /**
   * A training with checkpoints that takes so long that an executor can be killed within, and whose
   * rows change places: what was swapped before a checkpoint is swapped again.
   */
  static Task survivor(SparkSession spark, Path folder) {
    Task t = task(spark, 2);
    t.batch = 2;
    t.epochs = 8;
    t.distribution = new Distribution(0, 0, false, true, 0, 0);
    t.recovery =
        new Recovery("slow:" + folder.toUri().getPath(), 1, 0, 2, MOMENTS.size(), Map.of());
    return t;
  }

  /** Ends this process, the driver, in the middle of a training, without any goodbye. */
  private static void crash(SparkSession spark, Path folder) {
    Task t = survivor(spark, folder.resolve("crash"));
    t.listener =
        new TrainListener() {
          @Override
          public void epoch(EpochMetrics m) {
            if (m.epoch() == 5) {
              Patience.until(() -> isThere(folder.resolve("crash"), "checkpoint-.*[.]json"));
              Runtime.getRuntime().halt(CRASHED);
            }
          }
        };
    t.train();
  }

  private static boolean isThere(Path folder, String pattern) {
    return Arrays.stream(folder.toFile().list()).anyMatch(f -> f.matches(pattern));
  }

  /** Workers that encrypt use sockets; others of this machine share memory. */
  static SparkSession session(String master, String[] args, boolean encrypt) {
    SparkSession s =
        SparkSession.builder()
            .master(master)
            .appName("cluster test")
            .config("spark.ui.enabled", "false")
            .config("spark.executor.extraClassPath", args[0])
            .config("spark.scheduler.maxRegisteredResourcesWaitingTime", "120s")
            .config(OverlappedCollective.KEY, "true")
            .config("spark.authenticate", "true")
            .config("spark.authenticate.secret", "between us")
            .config("spark.network.crypto.enabled", String.valueOf(encrypt))
            .config("spark.hadoop.fs.slow.impl", SlowFileSystem.class.getName())
            .config("spark.local.dir", args[1])
            .config(StoreBudget.KEY, "20k") // so that rows lie on disk
            .getOrCreate();
    s.sparkContext().setLogLevel("ERROR");
    return s;
  }

  /** The training whose result must be the same everywhere. */
  static Task task(SparkSession spark, int workers) {
    Task t = new Task(TestSpark.rows(spark, 1500, 3));
    t.workers = workers;
    t.batch = 100;
    return t;
  }

  /** A training whose gradients are summed in buckets, while they are computed. */
  static Task large(SparkSession spark) {
    Task t = task(spark, 2);
    t.table = Buckets.BYTES / 4;
    t.second = true;
    t.batch = 500;
    t.epochs = 2;
    return t;
  }

  /** How many threads of executors add up sums, as seen in a training that ends then. */
  private static long overlapping(SparkSession spark) {
    AtomicLong seen = new AtomicLong();
    Task t = large(spark);
    t.epochs = 10_000_000;
    t.listener =
        new TrainListener() {
          @Override
          public void epoch(EpochMetrics m) {
            seen.set(
                ProcessHandle.current()
                    .descendants()
                    .map(p -> new File("/proc/" + p.pid() + "/task").listFiles())
                    .filter(Objects::nonNull) // it has ended
                    .flatMap(Arrays::stream)
                    .filter(task -> read(task).startsWith("fragua-sums-"))
                    .count());
          }

          @Override
          public boolean stopRequested() {
            return seen.get() > 0;
          }
        };
    t.train();
    return seen.get();
  }

  /** What executors listen on while they train, and did not before. */
  private static Set<String> ports(SparkSession spark, Distribution distribution) {
    Task t = task(spark, 2);
    t.distribution = distribution;
    try {
      return OpenFiles.opened(() -> executors(OpenFiles::listening), t::train);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** Finds something of a process. */
  private interface Look {
    Set<String> at(long pid) throws IOException;
  }

  private static Set<String> executors(Look look) {
    Set<String> all = new TreeSet<>();
    for (ProcessHandle p : ProcessHandle.current().descendants().toList()) {
      try {
        all.addAll(look.at(p.pid()));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return all;
  }

  /**
   * Cancels a training that would take hours, as one does from a notebook; its error, and what
   * executors listen on, map or have open from then on.
   */
  private static String cancel(SparkSession spark) {
    Set<String> before = executors(ClusterMain::held);
    Task t = task(spark, 2);
    t.epochs = 10_000_000;
    t.recovery = new Recovery("", 1, 0, 1, 3, Map.of()); // what was cancelled is not taken up again
    t.listener =
        new TrainListener() {
          @Override
          public void epoch(EpochMetrics m) {
            if (m.epoch() == 20) {
              spark.sparkContext().cancelJobGroup("a notebook's");
            }
          }
        };
    spark.sparkContext().setJobGroup("a notebook's", "", false);
    try {
      t.train();
      return "but trained on";
    } catch (IllegalStateException e) {
      Set<String> left = new TreeSet<>();
      Patience.until(
          () -> {
            left.clear();
            left.addAll(executors(ClusterMain::held));
            left.removeAll(before);
            return left.isEmpty();
          });
      return e.getMessage() + " " + left;
    } finally {
      spark.sparkContext().clearJobGroup();
    }
  }

  private static Set<String> held(long pid) throws IOException {
    Set<String> held = OpenFiles.listening(pid);
    Path fds = Path.of("/proc/" + pid + "/fd");
    held.addAll(OpenFiles.named(".*(/dev/shm/fragua-|/temp_local).*", fds).keySet());
    if (shared(String.valueOf(pid)) > 0) {
      held.add("shared memory of " + pid);
    }
    return held;
  }

  private static String read(File task) {
    try {
      return Files.readString(task.toPath().resolve("comm"));
    } catch (IOException e) {
      return ""; // it has ended
    }
  }

  /** Of every bit of the tensors. */
  static String digest(ParamTree p) {
    try {
      MessageDigest d = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(d.digest(bits(p).getBytes(StandardCharsets.US_ASCII)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Every bit of the tensors. */
  static String bits(ParamTree p) {
    ByteBuffer b = ByteBuffer.allocate((int) (4 * p.elements()));
    for (var t : p.leaves()) {
      for (float f : t.toFloats()) {
        b.putFloat(f);
      }
    }
    return HexFormat.of().formatHex(b.array());
  }

  /** Kills an executor's process in the middle of a training that would take hours. */
  private static void kill(SparkSession spark) {
    List<String> pids =
        JavaSparkContext.fromSparkContext(spark.sparkContext())
            .parallelize(Arrays.asList(1, 2, 3, 4, 5, 6, 7, 8), 8)
            .mapPartitions(ClusterMain::whoRunsThis)
            .distinct()
            .collect();
    String[] victim = pids.get(0).split(" ");
    AtomicBoolean killed = new AtomicBoolean();
    long[] at = new long[1];
    Task t = task(spark, 2);
    t.epochs = 10_000_000;
    t.listener =
        new TrainListener() {
          @Override
          public void epoch(EpochMetrics m) {
            if (m.epoch() > 20 && killed.compareAndSet(false, true)) {
              System.out.println("SHARED " + shared(victim[1]));
              at[0] = System.nanoTime();
              ProcessHandle.of(Long.parseLong(victim[1])).orElseThrow().destroyForcibly();
            }
          }
        };
    try {
      t.train();
      System.out.println("KILLED but trained on");
    } catch (IllegalStateException e) {
      long ms = (System.nanoTime() - at[0]) / 1_000_000;
      System.out.println("VICTIM " + victim[0]);
      System.out.println("KILLED " + ms + " " + e.getMessage().replace('\n', ' '));
    }
  }

  /** The files in memory that a process has mapped and that have no name any more. */
  private static long shared(String pid) {
    try (Stream<String> maps = Files.lines(Path.of("/proc", pid, "maps"))) {
      return maps.filter(m -> m.matches(".* /dev/shm/fragua-.* \\(deleted\\)")).count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Iterator<String> whoRunsThis(Iterator<Integer> in) throws InterruptedException {
    Thread.sleep(100); // long enough that both executors get some of these tasks
    List<String> out = new ArrayList<>();
    out.add(SparkEnv.get().executorId() + " " + ProcessHandle.current().pid());
    return out.iterator();
  }
}
