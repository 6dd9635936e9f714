package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The same training in other processes: {@code local[1]}, and a cluster of two executors, each a
 * process, of which one is then killed. All in one child process ({@link ClusterMain}), because a
 * cluster needs {@code SPARK_HOME} in its environment.
 */
class LocalClusterTest {
  private static final int LIMIT_MS = 60_000;

  @Test
  void otherProcessesGiveTheSameBitsAndADeadOneIsNamed(@TempDir Path temp) throws Exception {
    Map<String, String> said = run(temp);
    var spark = TestSpark.get();
    assertEquals(
        ClusterMain.bits(ClusterMain.task(spark, 1).train().params()), said.get("ONE"), "local[1]");
    String two = ClusterMain.bits(ClusterMain.task(spark, 2).train().params());
    assertEquals(two, said.get("MEMORY"), "local-cluster, through shared memory");
    assertEquals(two, said.get("SEALED"), "local-cluster, encrypted");
    String large = ClusterMain.digest(ClusterMain.large(spark).train().params());
    assertEquals(large, said.get("BUCKETS"), "buckets through shared memory, while computing");
    assertEquals("2", said.get("OVERLAP"), "threads of executors that add up buckets");
    assertEquals(large, said.get("LARGE"), "encrypted buckets, while computing");
    assertEquals("[]", said.get("PORTS-ROUNDS"), "executors listen while rounds are trained");
    assertNotEquals("[]", said.get("PORTS-BARRIER"), "ports are seen");
    assertTrue(
        said.get("CANCELLED")
            .matches(
                "train: the job must run to its end: \\[SPARK_JOB_CANCELLED] Job \\d+ cancelled"
                    + " part of cancelled job group a notebook's.*; see its cause \\[]"),
        said.get("CANCELLED"));
    assertEquals("1", said.get("SHARED"), "files in memory of a worker");
    String[] killed = said.get("KILLED").split(" ", 2);
    assertTrue(Integer.parseInt(killed[0]) < LIMIT_MS, killed[0] + " ms");
    assertTrue(
        killed[1].matches(
            "train: every worker must live until the training ends: rank [01] \\(host [^ ]+,"
                + " executor "
                + said.get("VICTIM")
                + "\\) failed: .+; remove the cause and fit again"),
        killed[1]);
    assertEquals("[]", said.get("SPILLED"), "left by killed executors, while the cluster lives");
    assertEquals(List.of(), OpenFiles.spilled(temp.resolve("files")), "left by a killed driver");
    survivors(temp, said.get("SURVIVED").split(" "));
  }

  /** Neither killed executors nor a crashed driver change a bit. */
  private static void survivors(Path temp, String[] survived) throws IOException {
    var spark = TestSpark.get();
    spark
        .sparkContext()
        .hadoopConfiguration()
        .setClass("fs.slow.impl", SlowFileSystem.class, org.apache.hadoop.fs.FileSystem.class);
    Task t = ClusterMain.survivor(spark, temp.resolve("files/crash"));
    List<Integer> heard = new ArrayList<>();
    t.listener =
        new TrainListener() {
          @Override
          public void epoch(EpochMetrics m) {
            heard.add(m.epoch());
          }
        };
    String resumed = ClusterMain.bits(t.train().params());
    assertTrue(heard.get(0) > 0 && heard.get(0) <= 5, "it went on with epoch " + heard);
    t.recovery = Recovery.NONE;
    String unbroken = ClusterMain.bits(t.train().params());
    assertEquals(unbroken, resumed, "after a crash of the driver");
    assertEquals(unbroken, survived[0], "after the deaths of executors");
    assertEquals("1:STORE_FILLING,2:FIRST_STEP,3:MID_EPOCH,4:CHECKPOINT,5:END", survived[1]);
    try (Stream<Path> left = Files.list(temp.resolve("files/survive"))) {
      assertEquals(List.of(), left.toList());
    }
  }

  /** Runs the child; the lines it printed, by their first word. */
  private static Map<String, String> run(Path temp) throws IOException, InterruptedException {
    String files = temp.resolve("files").toString();
    List<String> all = ChildJvm.cluster(temp, ClusterMain.class, ClusterMain.CRASHED, files);
    Map<String, String> said =
        all.stream()
            .filter(
                l ->
                    l.matches(
                        "(ONE|MEMORY|BUCKETS|OVERLAP|PORTS-[A-Z]+|CANCELLED|SEALED|LARGE|SHARED"
                            + "|VICTIM|KILLED|SURVIVED|SPILLED) .*"))
            .collect(Collectors.toMap(l -> l.split(" ")[0], l -> l.split(" ", 2)[1]));
    assertEquals(14, said.size(), String.join("\n", all));
    return said;
  }
}
