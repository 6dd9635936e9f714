package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.Allocator;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hadoop.fs.FileSystem;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import org.apache.spark.sql.util.ArrowUtils;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/**
 * A training that its user cancels ends soon, is not taken up again, and leaves nothing: no task,
 * no thread, no memory, no file, no socket. In executors that is in LocalClusterTest.
 */
class CancelTest {
  /** What "soon" is on a busy machine; the trainings would take hours. */
  private static final int LIMIT_S = 30;

  /** When the user cancels. */
  private enum Moment {
    READING,
    MID_EPOCH,
    CHECKPOINT
  }

  /** How, and what the training then says. */
  private enum Way {
    GROUP("train: the job must run to its end: \\[SPARK_JOB_CANCELLED] Job .*; see its cause") {
      @Override
      void cancel(SparkContext spark, String group, Thread caller) {
        spark.cancelJobGroupAndFutureJobs(group); // rounds are jobs, and it may be between two
      }
    },
    /** As {@link #GROUP}, of a group whose tasks' threads are interrupted. */
    INTERRUPTED_TASKS(GROUP.says) {
      @Override
      void cancel(SparkContext spark, String group, Thread caller) {
        GROUP.cancel(spark, group, caller);
      }
    },
    CALLER("train: interrupted; fit again") {
      @Override
      void cancel(SparkContext spark, String group, Thread caller) {
        caller.interrupt();
      }
    };

    private final String says;

    Way(String says) {
      this.says = says;
    }

    abstract void cancel(SparkContext spark, String group, Thread caller);
  }

  private final SparkContext spark = TestSpark.get().sparkContext();
  private final Set<Long> running = ConcurrentHashMap.newKeySet(); // a late one of before is none
  private final AtomicInteger epochs = new AtomicInteger();
  private final List<Integer> retries = new ArrayList<>();
  private final SparkListener tasks =
      new SparkListener() {
        @Override
        public void onTaskStart(SparkListenerTaskStart e) {
          running.add(e.taskInfo().taskId());
        }

        @Override
        public void onTaskEnd(SparkListenerTaskEnd e) {
          running.remove(e.taskInfo().taskId());
        }
      };
  private final TrainListener listener =
      new TrainListener() {
        @Override
        public void epoch(EpochMetrics m) {
          epochs.incrementAndGet();
        }

        @Override
        public void retry(int retry, RuntimeException cause) {
          retries.add(retry);
        }
      };

  private static Held first;

  @TempDir Path folder;

  @BeforeAll
  static void start() {
    Leftovers.assertNone();
    first = Held.now();
  }

  /** Some seconds after rounds, for whose next task programs are kept. */
  @AfterAll
  static void nothingIsLeft() {
    Leftovers.assertNone();
    first.assertNoMore();
  }

  @BeforeEach
  void listen() throws Exception {
    spark.listenerBus().waitUntilEmpty(60_000); // else it hears of tasks that began before
    spark.addSparkListener(tasks);
    spark.conf().set(StoreBudget.KEY, "20k"); // so that rows lie on disk
    spark.hadoopConfiguration().setClass("fs.slow.impl", SlowFileSystem.class, FileSystem.class);
  }

  @AfterEach
  void leave() {
    spark.conf().remove(StoreBudget.KEY);
    spark.removeSparkListener(tasks);
  }

