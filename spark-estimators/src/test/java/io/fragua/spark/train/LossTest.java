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
 * A cluster whose disks and shared memory are full, as every process of it sees it, and whose
 * executors die while they score. All in one child process ({@link LossMain}).
 */
class LossTest {
  @Test
  void neitherFullDisksNorDeadExecutorsLoseRows(@TempDir Path temp) throws Exception {
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
  }
}
