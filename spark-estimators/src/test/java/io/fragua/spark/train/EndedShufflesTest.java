package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.MapOutputTrackerMaster;
import org.apache.spark.SparkContext;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files of a training's shuffles go when it ends, not when the driver collects its garbage. */
class EndedShufflesTest {
  /** How the training ends, in its third epoch. */
  private enum End {
    WELL,
    FAILS,
    CANCELLED,
    INTERRUPTED
  }

  @ParameterizedTest
  @CsvSource({
    "WELL,0",
    "FAILS,0",
    "CANCELLED,0",
    "INTERRUPTED,0",
    "WELL,2",
    "FAILS,2",
    "CANCELLED,2",
    "INTERRUPTED,2"
  })
  void goWhenTheTrainingEnds(End end, int localSteps) {
    SparkContext spark = TestSpark.get().sparkContext();
    Task t = new Task(TestSpark.rows(1500, 2));
    t.workers = 2;
    t.batch = 500;
    t.epochs = end == End.WELL ? 4 : 1_000_000;
    t.distribution = new Distribution(0, localSteps, false, false, 0, 0);
    String group = "shuffles " + System.nanoTime(); // Spark remembers those it has cancelled
    Thread caller = Thread.currentThread();
    Set<String> before = new TreeSet<>();
    Set<Integer> during = new TreeSet<>();
    t.listener =
        new TrainListener() {
          @Override
          public void epoch(EpochMetrics m) {
            if (m.epoch() != 2) {
              return;
            }
            during.addAll(known(files(before)));
            if (end == End.FAILS) {
              throw new IllegalStateException("the listener's");
            } else if (end == End.CANCELLED) {
              spark.cancelJobGroupAndFutureJobs(group);
            } else if (end == End.INTERRUPTED) {
              caller.interrupt(); // which a round notices when its tasks have begun
            }
          }
        };
    TrainRequest request = t.request(); // which counts rows, with a shuffle that is not ours
    before.addAll(files(Set.of()));
    spark.setJobGroup(group, "", false);
    try {
      if (end == End.WELL) {
        assertEquals(4, Task.train(request).history().size());
      } else {
        assertThrows(IllegalStateException.class, () -> Task.train(request));
      }
      assertEquals(end == End.INTERRUPTED, Thread.interrupted());
    } finally {
      spark.clearJobGroup();
    }
    assertEquals(1, during.size(), "the rows' alone, not those of the rounds before: " + during);
    assertEquals(Set.of(), known(files(before)));
    if (end != End.INTERRUPTED) { // else its tasks may be writing still
      assertTrue(Patience.until(() -> files(before).isEmpty()), () -> files(before).toString());
    }
    t.epochs = 1;
    t.listener = TrainListener.NONE;
    assertEquals(1, t.train().history().size(), "Spark goes on");
  }

  /** Shuffles of such files that can still be read from. */
  private static Set<Integer> known(Set<String> files) {
    MapOutputTrackerMaster tracker = (MapOutputTrackerMaster) TestSpark.env().mapOutputTracker();
    Set<Integer> known = new TreeSet<>();
    for (String f : files) {
      int id = Integer.parseInt(f.split("_")[1]);
      if (tracker.containsShuffle(id)) {
        known.add(id);
      }
    }
    return known;
  }

  /** Shuffles' files that are there now, without some. */
  private static Set<String> files(Set<String> without) {
    Set<String> all = new TreeSet<>();
    try {
      for (File dir : TestSpark.env().blockManager().diskBlockManager().localDirs()) {
        for (Path p : OpenFiles.below(dir.toPath(), "shuffle_.*")) {
          all.add(p.getFileName().toString());
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    all.removeAll(without);
    return all;
  }
}
