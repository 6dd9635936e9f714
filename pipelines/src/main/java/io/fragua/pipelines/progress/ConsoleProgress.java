package io.fragua.pipelines.progress;

import io.fragua.spark.train.EpochMetrics;
import io.fragua.spark.train.TrainListener;
import java.io.PrintStream;
import java.util.Locale;
import java.util.Objects;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/**
 * Says where a job is. On a terminal one line at the bottom is drawn again and again: the phase and
 * its time, or the epoch with a bar, the loss, rows a second and the time left; what is finished
 * stays above it. Elsewhere (a file, a pipe, {@code TERM=dumb}) only what is finished is printed,
 * one plain line each.
 *
 * <p>Give it to an estimator as its listener, or name phases by hand with {@link #phase}. Safe for
 * use from several threads. Nothing else should print to the same stream before {@link #close()},
 * except through {@link #line(String)}.
 */
public final class ConsoleProgress implements TrainListener, AutoCloseable {
  private static final long REDRAW_NANOS = 200_000_000L;
  private static final int BAR = 20;
  // Not wider than the narrowest usual terminal: a line that wraps cannot be drawn over.
  private static final int WIDTH = 79;
  // Reports older than this many seconds hardly count for the pace: the first steps of a training
  // are
  // slow, and what is left is not done at their speed.
  private static final double PACE_SECONDS = 2;
  private static final String CLEAR = "\r\033[K";

  private final PrintStream out;
  private final boolean redraw;
  private final LongSupplier clock;
  private final Thread ticker;
  private DoubleSupplier fraction;

  private String phase;
  private String note = "";
  private long phaseBegan;
  private boolean drawn;
  private boolean closed;

  // The epoch that runs, from the first report of its steps on.
  private boolean stepping;
  private int epoch;
  private int epochs;
  private long rowsDone;
  private long rowsTotal;
  private double loss;
  // Rows a second lately, 0 if not known, and the report that it was counted up to.
  private double pace;
  private long paceAt;
  private long paceRows;

  /**
   * A display with everything decided by the caller.
   *
   * @param out where it is printed
   * @param redraw whether {@code out} is a terminal that understands carriage return and erase
   * @param clock nanoseconds from any origin
   * @param fraction of the running phase that is done, from 0 to 1; NaN if unknown
   * @param ticking whether a thread of its own redraws the elapsed time between calls
   */
  ConsoleProgress(
      PrintStream out,
      boolean redraw,
      LongSupplier clock,
      DoubleSupplier fraction,
      boolean ticking) {
    this.out = Objects.requireNonNull(out);
    this.fraction = Objects.requireNonNull(fraction);
    this.redraw = redraw;
    this.clock = clock;
    this.ticker = redraw && ticking ? new Thread(this::tick, "fragua-progress") : null;
    if (ticker != null) {
      ticker.setDaemon(true);
      ticker.start();
    }
  }

  /**
   * A display on standard output, redrawn if that is a terminal. How much of a phase is done it
   * knows after {@link #watch}.
   */
  public static ConsoleProgress onStandardOutput() {
    return new ConsoleProgress(
        System.out, Terminal.canRedraw(), System::nanoTime, () -> Double.NaN, true);
  }

  /** A display that prints finished phases and epochs as plain lines. */
  public static ConsoleProgress plain(PrintStream out) {
    return new ConsoleProgress(out, false, System::nanoTime, () -> Double.NaN, false);
  }

  /**
   * Asks this from now on how much of the running phase is done, about five times a second from
   * another thread; {@link JobProgress} knows it of Spark jobs.
   *
   * @param done from 0 to 1, or NaN if unknown
   */
  public synchronized void watch(DoubleSupplier done) {
    fraction = Objects.requireNonNull(done);
  }

  /** Ends the phase that runs, if any, and begins another, named by a verb in its -ing form. */
  @Override
  public synchronized void phase(String name) {
    finishPhase();
    phase = Objects.requireNonNull(name);
    note = "";
    phaseBegan = clock.getAsLong();
    stepping = false;
    pace = 0;
    draw();
  }

  /** Adds a remark to the line of the phase that runs, such as how many rows it has. */
  public synchronized void note(String text) {
    note = Objects.requireNonNull(text);
    draw();
  }

  @Override
  public synchronized void step(int at, int of, long done, long total, double meanLoss) {
    long now = clock.getAsLong();
    double seconds = (now - paceAt) / 1e9;
    if (!stepping) {
      stepping = true;
      paceAt = now;
      paceRows = done;
    } else if (seconds > 0 && done > paceRows) {
      double latest = (done - paceRows) / seconds;
      double old = pace > 0 ? Math.exp(-seconds / PACE_SECONDS) : 0;
      pace = old * pace + (1 - old) * latest;
      paceAt = now;
      paceRows = done;
    }
    epoch = at;
    epochs = of;
    rowsDone = done;
    rowsTotal = total;
    loss = meanLoss;
    draw();
  }

