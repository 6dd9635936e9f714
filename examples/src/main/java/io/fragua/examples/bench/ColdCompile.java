package io.fragua.examples.bench;

import io.fragua.exec.CompileOptions;
import io.fragua.io.Safetensors;
import io.fragua.nn.Network;
import io.fragua.nn.ParamTree;
import io.fragua.optim.Training;
import io.fragua.random.Key;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How long the training step of ResNet-50 takes to trace, compile and bind in a JVM that has done
 * nothing else: Fragua's classes and native libraries are loaded then, parameters are already in
 * memory. The start of the JVM does not count.
 */
final class ColdCompile {
  private static final String PARAMS = "param:";
  private static final String STATE = "state:";

  private ColdCompile() {}

  /**
   * Measures once, in a new JVM with this one's options.
   *
   * @param v parameters and statistics to begin with
   * @param x images
   * @param y labels
   * @throws IllegalStateException if the JVM fails
   */
  static double seconds(Network.Variables v, Tensor x, Tensor y, int threads) {
    Path file = null;
    try {
      file = Files.createTempFile("fragua-bench-", ".safetensors");
      Map<String, Tensor> all = new LinkedHashMap<>(Map.of("x", x, "y", y));
      all.putAll(v.params().prefixed(PARAMS).asMap());
      all.putAll(v.state().prefixed(STATE).asMap());
      try (OutputStream to = Files.newOutputStream(file)) {
        Safetensors.write(to, all, Map.of());
      }
      List<String> command = new ArrayList<>();
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      for (String option : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
        if (!option.startsWith("-agentlib:") && !option.startsWith("-javaagent:")) {
          command.add(option);
        }
      }
      command.addAll(
          List.of(
              "-cp",
              System.getProperty("java.class.path"),
              ColdCompile.class.getName(),
              file.toString(),
              String.valueOf(threads)));
      Process process =
          new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
      try {
        String printed =
            new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int status = process.waitFor();
        if (status != 0) {
          throw new IllegalStateException(
              String.format(
                  "bench engine: the new JVM must compile and say how long it took: it ended with"
                      + " status %d; run %s to see why",
                  status, String.join(" ", command)));
        }
        return Double.parseDouble(printed.strip());
      } finally {
        process.destroy();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(
          "bench engine: a new JVM must start and read its operands; see the cause", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("bench engine: interrupted while a new JVM compiled", e);
    } finally {
      if (file != null) {
        EnginePeer.delete(file);
      }
    }
  }

  /** The new JVM: a file of operands and the number of threads; prints seconds. */
  public static void main(String[] args) throws IOException {
    ParamTree all;
    try (FileChannel c = FileChannel.open(Path.of(args[0]))) {
      MappedByteBuffer bytes = c.map(FileChannel.MapMode.READ_ONLY, 0, c.size());
      all = ParamTree.of(Safetensors.read(bytes, args[0]).tensors());
    }
    Network.Variables v = new Network.Variables(all.under(PARAMS), all.under(STATE));
    List<TensorType> x = List.of(all.get("x").type());
    List<TensorType> y = List.of(all.get("y").type());
    CompileOptions options = Workloads.on(Integer.parseInt(args[1]));
    long began = System.nanoTime();
    Training.Run run = ImageWorkloads.resNetTraining().start(v, x, y, Key.of(1), options);
    System.out.println((System.nanoTime() - began) / 1e9);
    run.close();
  }
}
