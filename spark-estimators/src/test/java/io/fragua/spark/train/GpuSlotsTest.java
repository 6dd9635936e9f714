package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Workers that ask for a GPU get one each by stage-level scheduling, and errors name GPUs. Spark
 * believes the script that says there is one; nothing computes on it.
 */
class GpuSlotsTest {
  @Test
  void aWorkerGetsAGpuOrTheErrorNamesGpus(@TempDir Path temp) throws Exception {
    Path script = temp.resolve("gpus");
    Files.writeString(script, "#!/bin/sh\necho '{\"name\":\"gpu\",\"addresses\":[\"0\"]}'\n");
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
    List<String> all = ChildJvm.cluster(temp, GpuMain.class, 0, script.toString());
    Map<String, String> said =
        all.stream()
            .filter(l -> l.matches("(NONE|ONE|TWO|PLAIN) .*"))
            .collect(Collectors.toMap(l -> l.split(" ")[0], l -> l.split(" ", 2)[1]));
    assertEquals(4, said.size(), String.join("\n", all));
    assertEquals("1 slots", said.get("ONE"));
    assertEquals("2", said.get("PLAIN"), "slots of what asks for no GPU");
    assertEquals(
        "train: all workers run at once, each in a slot of its own (spark.task.cpus cores and 1"
            + " GPU): 2 workers, 1 slots with master local-cluster[1,2,1024]; set numWorkers to at"
            + " most 1 or add executors with GPUs (spark.executor.resource.gpu.amount)",
        said.get("TWO"));
    String none = said.get("NONE");
    assertTrue(
        none.startsWith(
            "train: cores and GPUs of a worker need a cluster that schedules stages by their own"
                + " resources: 0 cores and 1 GPUs with master local-cluster[1,2,1024] ("),
        none);
    assertTrue(
        none.endsWith(
            "); start executors with GPUs (spark.executor.resource.gpu.amount and"
                + " spark.executor.resource.gpu.discoveryScript), or set device to cpu"),
        none);
  }
}
