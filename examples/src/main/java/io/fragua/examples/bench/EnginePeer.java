package io.fragua.examples.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fragua.io.Safetensors;
import io.fragua.tensor.Tensor;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
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
 * A Python process that computes workloads when it is asked to: a JSON object a line each way,
 * tensors in safetensors files of a folder that both know. It only ever works between a question
 * and its answer. Not thread-safe.
 *
 * <p>Questions are {@code prepare} (peer, function, settings, inputs; answered with the file of the
 * results or with {@code missing}), {@code time} (peer, seconds; answered with the seconds of one
 * run, several times), {@code figure} (peer; answered with what a run gave) and {@code drop}.
 */
final class EnginePeer implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Process process;
  private final BufferedWriter to;
  private final BufferedReader from;
  private final Path folder;
  private int files;
  private boolean broken;

  private EnginePeer(Process process, Path folder) {
    this.process = process;
    this.folder = folder;
    to =
        new BufferedWriter(
            new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8));
    from =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }

  /**
   * Starts the script.
   *
   * @param python an interpreter
   * @param threads that the peers may use
   * @param folder for the tensors
   */
  static EnginePeer start(String python, Path script, int threads, Path folder) throws IOException {
    ProcessBuilder peer =
        new ProcessBuilder(python, script.toString(), "--threads=" + threads)
            .redirectError(ProcessBuilder.Redirect.INHERIT);
    // glibc gives large results back to Linux each time; where pages are slow to come, PyTorch
    // would be measured by that: 16M elements took it 8 ns each in place of 0.25.
    peer.environment().putIfAbsent("MALLOC_MMAP_THRESHOLD_", String.valueOf(1L << 32));
    peer.environment().putIfAbsent("MALLOC_TRIM_THRESHOLD_", String.valueOf(1L << 34));
    return new EnginePeer(peer.start(), folder);
  }

  /**
   * What a peer made of a workload.
   *
   * @param name of the system, with its version
   * @param outputs what it computed; null if it is missing
   * @param missing why it is missing; null if it is not
   */
  record Prepared(String name, Map<String, Tensor> outputs, String missing) {}

  /** Writes the operands for the peers to read. */
  Path write(Map<String, Tensor> tensors) {
    Path file = folder.resolve("inputs" + files++);
    try (OutputStream out = Files.newOutputStream(file)) {
      Safetensors.write(out, tensors, Map.of());
      return file;
    } catch (IOException e) {
      throw failed("the operands could not be written to " + file, e);
    }
  }

  /** Lets a peer compute a workload once and get ready to be timed. */
  Prepared prepare(String peer, Workload w, Path inputs) {
    Path results = folder.resolve("outputs" + files++);
    Map<String, Object> question = new LinkedHashMap<>();
    question.put("ask", "prepare");
    question.put("peer", peer);
    question.put("function", w.function());
    question.put("settings", w.settings());
    question.put("inputs", inputs.toString());
    question.put("outputs", results.toString());
    JsonNode answer = ask(question);
    if (answer.has("missing")) {
      return new Prepared(peer, null, answer.get("missing").asText());
    }
    try (FileChannel c = FileChannel.open(results)) {
      MappedByteBuffer bytes = c.map(FileChannel.MapMode.READ_ONLY, 0, c.size());
      Map<String, Tensor> outputs = Safetensors.read(bytes, results.toString()).tensors();
      return new Prepared(answer.path("name").asText(), outputs, null);
    } catch (IOException e) {
      throw failed("its results could not be read from " + results, e);
    } finally {
      delete(results);
    }
  }

  /** Seconds of one run, as often as they could be measured in this time; at least once. */
  List<Double> time(String peer, double seconds) {
    List<Double> times = new ArrayList<>();
    ask(Map.of("ask", "time", "peer", peer, "seconds", seconds))
        .path("seconds")
        .forEach(t -> times.add(t.asDouble()));
    return times;
  }

  /** Measures once what is not the time of a run. */
  double figure(String peer) {
    return ask(Map.of("ask", "figure", "peer", peer)).path("figure").asDouble();
  }

  /** Forgets a prepared workload and its memory; nothing if the script failed. */
  void drop(String peer) {
    if (!broken) {
      ask(Map.of("ask", "drop", "peer", peer));
    }
  }

  private JsonNode ask(Map<String, Object> question) {
    try {
      to.write(JSON.writeValueAsString(question));
      to.newLine();
      to.flush();
      String line = from.readLine();
      if (line == null) {
        throw failed("it ended; what it wrote is above", null);
      }
      JsonNode answer = JSON.readTree(line);
      if (!answer.isObject() || answer.has("error")) {
        throw failed("it answered " + line, null);
      }
      return answer;
    } catch (IOException e) {
      throw failed("it ended; what it wrote is above", e);
    }
  }

  private RuntimeException failed(String what, IOException cause) {
    broken = true;
    String text =
        "bench engine: the peers' script must answer every question: "
            + what
            + "; unsetting "
            + PythonPeer.VARIABLE
            + " measures Fragua alone";
    return cause == null ? new IllegalStateException(text) : new UncheckedIOException(text, cause);
  }

  static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      // A file in a temporary folder stays; nothing depends on it.
      file.toFile().deleteOnExit();
    }
  }

  /** Ends the process. */
  @Override
  public void close() {
    process.destroy();
  }
}
