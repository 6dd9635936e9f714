package io.fragua.examples.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A peer that is a Python script. It runs in the Python that {@code FRAGUA_BENCH_PYTHON} names,
 * prints one JSON object as its last line, and ends with status 3 and a sentence if a module is not
 * installed.
 */
final class PythonPeer {
  static final String VARIABLE = "FRAGUA_BENCH_PYTHON";
  private static final int NOT_INSTALLED = 3;

  private PythonPeer() {}

  /**
   * What a peer gave.
   *
   * @param figures by name; null if the peer is missing
   * @param missing why it is missing; null if it is not
   */
  record Answer(JsonNode figures, String missing) {}

  /**
   * Runs a script of {@code examples/bench/peers}.
   *
   * @throws IllegalStateException if the script is there, starts and fails
   */
  static Answer run(Map<String, String> environment, Path script, List<String> arguments) {
    String python = environment.get(VARIABLE);
    if (python == null || python.isBlank()) {
      return new Answer(
          null,
          VARIABLE
              + " is not set; set it to a Python that has what "
              + script.getFileName()
              + " imports");
    }
    List<String> command = new ArrayList<>(List.of(python, script.toString()));
    command.addAll(arguments);
    Path printed = null;
    try {
      printed = Files.createTempFile("fragua-peer-", ".out");
      Process process;
      try {
        process =
            new ProcessBuilder(command)
                .redirectOutput(printed.toFile())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
      } catch (IOException e) {
        return new Answer(
            null, VARIABLE + " is " + python + ", which does not start: " + e.getMessage());
      }
      int status;
      try {
        status = process.waitFor();
      } finally {
        process.destroy();
      }
      List<String> lines = Files.readAllLines(printed, StandardCharsets.UTF_8);
      String last = lines.isEmpty() ? "" : lines.get(lines.size() - 1);
      if (status == NOT_INSTALLED) {
        return new Answer(null, last);
      }
      if (status != 0) {
        throw new IllegalStateException(
            String.format(
                "bench: the peer %s must end well: it ended with status %d; what it wrote is"
                    + " above, and unsetting %s measures Fragua alone",
                script.getFileName(), status, VARIABLE));
      }
      return new Answer(new ObjectMapper().readTree(last), null);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "bench: the peer "
              + script.getFileName()
              + " must print a JSON object as its last line; see the cause",
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("bench: interrupted while a peer ran", e);
    } finally {
      delete(printed);
    }
  }

  private static void delete(Path file) {
    try {
      if (file != null) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      // A small temporary file stays; nothing depends on it.
      file.toFile().deleteOnExit();
    }
  }
}
