package io.fragua.spark.train;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeoutException;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import org.apache.spark.sql.SparkSession;

/**
 * Kills an executor's process (SIGKILL) once in every attempt of a training, each time at a later
 * moment of it.
 */
final class Killer extends SparkListener implements TrainListener {
  /** Each names the moment and the rank that dies. */
  enum Moment {
    STORE_FILLING(1),
    FIRST_STEP(0),
    MID_EPOCH(1),
    CHECKPOINT(0),
    END(0);

    private final int rank;

    Moment(int rank) {
      this.rank = rank;
    }
  }

  private final Path checkpoints;
  private final int epochs;
  private final Iterator<Moment> moments;
  private final Map<Integer, String> executors = new ConcurrentHashMap<>(); // by rank
  private final List<String> died = new ArrayList<>();
  private final SparkContext spark;
  private volatile int stage = -1;
  private volatile Moment next;
  private Thread waiting; // for its moment, in this attempt; null without one
  private List<String> unfinished = List.of(); // what killed workers have left

  Killer(SparkSession spark, Path checkpoints, int epochs, List<Moment> moments) {
    this.spark = spark.sparkContext();
    this.checkpoints = checkpoints;
    this.epochs = epochs;
    this.moments = moments.iterator();
    next = this.moments.next();
    this.spark.addSparkListener(this);
  }

  /** The moments at which somebody died, each with the retry that followed. */
  synchronized List<String> died() {
    return List.copyOf(died);
  }

  @Override
  public void onStageSubmitted(SparkListenerStageSubmitted e) {
    e.stageInfo()
        .rddInfos()
        .foreach(
            r -> {
              stage = r.name().startsWith("fragua-train") ? e.stageInfo().stageId() : stage;
              return null;
            });
  }

  @Override
  public void onTaskStart(SparkListenerTaskStart e) {
    if (e.stageId() == stage) {
      executors.put(e.taskInfo().index(), e.taskInfo().executorId());
    }
  }

  @Override
  public void phase(String name) {
    if (name.equals("loading")) {
      at(Moment.STORE_FILLING);
    } else if (name.equals("training")) {
      at(Moment.FIRST_STEP);
      if (next == Moment.CHECKPOINT) {
        later(this::awaitHalfACheckpoint, Moment.CHECKPOINT);
      }
    }
  }

  /** Rank 0 waits until this returns, so the training does not end before its moment. */
  @Override
  public void epoch(EpochMetrics m) {
    if (m.epoch() == epochs - 1) {
      awaitMoment();
      at(Moment.END);
    } else if (next == Moment.MID_EPOCH) {
      later(Killer::pause, Moment.MID_EPOCH);
    }
  }

  @Override
  public void retry(int retry, RuntimeException cause) {
    try {
      spark.listenerBus().waitUntilEmpty(60_000); // what it says of this attempt is no use later
    } catch (TimeoutException e) {
      throw new IllegalStateException(e);
    }
    executors.clear();
    unfinished = unfinished();
    synchronized (this) {
      waiting = null;
      died.add(retry + ":" + next);
    }
    next = moments.hasNext() ? moments.next() : null;
  }

  /** Once in an attempt. */
  private synchronized void later(Runnable wait, Moment m) {
    if (waiting == null) {
      waiting =
          new Thread(
              () -> {
                wait.run();
                at(m);
              });
      waiting.setDaemon(true);
      waiting.start();
    }
  }

  private void awaitMoment() {
    Thread t;
    synchronized (this) {
      t = waiting;
    }
    Patience.until(() -> t == null || !t.isAlive());
  }

  private static void pause() {
    try {
      Thread.sleep(5);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private void awaitHalfACheckpoint() {
    Patience.until(() -> !unfinished.containsAll(unfinished()));
  }

  /** Files that are being written, or were when their writer was killed. */
  private List<String> unfinished() {
    String[] all = checkpoints.toFile().list();
    return all == null // nobody has made the folder yet
        ? List.of()
        : Arrays.stream(all).filter(f -> f.startsWith("_unfinished")).toList();
  }

  private void at(Moment m) {
    if (next == m) {
      // Spark's listeners hear of a task a little after it runs.
      Patience.until(() -> executors.containsKey(m.rank));
      kill(executors.get(m.rank));
    }
  }

  /** Kills (SIGKILL) an executor. */
  static void kill(String executor) {
    process(executor).destroyForcibly();
  }

  /** Sends an executor a signal. */
  static void signal(String name, String executor) {
    command("kill", "-" + name, String.valueOf(process(executor).pid()));
  }

  /** Runs a command of the system, which is to succeed. */
  static void command(String... words) {
    try {
      int status = new ProcessBuilder(words).inheritIO().start().waitFor();
      if (status != 0) {
        throw new IllegalStateException(words[0] + " ended with status " + status);
      }
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The executors are children of this process, each with its id among its arguments. */
  private static ProcessHandle process(String executor) {
    List<ProcessHandle> found =
        ProcessHandle.current()
            .descendants()
            .filter(p -> arguments(p.pid()).contains("--executor-id " + executor + " "))
            .toList();
    if (found.size() != 1) {
      throw new IllegalStateException("executor " + executor + " is " + found);
    }
    return found.get(0);
  }

  /** The arguments of a process, each followed by a blank; none if it has ended. */
  static String arguments(long pid) {
    try {
      byte[] b = Files.readAllBytes(Path.of("/proc/" + pid + "/cmdline"));
      return String.join(" ", Arrays.asList(new String(b, StandardCharsets.UTF_8).split("\0")))
          + " ";
    } catch (IOException e) {
      if (Files.exists(Path.of("/proc/self"))) {
        return ""; // it ended since it was listed
      }
      throw new UncheckedIOException(e);
    }
  }
}
