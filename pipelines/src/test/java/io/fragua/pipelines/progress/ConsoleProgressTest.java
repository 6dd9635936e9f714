package io.fragua.pipelines.progress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.spark.train.EpochMetrics;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What is shown, with a clock that the test turns. */
class ConsoleProgressTest {
  private static final String CLEAR = "\r\033[K";

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
  private long now = 1_000_000_000_000L;
  private double done = Double.NaN;

  private ConsoleProgress display(boolean redraw) {
    return new ConsoleProgress(out, redraw, () -> now, () -> done, false);
  }

  private void pass(double seconds) {
    now += (long) (seconds * 1e9);
  }

  /** What was printed since the last call. */
  private String printed() {
    String text = bytes.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
    bytes.reset();
    return text;
  }

  /** Plays a job of two phases, two epochs and a remark. */
  private void play(ConsoleProgress p) {
    p.phase("reading");
    p.note("1,000 rows");
    pass(1.25);
    p.phase("training");
    pass(0.5);
    p.step(0, 2, 100, 1000, 0.7);
    pass(1);
    p.step(0, 2, 600, 1000, 0.6);
    pass(0.8);
    p.epoch(new EpochMetrics(0, 0.55, null, 1000, 2.0));
    pass(1);
    p.step(1, 2, 500, 1000, 0.5);
    pass(1);
    p.epoch(new EpochMetrics(1, 0.45, 0.475, 1000, 2.0));
    pass(0.1);
    p.close();
    p.close();
  }

  @Test
  void aLogGetsOneLineForEachThingThatIsFinished() {
    play(display(false));
    assertEquals(
        """
        reading      1.3 s  1,000 rows
        epoch 1/2  loss 0.5500  1,000 rows in 2.0 s, 500 rows/s
        epoch 2/2  loss 0.4500, validation 0.4750  1,000 rows in 2.0 s, 500 rows/s
        training     4.4 s
        """,
        printed());
  }

  @Test
  void metricsAndRetriesHaveTheirPlace() {
    ConsoleProgress p = display(false);
    p.retry(1, new IllegalStateException("train: executor 1 was lost\n\tat somewhere"));
    p.retry(2, new IllegalStateException());
    p.epoch(new EpochMetrics(0, 0.55, 0.5, Map.of("mae", 2.0, "accuracy", 0.75), 1000, 2.0));
    assertEquals(
        """
        retry 1  train: executor 1 was lost
        retry 2  java.lang.IllegalStateException
        epoch 1  loss 0.5500, validation 0.5000, accuracy 0.7500, mae 2.0000  1,000 rows in 2.0 s, 500 rows/s
        """,
        printed());
  }

  @Test
  void aTerminalShowsTheSameLinesAndOneThatIsDrawnAgain() {
    play(display(true));
    List<String> drawn =
        Stream.of(printed().split("\r\033\\[K")).filter(s -> !s.isEmpty()).toList();
    assertEquals(
        List.of(
            "reading      0.0 s",
            "reading      0.0 s  1,000 rows",
            "reading      1.3 s  1,000 rows\n",
            "training     0.0 s",
            "epoch 1/2  [==>                 ]  10 %  loss 0.7000",
            // 500 rows in the second since the first report, 400 + 1,000 to go.
            "epoch 1/2  [============>       ]  60 %  loss 0.6000  500 rows/s  0:03 left",
            "epoch 1/2  loss 0.5500  1,000 rows in 2.0 s, 500 rows/s\n",
            "epoch 2/2  [>                   ]   0 %  loss 0.5500  500 rows/s  0:02 left",
            "epoch 2/2  [==========>         ]  50 %  loss 0.5000  500 rows/s  0:01 left",
            "epoch 2/2  loss 0.4500, validation 0.4750  1,000 rows in 2.0 s, 500 rows/s\n",
            "training     4.3 s",
            "training     4.4 s\n"),
        drawn);
  }

