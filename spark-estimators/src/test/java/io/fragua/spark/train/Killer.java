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
import java.util.stream.Stream;
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
  private volatile int stage = -1;
  private volatile Moment next;

  Killer(SparkSession spark, Path checkpoints, int epochs, List<Moment> moments) {
    this.checkpoints = checkpoints;
    this.epochs = epochs;
    this.moments = moments.iterator();
    next = this.moments.next();
    spark.sparkContext().addSparkListener(this);
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

  @Override
  public void epoch(EpochMetrics m) {
    if (m.epoch() == epochs - 1) {
      at(Moment.END);
    } else if (next == Moment.MID_EPOCH) {
      later(() -> Thread.sleep(5), Moment.MID_EPOCH);
    }
  }

  @Override
  public synchronized void retry(int retry, RuntimeException cause) {
    died.add(retry + ":" + next);
    next = moments.hasNext() ? moments.next() : null;
  }

  private interface Wait {
    void run() throws InterruptedException, IOException;
  }

  private void later(Wait wait, Moment m) {
    Thread t =
        new Thread(
            () -> {
              try {
                wait.run();
              } catch (InterruptedException | IOException e) {
                throw new IllegalStateException(e);
              }
              at(m);
            });
    t.setDaemon(true);
    t.start();
  }

  private void awaitHalfACheckpoint() throws InterruptedException, IOException {
    for (int i = 0; i < 10_000; i++) {
      try (Stream<Path> s = Files.list(checkpoints)) {
        if (s.anyMatch(p -> p.getFileName().toString().startsWith("_unfinished"))) {
          return;
        }
      }
      Thread.sleep(2);
    }
  }

  private void at(Moment m) {
    if (next == m) {
      kill(executors.get(m.rank));
    }
  }

  /** The executors are children of this process, each with its id among its arguments. */
  private static void kill(String executor) {
    List<ProcessHandle> found =
        ProcessHandle.current()
            .descendants()
            .filter(p -> arguments(p.pid()).contains("--executor-id " + executor + " "))
            .toList();
    if (found.size() != 1) {
      throw new IllegalStateException("executor " + executor + " is " + found);
    }
    found.get(0).destroyForcibly();
  }

  private static String arguments(long pid) {
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
