package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs a main class of the tests in a process of its own, as a Spark of other size needs. */
public final class ChildJvm {
  private ChildJvm() {}

  /**
   * Runs it in an empty folder; what it printed.
   *
   * @param temp an empty folder
   */
  public static List<String> run(Path temp, Class<?> main, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(a -> a.startsWith("--") || a.startsWith("-XX:+Ignore"))
        .forEach(command::add);
    command.addAll(List.of("-Xmx1g", "-XX:TieredStopAtLevel=1", "-cp"));
    command.add(
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
    command.add(main.getName());
    command.addAll(List.of(arguments));
    Path log = temp.resolve("log");
    ProcessBuilder b = new ProcessBuilder(command).directory(temp.toFile());
    b.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    Process child = b.redirectErrorStream(true).redirectOutput(log.toFile()).start();
    try {
      boolean ended = child.waitFor(240, TimeUnit.SECONDS);
      String all = Files.readString(log);
      assertTrue(ended, "the child hangs: " + all);
      assertEquals(0, child.exitValue(), all);
      return all.lines().toList();
    } finally {
      child.destroyForcibly();
    }
  }
}
