package io.fragua.pipelines.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A cluster of two executors, each a process with nothing but Spark's jars, gets the assembly jar
 * from {@code spark-submit --jars}, learns and scores. No process has a home it can write to.
 */
class ClusterIT {
  private static final Path JAR = Path.of(System.getProperty("fragua.assembly")).normalize();

  @TempDir Path temp;

  @Test
  void plainSparkAndTheJarLearnAndScore() throws Exception {
    Path application = application();
    Path local = Files.createDirectory(temp.resolve("local"));
    // A home below a file: not even the super-user can write there.
    Path home = Files.createFile(temp.resolve("file")).resolve("home");
    String out;
    try (SparkHome spark = new SparkHome(temp.resolve("spark"))) {
      out =
          run(
              home,
              List.of(
                  spark.submit().toString(),
                  "--master",
                  "local-cluster[2,1,1024]",
                  "--driver-java-options",
                  "-Duser.home=" + home,
                  "--conf",
                  "spark.executor.extraJavaOptions=-Duser.home=" + home,
                  "--conf",
                  "spark.local.dir=" + local,
                  "--conf",
                  "spark.ui.enabled=false",
                  "--conf",
                  "spark.sql.shuffle.partitions=2",
                  "--class",
                  UserApplication.class.getName(),
                  "--jars",
                  JAR.toString(),
                  application.toString()));
    }
    assertEquals(List.of("2000"), facts(out, "trained"), out);
    assertEquals(List.of(JAR.toString()), facts(out, "fragua"), out);
    Set<String> jars = Set.of(facts(out, "jars").get(0).replaceAll("file:/+", "/").split(","));
    assertEquals(Set.of(JAR.toString(), application.toString()), jars, out);
    List<String[]> executors = facts(out, "executor").stream().map(f -> f.split("\\|")).toList();
    assertEquals(2, executors.size(), out);
    Set<String> natives = new HashSet<>();
    int rows = 0;
    for (String[] e : executors) {
      assertEquals(home.toString(), e[1], out);
      assertEquals("false", e[2], "the class path is Spark's alone: " + out);
      assertTrue(e[3].startsWith(local + "/"), out);
      natives.add(e[3]);
      assertEquals(e[4], e[5], "every row is predicted right: " + out);
      rows += Integer.parseInt(e[4]);
      assertEquals("true", e[6], "oneDNN is unpacked there: " + out);
    }
    assertEquals(2000, rows, out);
    assertEquals(2, natives.size(), "each process has a folder of its own: " + out);
    assertFalse(Files.exists(home));
    try (Stream<Path> left = Files.walk(local)) {
      assertEquals(List.of(), left.filter(p -> p.toString().contains("fragua-native")).toList());
    }
  }

  /** The user's jar: one class. */
  private Path application() throws IOException {
    Path jar = temp.resolve("application.jar");
    String name = UserApplication.class.getName().replace('.', '/') + ".class";
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar));
        InputStream in = UserApplication.class.getClassLoader().getResourceAsStream(name)) {
      out.putNextEntry(new JarEntry(name));
      in.transferTo(out);
      out.closeEntry();
    }
    return jar;
  }

  private String run(Path home, List<String> command) throws IOException, InterruptedException {
    ProcessBuilder b = new ProcessBuilder(command).directory(temp.toFile());
    b.environment().put("HOME", home.toString());
    b.environment().put("JAVA_HOME", System.getProperty("java.home"));
    b.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    b.environment().remove("SPARK_LOCAL_DIRS");
    Path log = temp.resolve("log");
    Process child = b.redirectErrorStream(true).redirectOutput(log.toFile()).start();
    try {
      boolean ended = child.waitFor(600, TimeUnit.SECONDS);
      String out =
          Files.readAllLines(log, StandardCharsets.UTF_8).stream()
              .filter(l -> !l.contains(" INFO "))
              .collect(Collectors.joining("\n"));
      assertTrue(ended, "the application hangs: " + out);
      assertEquals(0, child.exitValue(), out);
      return out;
    } finally {
      child.descendants().forEach(ProcessHandle::destroyForcibly);
      child.destroyForcibly();
    }
  }

  private static List<String> facts(String out, String key) {
    String start = "FACT " + key + " ";
    return out.lines()
        .filter(l -> l.startsWith(start))
        .map(l -> l.substring(start.length()))
        .toList();
  }
}
