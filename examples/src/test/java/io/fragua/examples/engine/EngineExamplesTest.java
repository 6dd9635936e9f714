package io.fragua.examples.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Each example learns what it is there to learn. */
class EngineExamplesTest {
  private final StringWriter text = new StringWriter();
  private final PrintWriter out = new PrintWriter(text);

  @Test
  void firstGradientFindsTheLine() {
    float[] line = FirstGradient.fit(out);
    assertEquals(3, line[0], 0.1);
    assertEquals(-1, line[1], 0.1);
    assertTrue(text.toString().contains("step  0  loss "), text.toString());
  }

  @Test
  void eagerLoopLearnsExclusiveOr() {
    double loss = EagerLoop.train(out);
    assertTrue(loss < 0.1, "loss " + loss);
  }

  /** Most-frequent-digit guessing gives 0.1. */
  @Test
  void digitsCnnReadsDigits() {
    double accuracy = DigitsCnn.learn(out, 8);
    assertTrue(accuracy > 0.85, "accuracy " + accuracy);
    assertTrue(text.toString().contains("conv_0"), text.toString());
  }

  @Test
  void jitAndExplainAgrees() {
    assertTrue(JitAndExplain.show(out) < 1e-5);
    assertTrue(text.toString().contains("matmul"), text.toString());
    assertTrue(text.toString().contains("peak: "), text.toString());
  }

  @Test
  void perExampleGradientsFindWrongLabels() {
    assertTrue(PerExampleGradients.find(out) >= 4, text.toString());
  }

  @Test
  void customGradientTrainsWhatHasNone() {
    assertEquals(0, CustomGradient.train(out));
    assertTrue(text.toString().contains("{-0.0, ") || text.toString().contains("{0.0, "));
  }

  /**
   * Guessing every character alike costs ln 64 = 4.2; knowing how often each comes, 3.1. What it
   * writes is made of the text's runs of three characters; after one step a twelfth is.
   */
  @Test
  void charTransformerLearnsToWrite() throws IOException {
    CharTransformer.learn(out, 1, 2, 300);
    double before = known(written());
    text.getBuffer().setLength(0);
    double loss = CharTransformer.learn(out, 150, 2, 300);
    assertTrue(loss < 2.5, "loss " + loss);
    double after = known(written());
    assertTrue(before < 0.2 && after > 0.6, before + ", then " + after + " of: " + text);
  }

  /** What the network wrote itself. */
  private String written() {
    String start = System.lineSeparator().repeat(2) + "The ";
    String all = text.toString();
    return all.substring(all.indexOf(start) + start.length()).stripTrailing();
  }

  /** The share of the runs of three characters that the text has too. */
  private static double known(String written) throws IOException {
    try (InputStream in = CharText.class.getResourceAsStream("constitution.txt")) {
      String all = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
      int runs = written.length() - 2;
      return IntStream.range(0, runs).filter(i -> all.contains(written.substring(i, i + 3))).count()
          / (double) runs;
    }
  }

  @Test
  void optionsOfZeroAreNamed() {
    refused("digits-cnn --epochs", () -> DigitsCnn.learn(out, 0));
    refused("char-transformer --steps", () -> CharTransformer.learn(out, 0, 2, 40));
    refused("char-transformer --threads", () -> CharTransformer.learn(out, 30, 0, 40));
  }

  private static void refused(String option, Executable run) {
    String m = assertThrows(IllegalArgumentException.class, run).getMessage();
    assertEquals(option + ": must be at least 1: 0; leave it out", m);
  }
}
