package io.fragua.examples.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A shell plays the Python. */
class PythonPeerTest {
  private static final Map<String, String> SHELL = Map.of(PythonPeer.VARIABLE, "/bin/sh");

  @TempDir private Path folder;

  private PythonPeer.Answer run(String script, String... arguments) throws IOException {
    return PythonPeer.run(
        SHELL, Files.writeString(folder.resolve("peer.py"), script), List.of(arguments));
  }

  @Test
  void theLastLineHasTheFigures() throws IOException {
    PythonPeer.Answer answer = run("echo loading\necho \"{\\\"auc\\\":$1}\"\n", "0.75");
    assertEquals(0.75, answer.figures().get("auc").asDouble());
    assertNull(answer.missing());
  }

  @Test
  void aMissingPeerIsNamedAndNeverGuessed() throws IOException {
    Path script = Path.of("flights_torch.py");
    PythonPeer.Answer unset = PythonPeer.run(Map.of(), script, List.of());
    assertNull(unset.figures());
    assertEquals(
        "FRAGUA_BENCH_PYTHON is not set; set it to a Python that has what flights_torch.py imports",
        unset.missing());
    assertEquals(unset, PythonPeer.run(Map.of(PythonPeer.VARIABLE, " "), script, List.of()));
    String nothing = folder.resolve("python").toString();
    PythonPeer.Answer wrong =
        PythonPeer.run(Map.of(PythonPeer.VARIABLE, nothing), script, List.of());
    assertNull(wrong.figures());
    assertTrue(
        wrong
            .missing()
            .startsWith("FRAGUA_BENCH_PYTHON is " + nothing + ", which does not start: "),
        wrong.missing());
    PythonPeer.Answer module = run("echo it has no module torch\nexit 3\n");
    assertNull(module.figures());
    assertEquals("it has no module torch", module.missing());
  }

  @Test
  void aPeerThatFailsOrSaysNothingUsableIsAnError() {
    assertEquals(
        "bench: the peer peer.py must end well: it ended with status 7; what it wrote is above, and"
            + " unsetting FRAGUA_BENCH_PYTHON measures Fragua alone",
        assertThrows(IllegalStateException.class, () -> run("exit 7\n")).getMessage());
    assertEquals(
        "bench: the peer peer.py must print a JSON object as its last line; see the cause",
        assertThrows(UncheckedIOException.class, () -> run("echo done\n")).getMessage());
  }
}
