package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

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
    return run(temp, main, null, 0, List.of(arguments));
  }

  /**
   * As {@link #run}, for a main class that starts a local cluster: its first argument is the class
   * path that executors need besides Spark's jars, before these.
   *
   * @param status with which it is to end
   */
  public static List<String> cluster(Path temp, Class<?> main, int status, String... arguments)
      throws IOException, InterruptedException {
    Path jars = Files.createDirectories(temp.resolve("home/jars"));
    Files.createFile(temp.resolve("home/RELEASE"));
    List<String> folders = new ArrayList<>();
    for (String entry : classPath().split(File.pathSeparator)) {
      Path p = Path.of(entry);
      if (!entry.endsWith(".jar")) {
        folders.add(entry);
      } else if (Files.exists(p) && !Files.exists(jars.resolve(p.getFileName()))) {
        Files.createSymbolicLink(jars.resolve(p.getFileName()), p.toAbsolutePath());
      }
    }
    try {
      List<String> given = new ArrayList<>(List.of(arguments));
      given.add(0, String.join(File.pathSeparator, folders));
      return run(temp, main, temp.resolve("home"), status, given);
    } finally {
      try (Stream<Path> links = Files.list(jars)) { // JUnit would warn about each
        for (Path link : links.toList()) {
          Files.delete(link);
        }
      }
    }
  }

  private static String classPath() {
    return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
  }

  private static List<String> run(
      Path temp, Class<?> main, Path home, int status, List<String> arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(a -> a.startsWith("--") || a.startsWith("-XX:+Ignore"))
        .forEach(command::add);
    command.add("-Xmx1g");
    if (home == null) {
      command.add("-XX:TieredStopAtLevel=1"); // starts sooner
    }
    command.add("-cp");
    command.add(classPath());
    command.add(main.getName());
    command.addAll(arguments);
    Path log = temp.resolve("log");
    ProcessBuilder b = new ProcessBuilder(command).directory(temp.toFile());
    b.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    if (home != null) {
      b.environment().put("SPARK_HOME", home.toString());
      b.environment().put("SPARK_SCALA_VERSION", "2.13"); // else it looks for a source tree
    }
    Process child = b.redirectErrorStream(true).redirectOutput(log.toFile()).start();
    try {
      boolean ended = child.waitFor(900, TimeUnit.SECONDS);
      String all = Files.readString(log);
      assertTrue(ended, "the child hangs: " + all);
      assertEquals(status, child.exitValue(), all);
      return all.lines().toList();
    } finally {
      child.descendants().forEach(ProcessHandle::destroyForcibly);
      child.destroyForcibly();
      if (home != null) {
        awaitExecutors(home);
      }
    }
  }

  /** Executors end a little after their driver, and until then they have files in the folder. */
  private static void awaitExecutors(Path home) {
    if (!Patience.until(() -> executors(home).isEmpty())) {
      executors(home).forEach(ProcessHandle::destroyForcibly);
    }
  }

  private static List<ProcessHandle> executors(Path home) {
    return ProcessHandle.allProcesses()
        .filter(p -> Killer.arguments(p.pid()).contains(home + "/jars/"))
        .toList();
  }
}