  @Test
  void aPhaseWithKnownProgressHasABar() {
    ConsoleProgress p = display(true);
    p.phase("scoring");
    assertEquals(CLEAR + "scoring      0.0 s", printed());
    done = 0;
    p.note("");
    assertEquals(CLEAR + "scoring      0.0 s", printed());
    done = 0.5;
    pass(61);
    p.note("");
    assertEquals(CLEAR + "scoring       1:01  [==========>         ]  50 %", printed());
    p.watch(() -> 1);
    p.note("all");
    assertEquals(CLEAR + "scoring       1:01  [====================] 100 %  all", printed());
  }

  @Test
  void theTimeLeftFollowsTheLatestPaceAndCountsDown() {
    ConsoleProgress p = display(true);
    p.phase("training");
    p.step(0, 1, 0, 100_000, 0.7);
    pass(1);
    p.step(0, 1, 1_000, 100_000, 0.7); // the first steps compile
    pass(10);
    printed();
    p.step(0, 1, 51_000, 100_000, 0.6);
    assertEquals(
        CLEAR + "epoch 1/1  [==========>         ]  51 %  loss 0.6000  4,973 rows/s  0:10 left",
        printed());
    pass(4);
    p.note(""); // as the ticker does between reports
    assertEquals(
        CLEAR + "epoch 1/1  [==========>         ]  51 %  loss 0.6000  4,973 rows/s  0:06 left",
        printed());
  }

  @Test
  void aLineThatStaysIsPrintedAboveTheOneThatIsDrawn() {
    ConsoleProgress p = display(true);
    p.phase("saving");
    printed();
    p.line("model: /tmp/m");
    assertEquals(CLEAR + "model: /tmp/m\n" + CLEAR + "saving       0.0 s", printed());
  }

  @Test
  void afterAFailureOnlyTheDrawnLineGoes() {
    ConsoleProgress p = display(true);
    p.phase("training");
    printed();
    p.abandon();
    p.note("late");
    assertEquals(CLEAR, printed());
  }

  @Test
  void aLineIsNeverWiderThanATerminal() {
    ConsoleProgress p = display(true);
    p.phase("reading");
    printed();
    p.note("x".repeat(200));
    assertEquals(79, printed().substring(CLEAR.length()).length());
  }

  @Test
  void theTickerRedrawsByItselfAndEndsWithClose() throws InterruptedException {
    ConsoleProgress p = new ConsoleProgress(out, true, () -> now, () -> done, true);
    p.phase("reading");
    for (int i = 0;
        i < 300 && bytes.toString(StandardCharsets.UTF_8).split("reading").length < 3;
        i++) {
      Thread.sleep(100);
    }
    p.close();
    assertTrue(printed().split("reading").length >= 3);
    for (int i = 0; i < 300 && tickers() > 0; i++) {
      Thread.sleep(100);
    }
    assertEquals(0, tickers());
  }

  private static long tickers() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(t -> t.getName().equals("fragua-progress"))
        .count();
  }

  @Test
  void timesReadAsOnAClock() {
    assertEquals("0:00", ConsoleProgress.clockTime(0.2));
    assertEquals("0:07", ConsoleProgress.clockTime(7.4));
    assertEquals("12:05", ConsoleProgress.clockTime(725));
    assertEquals("1:02:03", ConsoleProgress.clockTime(3723));
  }

  @Test
  void onlyARealTerminalIsDrawnOn() {
    assertTrue(Terminal.canRedraw(Map.of("TERM", "xterm-256color"), true));
    assertFalse(Terminal.canRedraw(Map.of("TERM", "xterm-256color"), false));
    assertFalse(Terminal.canRedraw(Map.of("TERM", "dumb"), true));
    assertFalse(Terminal.canRedraw(Map.of(), true));
    assertFalse(Terminal.canRedraw(Map.of("TERM", "xterm", "NO_COLOR", ""), true));
    assertTrue(Terminal.isTerminalDevice("/dev/pts/3"));
    assertTrue(Terminal.isTerminalDevice("/dev/tty1"));
    assertFalse(Terminal.isTerminalDevice("pipe:[12345]"));
    assertFalse(Terminal.isTerminalDevice("/tmp/log.txt"));
    assertFalse(Terminal.isTerminalDevice("/dev/null"));
  }
}
