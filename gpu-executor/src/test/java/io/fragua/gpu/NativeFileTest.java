package io.fragua.gpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import jcuda.JCudaVersion;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeFileTest {
  private static final String NAME = "libJCudaDriver-" + JCudaVersion.get() + "-linux-x86_64.so";

  @TempDir Path folder;

  private static byte[] whole() throws IOException {
    try (InputStream in = NativeFileTest.class.getResourceAsStream("/lib/" + NAME)) {
      return in.readAllBytes();
    }
  }

  /** The folder has the file as it should be, and nothing else. */
  private void check() throws IOException {
    assertArrayEquals(whole(), Files.readAllBytes(folder.resolve(NAME)));
    try (Stream<Path> all = Files.list(folder)) {
      assertEquals(List.of(folder.resolve(NAME)), all.toList());
    }
  }

  @Test
  void aFileThatIsMissingCutOrAnotherIsReplaced() throws IOException {
    NativeFile.prepare(folder, NAME);
    check();
    byte[] bytes = whole();
    Files.write(folder.resolve(NAME), Arrays.copyOf(bytes, bytes.length / 2));
    NativeFile.prepare(folder, NAME);
    check();
    bytes[bytes.length / 2]++;
    Files.write(folder.resolve(NAME), bytes);
    NativeFile.prepare(folder, NAME);
    check();
  }

  @Test
  void aWholeFileIsLeftAlone() throws IOException {
    NativeFile.prepare(folder, NAME);
    Object before = Files.readAttributes(folder.resolve(NAME), "*").get("fileKey");
    NativeFile.prepare(folder, NAME);
    assertEquals(before, Files.readAttributes(folder.resolve(NAME), "*").get("fileKey"));
  }

  @Test
  void whatCannotBeReplacedIsNamed() throws IOException {
    // a folder with something in it, which not even root can replace by a file
    Files.createDirectories(folder.resolve(NAME).resolve("sub"));
    String message =
        assertThrows(NativeFile.Refused.class, () -> NativeFile.prepare(folder, NAME)).getMessage();
    assertTrue(
        message.startsWith(
            "JCuda's native library must lie in the folder for temporary files as its jar has it: "
                + folder.resolve(NAME)
                + " does not and cannot be replaced (java.nio.file."),
        message);
    assertTrue(
        message.endsWith("; remove it, or set java.io.tmpdir to a folder that can be written"),
        message);
  }

  /** Searches for GPUs in a JVM of its own, which half a library would end. */
  public static final class Search {
    private Search() {}

    /** Prints what is found, or why nothing is. */
    public static void main(String[] args) {
      System.out.println(new CudaDeviceProvider().discover());
    }
  }

  @Test
  void halfALibraryInTheFolderDoesNotEndTheJvm() throws Exception {
    Files.write(folder.resolve(NAME), Arrays.copyOf(whole(), whole().length / 2));
    Path out = folder.resolveSibling(folder.getFileName() + ".out");
    Process p =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:-CreateCoredumpOnCrash",
                "-XX:ErrorFile=/dev/null",
                "-Djava.io.tmpdir=" + folder,
                "-cp",
                System.getProperty("java.class.path"),
                Search.class.getName())
            .redirectErrorStream(true)
            .redirectOutput(out.toFile())
            .start();
    try {
      assertTrue(p.waitFor(120, TimeUnit.SECONDS));
      assertEquals(0, p.exitValue(), Files.readString(out, StandardCharsets.UTF_8));
      if (System.getProperty("os.arch").equals("amd64")) {
        assertArrayEquals(whole(), Files.readAllBytes(folder.resolve(NAME)));
      }
    } finally {
      p.destroyForcibly();
      Files.deleteIfExists(out);
    }
  }
}
