package io.fragua.pipelines.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.cpu.CpuInfo;
import io.fragua.exec.DeviceProvider;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Command;

class MainTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  /** Contributed through a services file that a test writes. */
  public static final class Contributed implements CommandProvider {
    @Override
    public List<Object> commands() {
      return List.of(new Fails());
    }
  }

  @Command(name = "fails", description = "Fails on purpose.")
  static final class Fails implements Runnable {
    @Override
    public void run() {
      throw new IllegalArgumentException(
          "fails: the rule, what was given; what to do", new IOException("the disk is full"));
    }
  }

  private int run(CommandLine line, String... args) {
    return line.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true)).execute(args);
  }

  private CommandLine withContributed(Path folder, String providers) throws IOException {
    Path services = Files.createDirectories(folder.resolve("META-INF/services"));
    Files.writeString(services.resolve(CommandProvider.class.getName()), providers);
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()}, before)) {
      thread.setContextClassLoader(loader);
      return Main.commandLine();
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  @Test
  void withoutACommandItSaysWhichThereAre() {
    assertEquals(0, run(Main.commandLine()));
    assertTrue(out.toString().contains("devices  List the CPU features"), out.toString());
  }

  @Test
  void anUnknownCommandIsRefusedWithTheUsage() {
    assertEquals(2, run(Main.commandLine(), "nonsense"));
    assertTrue(
        err.toString().startsWith("Unmatched argument at index 0: 'nonsense'"), err.toString());
  }

  @Test
  void devicesPrintsCpuAndReason() {
    assertEquals(0, run(Main.commandLine(), "devices"));
    assertTrue(out.toString().startsWith("cpu         "), out.toString());
    assertTrue(out.toString().contains("\n  Vector API on"), out.toString());
    assertTrue(out.toString().contains("\ncuda"), out.toString());
  }

  @Test
  void devicesPrintsEachGpuAndWhatItIsGoodFor() {
    DeviceProvider two =
        new DeviceProvider() {
          @Override
          public String kind() {
            return "cuda";
          }

          @Override
          public Discovery discover() {
            return Discovery.of(
                List.of(
                    new DeviceInfo(0, "Test A", 24L << 30, "570.1 (CUDA 12.8)", "9.0"),
                    new DeviceInfo(1, "Test B", 3L << 29, "570.1 (CUDA 12.8)", "8.6")));
          }

          @Override
          public String refusal(DeviceInfo device) {
            return device.index() == 0 ? null : "too old; take the other";
          }
        };
    CpuInfo cpu = new CpuInfo("Test CPU", 4, 8, List.of("AVX2", "AMX"), "off; why", "1.2.3");
    DevicesCommand.print(new PrintWriter(out), cpu, List.of(two));
    assertEquals(
        """
        cpu         Test CPU
          cores     4, of which this JVM may use 8 threads
          features  AVX2, AMX
          oneDNN    1.2.3
          Vector API off; why
        cuda:0      Test A, 24.0 GiB, compute capability 9.0, driver 570.1 (CUDA 12.8)
        cuda:1      Test B, 1.5 GiB, compute capability 8.6, driver 570.1 (CUDA 12.8)
          too old; take the other
        """,
        out.toString());
  }

  @Test
  void aContributedCommandRunsAndABrokenProviderCostsOnlyItself(@TempDir Path folder)
      throws IOException {
    CommandLine line =
        withContributed(folder, "no.such.Provider\n" + Contributed.class.getName() + "\n");
    assertEquals(1, run(line, "fails"));
    assertEquals(
        """
        fragua: fails: the rule, what was given; what to do
          caused by: IOException: the disk is full
          (add --stacktrace to see where)
        """,
        err.toString());
  }

  @Test
  void theStackTraceComesOnRequest(@TempDir Path folder) throws IOException {
    assertEquals(
        1, run(withContributed(folder, Contributed.class.getName()), "fails", "--stacktrace"));
    assertTrue(err.toString().contains("at " + Fails.class.getName() + ".run("), err.toString());
  }
}
