package io.fragua.examples.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
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

  /** Guessing every character alike costs ln 64 = 4.2; knowing how often each comes, 3.1. */
  @Test
  void charTransformerLearnsMoreThanFrequencies() {
    double loss = CharTransformer.learn(out, 30, 2, 40);
    assertTrue(loss < 3, "loss " + loss);
    assertTrue(text.toString().contains("The "), text.toString());
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