  @ParameterizedTest
  @CsvSource({
    "READING, GROUP, 0",
    "READING, CALLER, 0",
    "MID_EPOCH, GROUP, 0",
    "MID_EPOCH, INTERRUPTED_TASKS, 0",
    "MID_EPOCH, CALLER, 0",
    "CHECKPOINT, INTERRUPTED_TASKS, 0",
    "CHECKPOINT, CALLER, 0",
    "MID_EPOCH, GROUP, 2",
    "MID_EPOCH, CALLER, 2",
    "CHECKPOINT, GROUP, 2"
  })
  void aCancelledTrainingLeavesNothing(Moment moment, Way way, int localSteps) throws Exception {
    Task t = new Task(TestSpark.rows(moment == Moment.READING ? 1L << 40 : 1500, 2));
    t.workers = 2;
    t.batch = 500;
    t.epochs = 1_000_000;
    t.distribution = new Distribution(0, localSteps, false, false, 0, 0);
    t.recovery = new Recovery("", 1, 0, 1, 3, Map.of());
    if (moment == Moment.CHECKPOINT) {
      t.recovery = new Recovery("slow:" + folder, 1, 0, 1, 3, Map.of());
    }
    t.listener = listener;
    Held before = Held.now();
    String group = "cancelled " + System.nanoTime(); // Spark remembers those it has cancelled
    FutureTask<TrainResult> fit =
        new FutureTask<>(
            () -> {
              spark.setJobGroup(group, "", way == Way.INTERRUPTED_TASKS);
              return t.train();
            });
    Thread caller = new Thread(fit, "caller");
    caller.start();
    assertTrue(Patience.until(() -> fit.isDone() || isNow(moment)), moment + " does not come");
    way.cancel(spark, group, caller);
    Throwable error =
        assertThrows(ExecutionException.class, () -> fit.get(LIMIT_S, TimeUnit.SECONDS)).getCause();
    assertEquals(IllegalStateException.class, error.getClass(), error::toString);
    assertTrue(error.getMessage().matches(way.says), error::getMessage);
    assertEquals(List.of(), retries);
    assertTrue(Patience.until(running::isEmpty), () -> running + " tasks run");
    if (localSteps == 0) {
      Leftovers.assertNone();
    }
    before.assertNoMore();

    t.data = TestSpark.rows(1500, 2);
    t.listener = new RecoveryTest.Stops(epochs.get(), false);
    assertFalse(t.train().history().isEmpty(), "the next training");
    assertEquals(0, folder.toFile().list().length, "checkpoints of the next training");
  }

  private boolean isNow(Moment moment) {
    return switch (moment) {
      case READING -> !running.isEmpty();
      case MID_EPOCH -> epochs.get() > 2;
      case CHECKPOINT -> unfinished() && epochs.get() > 2;
    };
  }

  private boolean unfinished() {
    for (String file : folder.toFile().list()) {
      if (file.startsWith("_unfinished")) {
        return true;
      }
    }
    return false;
  }

  /** What this process holds that a training takes. */
  private record Held(long arrow, long other, int listeners, Set<String> opened) {
    static Held now() {
      ClassTag<WorkerWatch> watch = ClassTag$.MODULE$.apply(WorkerWatch.class);
      return new Held(
          ArrowUtils.rootAllocator().getAllocatedMemory(),
          Allocator.held(),
          TestSpark.get().sparkContext().listenerBus().findListenersByClass(watch).size(),
          found());
    }

    private static Set<String> found() {
      try {
        Set<String> all = OpenFiles.listening(ProcessHandle.current().pid());
        all.addAll(OpenFiles.named(".*/(temp_local|temp_shuffle|dev/shm/fragua).*").keySet());
        for (File dir : TestSpark.env().blockManager().diskBlockManager().localDirs()) {
          OpenFiles.below(dir.toPath(), "(temp_|shuffle_).*").forEach(f -> all.add(f.toString()));
        }
        return all;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    void assertNoMore() {
      assertTrue(Patience.until(() -> more().isEmpty()), () -> more().toString());
    }

    private List<String> more() {
      Held now = now();
      List<String> more = new ArrayList<>();
      if (Programs.live() == 0 && (now.arrow > arrow || now.other > other)) {
        more.add((now.arrow - arrow) + " and " + (now.other - other) + " bytes of memory");
      }
      if (now.listeners > listeners) {
        more.add((now.listeners - listeners) + " listeners");
      }
      now.opened.removeAll(opened);
      more.addAll(now.opened);
      return more;
    }
  }
}
