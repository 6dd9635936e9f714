package io.fragua.pipelines.cluster;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * A Spark installation of the jars that Maven resolved: what {@code SPARK_HOME} points at on a
 * machine of a cluster, with nothing of Fragua in it.
 */
public final class SparkHome implements AutoCloseable {
  /** What Fragua brings; on the test's class path these are not Spark's. */
  private static final List<String> OURS =
      List.of("fragua-", "/org/bytedeco/", "/net/java/dev/jna/", "/org/jcuda/", "/info/picocli/");

  private static final List<String> TESTS =
      List.of("/junit/", "/opentest4j/", "/apiguardian/", "surefire");

  /** As Spark's own spark-submit and spark-class, which are in no jar: its launcher says how. */
  private static final String SUBMIT =
      """
      #!/usr/bin/env bash
      set -euo pipefail
      export SPARK_HOME=$(cd "$(dirname "$0")/.." && pwd)
      export SPARK_SCALA_VERSION=2.13
      command=()
      {
        read -r _
        while IFS= read -r -d '' part; do command+=("$part"); done
      } < <("$JAVA_HOME/bin/java" -cp "$SPARK_HOME/jars/*" org.apache.spark.launcher.Main \\
        org.apache.spark.deploy.SparkSubmit "$@")
      exec "${command[@]}"
      """;

  private final Path home;

  /** Makes it in a new folder: jars, the mark of a release, and {@code bin/spark-submit}. */
  SparkHome(Path home) throws IOException {
    this.home = home;
    Path jars = Files.createDirectories(home.resolve("jars"));
    Files.createFile(home.resolve("RELEASE"));
    for (Path jar : jars()) {
      Path link = jars.resolve(jar.getFileName());
      if (!Files.exists(link)) {
        Files.createSymbolicLink(link, jar.toAbsolutePath());
      }
    }
    Files.createDirectories(home.resolve("bin"));
    Files.writeString(submit(), SUBMIT);
    if (!submit().toFile().setExecutable(true)) {
      throw new IOException(submit() + " cannot be made executable");
    }
  }

  /** The command that submits applications. */
  Path submit() {
    return home.resolve("bin/spark-submit");
  }

  private boolean uses(ProcessHandle p) {
    return arguments(p).contains(home + "/jars/");
  }

  /** The arguments of a process; none if it has ended, or there is no such list. */
  static String arguments(ProcessHandle p) {
    try {
      Path list = Path.of("/proc/" + p.pid() + "/cmdline");
      return Files.readString(list, StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return "";
    }
  }

  /** Spark's jars on the class path of the tests, without Fragua's and those of the tests. */
  public static List<Path> jars() {
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    return List.of(classPath.split(File.pathSeparator)).stream()
        .filter(e -> e.endsWith(".jar"))
        .filter(e -> OURS.stream().noneMatch(e::contains) && TESTS.stream().noneMatch(e::contains))
        .map(Path::of)
        .toList();
  }

  /**
   * Removes the links, each of which JUnit would warn about when it deletes the folder. Executors
   * end a little after their driver: until then they need the jars, and have files elsewhere.
   */
  @Override
  public void close() throws IOException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (ProcessHandle.allProcesses().anyMatch(this::uses) && System.nanoTime() < end) {
      LockSupport.parkNanos(20_000_000);
    }
    ProcessHandle.allProcesses().filter(this::uses).forEach(ProcessHandle::destroyForcibly);
    try (Stream<Path> links = Files.list(home.resolve("jars"))) {
      for (Path link : links.toList()) {
        Files.delete(link);
      }
    }
  }
}
