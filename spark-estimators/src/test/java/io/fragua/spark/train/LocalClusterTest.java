package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
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
  private static final int LIMIT_MS = 30_000;

  @Test
  void otherProcessesGiveTheSameBitsAndADeadOneIsNamed(@TempDir Path temp) throws Exception {
    Map<String, String> said = run(temp);
    var spark = TestSpark.get();
    assertEquals(
        ClusterMain.bits(ClusterMain.task(spark, 1).train().params()), said.get("ONE"), "local[1]");
    assertEquals(
        ClusterMain.bits(ClusterMain.task(spark, 2).train().params()),
        said.get("CLUSTER"),
        "local-cluster");
    String[] killed = said.get("KILLED").split(" ", 2);
    assertTrue(Integer.parseInt(killed[0]) < LIMIT_MS, killed[0] + " ms");
    assertTrue(
        killed[1].matches(
            "train: every worker must live until the training ends: rank [01] \\(host [^ ]+,"
                + " executor "
                + said.get("VICTIM")
                + "\\) failed: .+; remove the cause and fit again"),
        killed[1]);
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
    Path jars = Files.createDirectories(temp.resolve("home/jars"));
    Files.createFile(temp.resolve("home/RELEASE"));
    List<String> folders = new ArrayList<>();
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    for (String entry : classPath.split(File.pathSeparator)) {
      Path p = Path.of(entry);
      if (!entry.endsWith(".jar")) {
        folders.add(entry);
      } else if (Files.exists(p)) {
        Path link = jars.resolve(p.getFileName());
        if (!Files.exists(link)) {
          Files.createSymbolicLink(link, p.toAbsolutePath());
        }
      }
    }
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(a -> a.startsWith("--") || a.startsWith("-XX:+Ignore"))
        .forEach(command::add);
    command.add("-Xmx1g");
    command.add("-cp");
    command.add(classPath);
    command.add(ClusterMain.class.getName());
    command.add(String.join(File.pathSeparator, folders));
    command.add(temp.resolve("files").toString());
    Path log = temp.resolve("log");
    ProcessBuilder b = new ProcessBuilder(command);
    b.environment().put("SPARK_HOME", temp.resolve("home").toString());
    b.environment().put("SPARK_SCALA_VERSION", "2.13"); // else it looks for a source tree
    b.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    b.directory(temp.toFile());
    b.redirectErrorStream(true).redirectOutput(log.toFile());
    Process child = b.start();
    try {
      boolean ended = child.waitFor(300, TimeUnit.SECONDS);
      String all = Files.readString(log);
      assertTrue(ended, "the child hangs: " + all);
      assertEquals(ClusterMain.CRASHED, child.exitValue(), all);
      Map<String, String> said =
          all.lines()
              .filter(l -> l.matches("(ONE|CLUSTER|VICTIM|KILLED|SURVIVED) .*"))
              .collect(Collectors.toMap(l -> l.split(" ")[0], l -> l.split(" ", 2)[1]));
      assertEquals(5, said.size(), all);
      return new HashMap<>(said);
    } finally {
      child.descendants().forEach(ProcessHandle::destroyForcibly);
      child.destroyForcibly();
      try (Stream<Path> links = Files.list(jars)) { // JUnit would warn about each
        for (Path link : links.toList()) {
          Files.delete(link);
        }
      }
    }
  }
}
