package io.fragua.arrow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Native code in a JVM whose home cannot be written to, as an executor's often cannot. */
final class NativeCacheTest {
  @TempDir Path folder;

  @Test
  void unpacksIntoSparksFolderWithoutAHome() throws Exception {
    // A home below a file: not even the super-user can write there.
    Path home = Files.createFile(folder.resolve("file")).resolve("home");
    Path local = Files.createDirectory(folder.resolve("local"));
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Duser.home=" + home);
    command.add("-Dspark.local.dir=" + local);
    command.add("-Xmx1g");
    command.add("--add-modules=jdk.incubator.vector");
    for (String p : List.of("lang", "lang.invoke", "nio", "util", "util.concurrent", "net", "io")) {
      command.add("--add-opens=java.base/java." + p + "=ALL-UNNAMED");
    }
    command.add("--add-opens=java.base/sun.nio.ch=ALL-UNNAMED");
    command.add("--add-opens=java.base/sun.util.calendar=ALL-UNNAMED");
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(NativeCacheMain.class.getName());
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("HOME", home.toString());
    builder.environment().remove("SPARK_LOCAL_DIRS");
    Path log = folder.resolve("log");
    Process child = builder.redirectOutput(log.toFile()).start();
    assertTrue(child.waitFor(300, TimeUnit.SECONDS), "the child must end");
    String out = Files.readString(log, StandardCharsets.UTF_8);
    assertEquals(0, child.exitValue(), out);
    assertTrue(out.contains("interrupted true"), out);
    assertTrue(out.contains("scored 100"), out);
    assertTrue(out.contains(NativeCache.JAVACPP + "=" + local), out);
    assertTrue(out.contains(NativeCache.JNA + "=" + local), out);
    assertTrue(out.contains("unpacked true"), out);
    assertTrue(out.contains("kept after the session true"), out);
    assertFalse(Files.exists(home));
    try (Stream<Path> left = Files.walk(local)) {
      assertEquals(
          List.of(), left.filter(p -> p.toString().contains("fragua-native")).toList(), out);
    }
  }

  @Test
  void leavesWhatTheUserHasSet() {
    NativeCache.prepare();
    String javacpp = System.getProperty(NativeCache.JAVACPP);
    String jna = System.getProperty(NativeCache.JNA);
    try {
      System.setProperty(NativeCache.JAVACPP, "/mine");
      System.clearProperty(NativeCache.JNA);
      NativeCache.prepare();
      assertEquals("/mine", System.getProperty(NativeCache.JAVACPP));
      assertTrue(System.getProperty(NativeCache.JNA).contains("fragua-native-"));
    } finally {
      System.setProperty(NativeCache.JAVACPP, javacpp);
      System.setProperty(NativeCache.JNA, jna);
    }
  }
}