  @Override
  public synchronized void epoch(EpochMetrics m) {
    stepping = true;
    epoch = m.epoch() + 1;
    paceAt = clock.getAsLong();
    paceRows = 0;
    rowsDone = 0;
    loss = m.trainLoss();
    print(
        text(
            "epoch %s  loss %.4f%s%s  %,d rows in %s, %,.0f rows/s",
            epochs > 0 ? (m.epoch() + 1) + "/" + epochs : String.valueOf(m.epoch() + 1),
            m.trainLoss(),
            m.validationLoss() == null ? "" : text(", validation %.4f", m.validationLoss()),
            m.validationMetrics().entrySet().stream()
                .map(e -> text(", %s %.4f", e.getKey(), e.getValue()))
                .collect(Collectors.joining()),
            m.rows(),
            seconds(m.seconds()),
            m.rowsPerSecond()));
  }

  @Override
  public synchronized void retry(int retry, RuntimeException cause) {
    String what = cause.getMessage() == null ? cause.toString() : cause.getMessage();
    print(text("retry %d  %s", retry, what.lines().findFirst().orElse("")));
  }

  /** Prints a line that stays, above what is redrawn. */
  public synchronized void line(String text) {
    print(text);
  }

  /** Ends the phase that runs. Idempotent. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    finishPhase();
    closed = true;
    if (ticker != null) {
      ticker.interrupt();
    }
  }

  /** Ends without a word about the phase that runs, because it failed. Idempotent. */
  public synchronized void abandon() {
    erase();
    phase = null;
    close();
  }

  private void finishPhase() {
    if (phase != null) {
      String said = note.isEmpty() ? "" : "  " + note;
      double took = (clock.getAsLong() - phaseBegan) / 1e9;
      String name = phase;
      phase = null;
      print(text("%-10s %7s%s", name, seconds(took), said));
    }
  }

  private void print(String text) {
    erase();
    out.println(text);
    draw();
  }

  private void erase() {
    if (drawn) {
      out.print(CLEAR);
      out.flush();
      drawn = false;
    }
  }

  private void draw() {
    if (!redraw || phase == null || closed) {
      return;
    }
    String text = stepping && rowsTotal > 0 && epoch < epochs ? epochLine() : phaseLine();
    out.print(CLEAR + (text.length() > WIDTH ? text.substring(0, WIDTH) : text));
    out.flush();
    drawn = true;
  }

  private String phaseLine() {
    double took = (clock.getAsLong() - phaseBegan) / 1e9;
    double done = fraction.getAsDouble();
    return text("%-10s %7s", phase, seconds(took))
        + (done > 0 ? "  " + bar(done) : "") // an empty bar says nothing
        + (note.isEmpty() ? "" : "  " + note);
  }

  private String epochLine() {
    String speed = "";
    if (pace > 0) {
      long left = rowsTotal - rowsDone + (epochs - 1L - epoch) * rowsTotal;
      double since = (clock.getAsLong() - paceAt) / 1e9;
      speed = text("  %,.0f rows/s  %s left", pace, clockTime(left / pace - since));
    }
    return text(
        "epoch %d/%d  %s  loss %.4f%s",
        epoch + 1, epochs, bar((double) rowsDone / rowsTotal), loss, speed);
  }

  private static String bar(double done) {
    double share = Math.max(0, Math.min(1, done));
    int full = (int) Math.floor(share * BAR);
    String tip = full < BAR ? ">" + " ".repeat(BAR - 1 - full) : "";
    return text("[%s%s] %3d %%", "=".repeat(full), tip, (int) Math.floor(share * 100));
  }

  private static String seconds(double s) {
    return s < 60 ? text("%.1f s", s) : clockTime(s);
  }

  /** 0:07, 12:05, 1:02:03. */
  static String clockTime(double seconds) {
    long s = Math.max(0, Math.round(seconds));
    return s < 3600
        ? text("%d:%02d", s / 60, s % 60)
        : text("%d:%02d:%02d", s / 3600, s / 60 % 60, s % 60);
  }

  private static String text(String format, Object... arguments) {
    return String.format(Locale.ROOT, format, arguments);
  }

  private void tick() {
    try {
      while (true) {
        Thread.sleep(REDRAW_NANOS / 1_000_000);
        synchronized (this) {
          if (closed) {
            return;
          }
          draw();
        }
      }
    } catch (InterruptedException e) {
      // close() asks to stop.
    }
  }
}
