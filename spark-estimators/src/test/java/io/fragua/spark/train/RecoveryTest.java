package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Checkpoints and callbacks in one process; killed processes are in LocalClusterTest. */
class RecoveryTest {
  /** Steps of an epoch, at least. */
  private static final int EPOCH = 6;

  @TempDir Path folder;

  /** Hears epochs, and breaks the training after one of them, as a crash of the driver would. */
  private final class Breaks implements TrainListener {
    private final int after;
    private final List<Integer> heard = new ArrayList<>();
    private final List<Integer> retries = new ArrayList<>();

    Breaks(int after) {
      this.after = after;
    }

    @Override
    public void epoch(EpochMetrics m) {
      heard.add(m.epoch());
      if (m.epoch() == after - 1) {
        awaitCheckpoint(1);
        // What comes due while another is being written waits for a step.
        Patience.until(() -> writers().allMatch(t -> t.getState() == Thread.State.WAITING));
      } else if (m.epoch() == after) {
        awaitCheckpoint(EPOCH);
        throw new CrashException();
      }
    }

    @Override
    public void retry(int retry, RuntimeException cause) {
      retries.add(retry);
    }
  }

  /** Checkpoints are written while the training goes on; waits for one of this step or later. */
  private void awaitCheckpoint(int step) {
    Patience.until(
        () -> {
          List<String> all = files(".json");
          return !all.isEmpty()
              && all.get(all.size() - 1).compareTo(CheckpointFolder.base(step)) >= 0;
        });
  }

  /** Ends the training after an epoch, or after a step. */
  static final class Stops implements TrainListener {
    private final int epoch;
    private final boolean atStep;
    private volatile boolean stop;

    Stops(int epoch, boolean atStep) {
      this.epoch = epoch;
      this.atStep = atStep;
    }

    @Override
    public void epoch(EpochMetrics m) {
      stop |= m.epoch() == epoch;
    }

    @Override
    public void step(int epoch, int epochs, long done, long total, double loss) {
      stop |= atStep;
    }

    @Override
    public boolean stopRequested() {
      return stop;
    }
  }

  private static final class CrashException extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  private Recovery recovery(int everyEpochs, int everySteps, int keep) {
    return new Recovery(
        folder.toUri().toString(), everyEpochs, everySteps, keep, 3, Map.of("layers", "[4]"));
  }

  private Task task(int workers) {
    Task t = new Task(TestSpark.rows(500, 3));
    t.workers = workers;
    t.epochs = 6;
    return t;
  }

  private List<String> files(String ending) {
    return CheckpointFolderTest.files(folder, ending);
  }

  /** A training that broke after this epoch. */
  private Task broken(Task t, int after) {
    TrainListener calm = t.listener;
    t.listener = new Breaks(after);
    assertThrows(CrashException.class, t::train);
    t.listener = calm;
    // A driver that crashes takes its threads with it; here a last checkpoint may be on its way.
    assertTrue(
        Patience.until(() -> writers().findAny().isEmpty()), "a checkpoint is being written");
    return t;
  }

