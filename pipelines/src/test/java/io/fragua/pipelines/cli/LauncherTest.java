package io.fragua.pipelines.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.spark.util.Utils;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Runs the real {@code bin/fragua} in a pretended project whose {@code java}, {@code mvn} and
 * {@code spark-submit} are scripts that write down how they were called.
 */
class LauncherTest {
  @TempDir Path temp;
  private Path project;
  private Path jdk;
  private Path sparkHome;
  private final Map<String, String> environment = new TreeMap<>();

  private record Outcome(int status, String out, String err) {}

  @BeforeEach
  void pretend() throws IOException {
    // Spaces and a quote, because people have such folders.
    project = Files.createDirectories(temp.resolve("my \"project\" of it"));
    Path launcher = Files.createDirectories(project.resolve("bin")).resolve("fragua");
    Files.copy(Path.of("../bin/fragua"), launcher, StandardCopyOption.COPY_ATTRIBUTES);
    write(project.resolve("pom.xml"), "");
    write(project.resolve("pipelines/pom.xml"), "");
    write(project.resolve("pipelines/src/main/java/A.java"), "");

    jdk = temp.resolve("jdk of mine");
    // Answers the question for Spark's options, and otherwise prints its arguments, @files
    // expanded.
    script(
        jdk.resolve("bin/java"),
        """
        if [[ $* == *JvmOptions ]]; then echo '[0.5s][info] a log'; echo --spark-option; exit; fi
        for a; do if [[ $a == @* ]]; then cat "${a#@}"; else echo "<$a>"; fi; done
        """);
    script(jdk.resolve("bin/javac"), "");
    write(jdk.resolve("release"), "JAVA_VERSION=\"17.0.15\"\n");

    // Does what the build does as far as the launcher can see, and counts.
    script(
        temp.resolve("tools/mvn"),
        """
        echo "$@" >>"$MVN_CALLS"
        if [[ -n ${MVN_FAILS:-} ]]; then
          echo '[INFO] fine so far'; echo '[ERROR] the whole'; echo '[ERROR] story'; exit 1
        fi
        mkdir -p target examples/target/launch pipelines/target
        touch target/build-began lib.jar examples/target/launch/classpath
        echo "$PWD/lib.jar" >examples/target/launch/classpath
        [[ $* == *skip=true* ]] || touch pipelines/target/fragua-1-spark.jar examples/target/fragua-examples-1-spark.jar
        """);
    sparkHome = temp.resolve("spark of mine");
    script(sparkHome.resolve("bin/spark-submit"), "for a; do echo \"<$a>\"; done");
    write(sparkHome.resolve("jars/spark-core_2.13-4.1.0.jar"), "");

    environment.put("PATH", temp.resolve("tools") + ":/usr/bin:/bin");
    environment.put("JAVA_HOME", jdk.toString());
    environment.put("MVN_CALLS", temp.resolve("calls").toString());
  }

