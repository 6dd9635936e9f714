package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A cluster whose disks and shared memory are full, as every process of it sees it, whose executors
 * die while they score or are told to go, and lose the files of their shuffles. All in one child
 * process ({@link LossMain}).
 */
class LossTest {
  @Test
  void noRowIsLostWithDisksExecutorsAndFiles(@TempDir Path temp) throws Exception {
    String files = temp.resolve("files").toString();
    List<String> all = ChildJvm.cluster(temp, LossMain.class, 0, files);
    Map<String, String> said =
        all.stream()
            .filter(l -> l.matches("[A-Z-]+ .*"))
            .collect(Collectors.toMap(l -> l.split(" ")[0], l -> l.split(" ", 2)[1], (a, b) -> b));
    String log = String.join("\n", all);
    String two = ClusterMain.bits(ClusterMain.task(TestSpark.get(), 2).train().params());
    assertEquals(two, said.get("BEFORE"), log);
    assertTrue(SharedLink.MEMORY > 204_800);
    assertEquals(two, said.get("SOCKETS"), "without room in shared memory: " + log);
    assertTrue(
        said.get("FULL")
            .matches(
                "train: .*rows beyond the memory budget lie in Spark's local directories: .*"
                    + " cannot be written: .*File too large.*make room there"
                    + " [(]spark.local.dir[)], use more workers, or raise .*"),
        said.get("FULL"));
    assertEquals("[]", said.get("SPILLED"), "left by the training that found no room");
    assertEquals(two, said.get("AFTER"), "the cluster trains on: " + log);
    assertEquals(said.get("WANTED"), said.get("SCORED"), log);
    assertTrue(Integer.parseInt(said.get("LOST")) > 0, "tasks died with their executor");
    assertEquals(said.get("EXPECTED"), said.get("STREAMED"), log);
    assertTrue(Integer.parseInt(said.get("STREAM-LOST")) > 0, "tasks died with their executor");
    shuffles(said, log);
    assertEquals(said.get("STEPS"), said.get("GOING"), "while an executor was told to go: " + log);
    assertEquals("true", said.get("GONE"), log);
    assertEquals(said.get("STEPS"), said.get("REPLACED"), log);
  }

  private static void shuffles(Map<String, String> said, String log) {
    assertEquals(said.get("SHUFFLED"), said.get("FETCHED"), log);
    assertEquals(said.get("STEPS"), said.get("STEPS-AGAIN"), log);
    assertEquals(said.get("ROUNDS"), said.get("ROUNDS-AGAIN"), log);
    for (String what : List.of("SCORED", "STEPS", "ROUNDS")) {
      assertTrue(Integer.parseInt(said.get(what + "-WITHOUT")) > 0, what + " lost no file: " + log);
    }
    assertTrue(said.get("CAUSES").matches(".*failed: FetchFailed.*"), said.get("CAUSES"));
  }
}