  /** The threads that write checkpoints. */
  private static Stream<Thread> writers() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(t -> t.getName().startsWith("fragua-checkpoint"));
  }

  @ParameterizedTest
  @CsvSource({
    "1,1,0,0,0,false",
    "2,1,0,0,0,false",
    "2,2,0,0,0,false",
    "1,1,3,0,0,false",
    "2,1,3,0,0,false",
    "2,1,2,2,0,false", // in step
    "2,2,3,0,0,true", // with rows that are swapped
    "1,1,0,0,2,false",
    "2,2,3,0,1,false",
    "2,1,2,2,2,false" // by themselves
  })
  void aBrokenTrainingGoesOnToTheSameBits(
      int workers, int epochs, int steps, int patience, int localSteps, boolean global)
      throws IOException {
    Task t = task(workers);
    t.distribution = new Distribution(0, localSteps, false, global, 0, 0);
    t.data = t.data.withColumn("held", functions.expr("id % 4 = 0"));
    t.held = "held";
    t.patience = patience;
    TrainResult unbroken = t.train();
    t.recovery = recovery(epochs, steps, 2);
    broken(t, 3);
    assertTrue(files(".json").size() > 0, "no checkpoint");
    Breaks second = new Breaks(-1);
    t.listener = second;
    TrainResult r = t.train();
    assertEquals(ClusterMain.bits(unbroken.params()), ClusterMain.bits(r.params()));
    assertEquals(ClusterMain.bits(unbroken.state()), ClusterMain.bits(r.state()));
    assertEquals(losses(unbroken), losses(r));
    assertTrue(second.heard.get(0) > 0, "it began anew: " + second.heard);
    assertEquals(List.of(), files(""), "files are left");
  }

  private static List<String> losses(TrainResult r) {
    return r.history().stream().map(m -> m.trainLoss() + " " + m.validationLoss()).toList();
  }

  @Test
  void onlyTheNewestAreKeptAndUnfinishedOnesAreNothing() throws IOException {
    Task t = task(2);
    t.recovery = recovery(1, 2, 3);
    String all = ClusterMain.bits(t.train().params());
    broken(t, 4);
    assertTrue(files(".json").size() <= 3 && files(".json").size() > 0, "" + files(""));
    Files.write(folder.resolve("_unfinished-1"), new byte[10]); // as a killed writer leaves them
    Files.write(folder.resolve("checkpoint-000000999999999.safetensors"), new byte[10]);
    assertEquals(all, ClusterMain.bits(t.train().params()));
    assertEquals(List.of(), files(""), "files are left");
  }

  @ParameterizedTest
  @CsvSource({"0", "2"})
  void filesThatCannotBeRemovedDoNotTakeTheModelAway(int localSteps) {
    Task t = task(1);
    t.distribution = new Distribution(0, localSteps, false, false, 0, 0);
    String want = ClusterMain.bits(t.train().params());
    TestSpark.get()
        .sparkContext()
        .hadoopConfiguration()
        .setClass("fs.stubborn.impl", StubbornFileSystem.class, FileSystem.class);
    t.recovery = new Recovery("stubborn:" + folder, 1, 0, 9, 0, Map.of());
    assertEquals(want, ClusterMain.bits(t.train().params()));
    assertTrue(files(".json").size() > 0, "they were removed");
  }

  /** What is changed in the fit that follows a crash, and what the refusal says. */
  private enum Other {
    EPOCHS(t -> t.epochs = 7, "epochs=6 then, 7 now"),
    SEED(t -> t.seed = 6, "{seed=5 then, 6 now}"),
    BATCH(t -> t.batch = 32, "batchSize=64 then, 32 now, "),
    WORKERS(t -> t.workers = 1, "numWorkers=2 then, 1 now"),
    RATE(t -> t.rate = 0.25, "{update graph="),
    PARAMETER(
        t ->
            t.recovery =
                new Recovery(
                    t.recovery.folder(), 1, 0, 1, 0, Map.of("layers", "[8]", "activation", "relu")),
        "{activation=null then, relu now, layers=[4] then, [8] now}"),
    COLUMNS(
        t -> t.weighted = true,
        "{columns=[a, b, v, c, label] then, [a, b, v, c, label, weight] now, "),
    VALUES(
        t -> t.data = t.data.withColumn("a", functions.expr("if(id = 77, a + 0.5, a)")),
        "the rows' values"),
    ROWS(t -> t.data = t.data.where("id <> 77"), "the rows' values");

    private final Consumer<Task> change;
    private final String says;

    Other(Consumer<Task> change, String says) {
      this.change = change;
      this.says = says;
    }
  }

  @Test
  void aCheckpointOfAnotherTrainingIsRefusedWithWhatDiffers() throws IOException {
    Task t = task(2);
    t.recovery = recovery(1, 0, 1);
    broken(t, 2);
    String name = folder.toUri().toString().replaceFirst("^file:/+", "file:/");
    for (Other o : Other.values()) {
      Task other = task(2);
      other.recovery = recovery(1, 0, 1);
      o.change.accept(other);
      String m = assertThrows(IllegalArgumentException.class, other::train, o.name()).getMessage();
      assertTrue(
          m.matches(
              "\\Q"
                  + name
                  + "\\Echeckpoint-\\d{15}\\.json: a training goes on from its own checkpoints:"
                  + " this is of another, which differs in .*; fit with the same data and"
                  + " parameters, set another checkpointDir, or remove the checkpoints to begin"
                  + " anew"),
          m);
      assertTrue(m.contains("differs in " + o.says) || m.contains(o.says), o + ": " + m);
    }
  }

  @Test
  void theSameRowsInAnotherOrderGoOn() {
    Task t = task(2);
    t.recovery = recovery(1, 0, 1);
    String all = ClusterMain.bits(t.train().params());
    broken(t, 2);
    t.data = t.data.repartition(4);
    Breaks second = new Breaks(-1);
    t.listener = second;
    TrainResult r = t.train();
    assertTrue(second.heard.get(0) > 0, "it began anew: " + second.heard);
    assertEquals(6, r.history().size());
    assertNotEquals(all, ClusterMain.bits(r.params()), "rows in another order have other sums");
  }

  @Test
  void aDamagedCheckpointIsAnErrorThatNamesIt() throws IOException {
    Task t = task(1);
    t.recovery = recovery(1, 0, 1);
    broken(t, 2);
    Path json = folder.resolve(files(".json").get(0));
    Path tensors = folder.resolve(files(".safetensors").get(0));
    byte[] j = Files.readAllBytes(json);
    byte[] s = Files.readAllBytes(tensors);
    String text = new String(j, StandardCharsets.UTF_8);
    try (Stream<Path> all = Files.list(folder)) { // Hadoop's own checksums would notice first
      for (Path p : all.filter(p -> p.toString().endsWith(".crc")).toList()) {
        Files.delete(p);
      }
    }
    byte[] flipped = s.clone();
    flipped[s.length - 1] ^= 1;
    damaged(t, tensors, Arrays.copyOf(s, s.length - 1), s, "must have the size it was saved with");
    damaged(t, tensors, flipped, s, "must have the content it was saved with, SHA-256 ");
    damaged(t, tensors, null, s, "a checkpoint needs this file: it is missing");
    damaged(t, json, Arrays.copyOf(j, j.length / 2), j, "must be JSON: ");
    damaged(t, json, "[".repeat(100_000).getBytes(StandardCharsets.UTF_8), j, "must be JSON: ");
    String[][] replaced = {
      {"\"step\" : 0", "\"step\" : -1", "\"step\" must be an integer"},
      {"\"worse\" : 0", "\"worse\" : 1e99", "\"worse\" must be an"},
      {"\"epoch\" : \\d", "\"epoch\" : 99", "its history must be that"},
      {"formatVersion\" : 1", "formatVersion\" : 2", "this version"},
      {"\"ended\" : false", "\"ended\" : 0", "\"ended\" must be"},
      {"\"history\" :", "\"histori\" :", "\"history\" must be a list"}
    };
    for (String[] r : replaced) {
      String other = text.replaceFirst(r[0], r[1]);
      damaged(t, json, other.getBytes(StandardCharsets.UTF_8), j, r[2]);
    }
    t.train();
  }

  @ParameterizedTest
  @CsvSource({".json", ".safetensors"})
  void beforeADamagedCheckpointAnotherIsGoneOnFrom(String ending) throws IOException {
    Task t = task(1);
    String want = ClusterMain.bits(t.train().params());
    t.recovery = recovery(1, 1, 9);
    broken(t, 2);
    assertTrue(files(".json").size() > 1, "one alone");
    List<String> all = files(ending);
    CheckpointFolderTest.truncate(folder.resolve(all.get(all.size() - 1)));
    CheckpointFolder checkpoints =
        new CheckpointFolder(folder.toUri().toString(), new Configuration());
    long from = checkpoints.newest().position().globalStep();
    assertEquals(all.get(all.size() - 2), CheckpointFolder.base(from) + ending);
    assertEquals(want, ClusterMain.bits(t.train().params()));
  }

  private static void damaged(Task t, Path file, byte[] with, byte[] good, String says)
      throws IOException {
    if (with == null) {
      Files.delete(file);
    } else {
      assertTrue(!Arrays.equals(with, good), "nothing was damaged for " + says);
      Files.write(file, with);
    }
    String m = assertThrows(IllegalArgumentException.class, t::train, says).getMessage();
    assertTrue(m.startsWith("file:" + file + ": " + says), m);
    assertTrue(m.contains("; "), m);
    Files.write(file, good);
  }

  @Test
  void whatTheUserDidWrongIsNotRepeated() {
    Task t = task(2);
    t.recovery = recovery(1, 0, 1);
    t.rate = 1e38;
    t.epochs = 100;
    Breaks heard = new Breaks(-1);
    t.listener = heard;
    String m = assertThrows(IllegalArgumentException.class, t::train).getMessage();
    assertTrue(m.startsWith("train: the loss must stay a finite number"), m);
    assertEquals(List.of(), heard.retries);
  }

  @Test
  void aFolderThatCannotBeWrittenIsRefusedBeforeTheTraining() throws IOException {
    Files.write(folder.resolve("file"), new byte[1]);
    Task t = task(1);
    t.recovery = new Recovery(folder.resolve("file").toUri().toString(), 1, 0, 1, 3, Map.of());
    t.listener =
        new TrainListener() {
          @Override
          public void phase(String name) {
            throw new AssertionError(name);
          }
        };
    String m = assertThrows(UncheckedIOException.class, t::train).getMessage();
    assertTrue(m.startsWith("train: checkpointDir must be on a file system that can be read"), m);
  }

  @Test
  void aFolderThatWorkersDoNotSeeIsRefused() {
    Task t = task(2);
    t.recovery = recovery(1, 0, 1);
    t.listener =
        new TrainListener() {
          @Override
          public void phase(String name) {
            if (name.equals("reading")) { // as if the workers had a folder of their own
              assertTrue(folder.resolve("in-use").toFile().delete());
            }
          }
        };
    String m = assertThrows(IllegalArgumentException.class, t::train).getMessage();
    assertTrue(
        m.contains("in-use: checkpointDir must be on a file system that driver and executors see"),
        m);
  }

  @ParameterizedTest
  @CsvSource({"1, 0", "2, 0", "2, 3"})
  void theListenerEndsTheTrainingAfterAnEpoch(int workers, int localSteps) {
    Task t = task(workers);
    t.distribution = new Distribution(0, localSteps, false, false, 0, 0);
    t.epochs = 2;
    String two = ClusterMain.bits(t.train().params());
    t.epochs = 1000;
    t.listener = new Stops(1, false);
    TrainResult r = t.train();
    assertEquals(2, r.history().size());
    assertEquals(two, ClusterMain.bits(r.params()));
  }

  /** Longer than Spark waits for an answer, but not too long for the other workers. */
  @Test
  void theListenerMayTakeItsTimeAfterAnEpoch() {
    SparkConf conf = TestSpark.get().sparkContext().conf();
    Task t = task(2);
    t.epochs = 2;
    t.listener =
        new TrainListener() {
          @Override
          public void epoch(EpochMetrics m) {
            Patience.pause(3000);
          }
        };
    conf.set("spark.rpc.askTimeout", "1s");
    try {
      assertEquals(2, t.train().history().size());
      conf.set(Timeouts.STUCK, "2s");
      t.workers = 1; // the patience of another could end first
      String m = assertThrows(IllegalStateException.class, t::train).getMessage();
      assertTrue(
          m.contains(
              "train: the listener must answer while the workers wait, within 1800 ms (nine tenths"
                  + " of spark.fragua.collective.stuckTimeout): it did not after epoch 0; let"
                  + " another thread do its work, or raise the setting"),
          m);
    } finally {
      conf.remove("spark.rpc.askTimeout");
      conf.remove(Timeouts.STUCK);
    }
  }

  @ParameterizedTest
  @CsvSource({"300000, 0", "1000, 10"})
  void theListenerEndsTheTrainingWithinAnEpoch(int rows, int localSteps) {
    Task t = new Task(TestSpark.rows(rows, 2));
    t.distribution = new Distribution(0, localSteps, false, false, 0, 0);
    t.workers = 2;
    t.batch = 2;
    t.epochs = 2;
    t.listener = new Stops(Integer.MAX_VALUE, true);
    TrainResult r = t.train();
    assertEquals(1, r.history().size());
    long seen = r.history().get(0).rows();
    assertTrue(seen > 0 && seen < rows, seen + " rows");
    assertTrue(Double.isFinite(r.history().get(0).trainLoss()));
  }
}