  private static void write(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private static void script(Path file, String body) throws IOException {
    write(file, "#!/bin/bash\n" + body);
    assertTrue(file.toFile().setExecutable(true));
  }

  private Outcome fragua(String... args) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(project.resolve("bin/fragua").toString()));
    command.addAll(List.of(args));
    ProcessBuilder builder = new ProcessBuilder(command).directory(temp.toFile());
    builder.environment().clear();
    builder.environment().putAll(environment);
    Path out = temp.resolve("out");
    Path err = temp.resolve("err");
    Process process = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
    assertTrue(process.waitFor(120, TimeUnit.SECONDS), "the launcher hangs");
    return new Outcome(
        process.exitValue(),
        Files.readString(out, StandardCharsets.UTF_8),
        Files.readString(err, StandardCharsets.UTF_8));
  }

  private int builds() throws IOException {
    Path calls = temp.resolve("calls");
    return Files.exists(calls) ? Files.readAllLines(calls).size() : 0;
  }

  private void touchLater(Path file) throws IOException {
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(5)));
  }

  private void fails(String message, String... args) throws IOException, InterruptedException {
    Outcome outcome = fragua(args);
    assertEquals(1, outcome.status(), outcome.out());
    assertEquals("fragua: " + message + "\n", outcome.err());
  }

  @Test
  void theFirstStartBuildsAndTheSecondDoesNot() throws Exception {
    Outcome first = fragua("example", "a b", "--rows=3");
    assertEquals(0, first.status(), first.err());
    assertTrue(first.err().startsWith("fragua: building with Maven"), first.err());
    assertEquals(1, builds());
    Outcome second = fragua("example", "a b", "--rows=3");
    assertEquals("", second.err());
    assertEquals(1, builds());
    assertEquals(first.out(), second.out());
    String root = project.toRealPath().toString().replace("\"", "\\\"");
    assertTrue(second.out().startsWith("\"--spark-option\"\n"), second.out());
    assertTrue(second.out().contains("\"-Dfragua.home=" + root + "\"\n"), second.out());
    assertTrue(
        second
            .out()
            .contains("\n-cp\n\"" + root + "/examples/target/classes:" + root + "/lib.jar\"\n"),
        second.out());
    assertTrue(
        second
            .out()
            .endsWith(
                "<-Dspark.master=local[*]>\n<"
                    + Main.class.getName()
                    + ">\n<example>\n<a b>\n<--rows=3>\n"),
        second.out());
  }

  @Test
  void aChangedSourceOrPomOrAMissingJarBuildsAgain() throws Exception {
    fragua("devices");
    touchLater(project.resolve("pipelines/src/main/java/A.java"));
    fragua("devices");
    assertEquals(2, builds());
    touchLater(project.resolve("pipelines/src/main/java/A.java"));
    Files.setLastModifiedTime(
        project.resolve("pipelines/src/main/java/A.java"), FileTime.fromMillis(0));
    touchLater(project.resolve("pipelines/pom.xml"));
    fragua("devices");
    assertEquals(3, builds());
    Files.setLastModifiedTime(project.resolve("pipelines/pom.xml"), FileTime.fromMillis(0));
    fragua("devices");
    assertEquals(3, builds());
    Files.delete(project.resolve("lib.jar"));
    fragua("devices");
    assertEquals(4, builds());
    // A build that began and did not end.
    touchLater(project.resolve("target/build-began"));
    fragua("devices");
    assertEquals(5, builds());
  }

  @Test
  void aFailedBuildShowsMavensErrorsWhole() throws Exception {
    environment.put("MVN_FAILS", "yes");
    Outcome outcome = fragua("devices");
    assertEquals(1, outcome.status());
    assertTrue(
        outcome.err().contains("[ERROR] the whole\n[ERROR] story\nfragua: the build failed;"),
        outcome.err());
    assertFalse(outcome.err().contains("fine so far"), outcome.err());
  }

  @Test
  void masterConfAndMemoryAreTheLaunchers() throws Exception {
    environment.put("FRAGUA_MEMORY", "3g");
    Outcome outcome =
        fragua(
            "example", "--master", "local[2]", "x", "--conf", "spark.a=b c", "--conf=spark.d=e=f");
    assertTrue(
        outcome
            .out()
            .endsWith(
                "<-Xmx3g>\n<-Dspark.master=local[2]>\n<-Dspark.a=b c>\n<-Dspark.d=e=f>\n<"
                    + Main.class.getName()
                    + ">\n<example>\n<x>\n"),
        outcome.out());
    environment.put("FRAGUA_MEMORY", "lots");
    fails("FRAGUA_MEMORY is a number with k, m or g, as 8g; got 'lots'", "devices");
    fails("--master needs a value; write --master VALUE", "example", "--master");
    fails("--conf takes spark.KEY=VALUE, got 'x=y'", "example", "--conf", "x=y");
  }

  /** In a launcher that looks for the machine's files elsewhere. */
  @Test
  void theHeapIsAShareOfWhatMachineAndContainerHave() throws Exception {
    Path machine = temp.resolve("machine");
    Path launcher = project.resolve("bin/fragua");
    String text = Files.readString(launcher).replace("/sys/fs/cgroup", machine + "/cgroup");
    Files.writeString(launcher, text.replace("/proc/meminfo", machine + "/meminfo"));
    write(machine.resolve("meminfo"), "MemTotal:       10240000 kB\n");
    heap(4000);
    Path v1 = machine.resolve("cgroup/memory/memory.limit_in_bytes");
    write(v1, "9223372036854771712\n"); // no limit
    heap(4000);
    write(v1, (5000L << 20) + "\n");
    heap(2000);
    Files.delete(v1);
    Path v2 = machine.resolve("cgroup/memory.max");
    write(v2, "max\n");
    heap(4000);
    write(v2, (2500L << 20) + "\n");
    heap(1000);
  }

  private void heap(int mb) throws Exception {
    Outcome outcome = fragua("devices");
    assertTrue(outcome.out().contains("<-Xmx" + mb + "m>\n"), outcome.out() + outcome.err());
  }

  @Test
  void withSparkHomeItSubmitsBothJars() throws Exception {
    fragua("devices");
    environment.put("SPARK_HOME", sparkHome.toString());
    Outcome outcome = fragua("--master=spark://host:7077", "--conf", "spark.a=b", "example", "x y");
    assertEquals(0, outcome.status(), outcome.err());
    // The first build made no cluster jars, so there was a second one.
    assertEquals(2, builds());
    String root = project.toRealPath().toString();
    assertTrue(
        outcome.out().startsWith("<--class>\n<" + Main.class.getName() + ">\n"), outcome.out());
    assertTrue(outcome.out().contains("<--master>\n<spark://host:7077>\n"), outcome.out());
    assertTrue(outcome.out().contains("<--conf>\n<spark.a=b>\n"), outcome.out());
    String options = outcome.out().replaceFirst("(?s).*<--driver-java-options>\n<", "");
    assertEquals(
        List.of(
            "-Dlog4j2.configurationFile="
                + root
                + "/pipelines/src/main/resources/fragua-log4j2.properties",
            "-Dfragua.home=" + root),
        CollectionConverters.asJava(
            Utils.splitCommandString(options.substring(0, options.indexOf(">\n")))));
    assertTrue(
        outcome
            .out()
            .endsWith(
                "<--jars>\n<"
                    + root
                    + "/examples/target/fragua-examples-1-spark.jar>\n<"
                    + root
                    + "/pipelines/target/fragua-1-spark.jar>\n<example>\n<x y>\n"),
        outcome.out());
    assertFalse(outcome.out().contains("driver-memory"), outcome.out());
    // Looking at this machine needs no cluster.
    assertTrue(fragua("devices").out().endsWith("<devices>\n"));
    assertEquals(2, builds());
  }

  @Test
  void theCommandIsTheFirstWordThatIsNoOption() throws Exception {
    fails(
        "the master 'spark://h:1' is not local, and running there takes a Spark 4.0 or 4.1"
            + " installation; set SPARK_HOME to one, or leave --master out to run here",
        "--stacktrace",
        "example",
        "x",
        "--master",
        "spark://h:1");
    environment.put("SPARK_HOME", sparkHome.toString());
    Files.move(
        sparkHome.resolve("jars/spark-core_2.13-4.1.0.jar"),
        sparkHome.resolve("jars/spark-core_2.13-4.0.1.jar"));
    Outcome outcome = fragua("--stacktrace", "example", "x");
    assertTrue(outcome.out().startsWith("<--class>\n"), outcome.out() + outcome.err());
    assertTrue(outcome.out().endsWith("<--stacktrace>\n<example>\n<x>\n"), outcome.out());
    assertTrue(fragua("--stacktrace", "devices").out().endsWith("<--stacktrace>\n<devices>\n"));
    assertTrue(fragua("--version").out().endsWith("<--version>\n"));
  }

  @Test
  void whatIsMissingIsSaidWithWhatToDo() throws Exception {
    fails(
        "the master 'yarn' is not local, and running there takes a Spark 4.0 or 4.1"
            + " installation; set SPARK_HOME to one, or leave --master out to run here",
        "example",
        "--master",
        "yarn");
    environment.put("SPARK_HOME", temp.toString());
    fragua("devices");
    Outcome noSpark = fragua("example");
    assertTrue(
        noSpark
            .err()
            .endsWith(
                "fragua: SPARK_HOME is '"
                    + temp
                    + "', and there is no bin/spark-submit in it; set it to a Spark 4.0"
                    + " or 4.1 installation, or unset it to run here\n"),
        noSpark.err());
    Files.move(
        sparkHome.resolve("jars/spark-core_2.13-4.1.0.jar"),
        sparkHome.resolve("jars/spark-core_2.13-4.2.0.jar"));
    environment.put("SPARK_HOME", sparkHome.toString());
    fails(
        "SPARK_HOME is '"
            + sparkHome
            + "', and that is no Spark 4.0 or 4.1 for Scala 2.13 (no"
            + " jars/spark-core_2.13-4.[01].*.jar); set it to one, or unset it to run here",
        "example");
  }

  @Test
  void theWrongJavaIsRefused() throws Exception {
    Path java = jdk.resolve("bin/java");
    write(jdk.resolve("release"), "JAVA_VERSION=\"11.0.2\"\n");
    fails(
        java + " is Java 11.0.2, and Fragua needs 17 or newer; set JAVA_HOME to a JDK 17 or 21",
        "devices");
    write(jdk.resolve("release"), "JAVA_VERSION=\"25\"\n");
    fails(
        java
            + " is Java 25, on which Spark 4.1's Hadoop client fails (getSubject is not supported);"
            + " set JAVA_HOME to a JDK 17 or 21",
        "devices");
    Files.delete(jdk.resolve("release"));
    script(java, "echo 'openjdk version \"1.8.0_392\"' >&2");
    fails(
        java + " is Java 1.8.0_392, and Fragua needs 17 or newer; set JAVA_HOME to a JDK 17 or 21",
        "devices");
    environment.put("JAVA_HOME", "/nowhere");
    fails(
        "JAVA_HOME is '/nowhere', and there is no bin/java in it; set JAVA_HOME to a JDK 17 or 21",
        "devices");
  }

  @Test
  void withoutMavenOrACompilerItSaysSo() throws Exception {
    Files.delete(jdk.resolve("bin/javac"));
    fails(
        "Fragua is not built yet (or its sources changed), and "
            + jdk
            + " has no compiler; set JAVA_HOME to a JDK 17 or 21, not a run-time environment",
        "devices");
    // A PATH with the tools the launcher uses and nothing else: no mvn, no java.
    Path bare = Files.createDirectories(temp.resolve("bare"));
    for (String tool :
        List.of("env", "bash", "dirname", "readlink", "sed", "find", "head", "cat")) {
      String real = Files.exists(Path.of("/usr/bin", tool)) ? "/usr/bin/" + tool : "/bin/" + tool;
      script(bare.resolve(tool), "exec " + real + " \"$@\"\n");
    }
    environment.put("PATH", bare.toString());
    fails(
        "Fragua is not built yet (or its sources changed), and there is no mvn; install Maven 3.8"
            + " or newer and put it on PATH",
        "devices");
    environment.remove("JAVA_HOME");
    fails(
        "no java found; install a JDK 17 or 21 and put it on PATH, or set JAVA_HOME to it",
        "devices");
  }
}
