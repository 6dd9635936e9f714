package io.fragua.exec;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fragua.tensor.Check;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Where the time of some runs of a program went: step by step, in the order of {@link
 * Program#explain}. Immutable and thread-safe.
 *
 * @param runs that were measured
 * @param steps what was measured
 * @param events each time a step ran, in order
 */
public record Profile(int runs, List<Step> steps, List<Event> events) {
  /**
   * A step.
   *
   * @param name what {@link Program#explain} calls it
   * @param bytes that one call reads and writes
   * @param flops of one call; 0 if not known
   */
  public record Step(String name, long bytes, double flops) {}

  /**
   * One call of a step.
   *
   * @param step its position
   * @param start nanoseconds after the first run began
   * @param nanos that it took
   */
  public record Event(int step, long start, long nanos) {}

  /** Copies. */
  public Profile {
    steps = List.copyOf(steps);
    events = List.copyOf(events);
  }

  /**
   * Measures something as one step, whose bytes and operations are not known.
   *
   * @param name of the step
   * @param runs how often to run it, at least 1
   * @throws IllegalArgumentException if {@code runs} is less than 1
   */
  public static Profile of(String name, int runs, Runnable run) {
    Check.that(runs >= 1, "profile: needs at least one run: %d; correct it", runs);
    List<Event> events = new ArrayList<>();
    long began = System.nanoTime();
    for (int r = 0; r < runs; r++) {
      long t = System.nanoTime();
      run.run();
      events.add(new Event(0, t - began, System.nanoTime() - t));
    }
    return new Profile(runs, List.of(new Step(name, 0, 0)), events);
  }

  /** Nanoseconds in all calls of a step. */
  public long nanos(int step) {
    return events.stream().filter(e -> e.step() == step).mapToLong(Event::nanos).sum();
  }

  /** How often a step ran. */
  public long calls(int step) {
    return events.stream().filter(e -> e.step() == step).count();
  }

  /**
   * A table for people, slowest first: calls, time of one, its part of all, how fast memory was
   * read and written and operations done, and the step with its number.
   */
  public String table() {
    double all = Math.max(1, events.stream().mapToLong(Event::nanos).sum());
    StringBuilder s = new StringBuilder();
    s.append(
        String.format(
            Locale.ROOT,
            "profile: %d runs of %.1f us%n%6s %10s %6s %8s %8s  %s%n",
            runs,
            all / 1e3 / Math.max(1, runs),
            "calls",
            "us a call",
            "%",
            "GB/s",
            "GFLOP/s",
            "step"));
    IntStream.range(0, steps.size())
        .filter(i -> calls(i) > 0)
        .boxed()
        .sorted(Comparator.comparingLong(this::nanos).reversed())
        .forEach(
            i -> {
              double one = Math.max(1, nanos(i)) / (double) calls(i);
              Step t = steps.get(i);
              s.append(
                  String.format(
                      Locale.ROOT,
                      "%6d %10.1f %6.1f %8.1f %8s  %4d  %s%n",
                      calls(i),
                      one / 1e3,
                      100 * nanos(i) / all,
                      t.bytes() / one,
                      t.flops() > 0 ? String.format(Locale.ROOT, "%.1f", t.flops() / one) : "-",
                      i,
                      t.name()));
            });
    return s.toString();
  }

  /**
   * Writes all events as JSON that Perfetto and Chrome's about:tracing open. The stream is not
   * closed.
   *
   * @source Trace Event Format, "Complete Events"
   */
  public void writeTrace(OutputStream out) throws IOException {
    JsonGenerator g =
        new ObjectMapper().createGenerator(out).disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
    g.writeStartObject();
    g.writeArrayFieldStart("traceEvents");
    for (Event e : events) {
      Step t = steps.get(e.step());
      g.writeStartObject();
      g.writeStringField("name", t.name());
      g.writeStringField("cat", "step");
      g.writeStringField("ph", "X");
      g.writeNumberField("ts", e.start() / 1e3);
      g.writeNumberField("dur", e.nanos() / 1e3);
      g.writeNumberField("pid", 1);
      g.writeNumberField("tid", 1);
      g.writeObjectFieldStart("args");
      g.writeNumberField("step", e.step());
      g.writeNumberField("bytes", t.bytes());
      g.writeNumberField("flops", t.flops());
      g.writeEndObject();
      g.writeEndObject();
    }
    g.writeEndArray();
    g.writeStringField("displayTimeUnit", "ns");
    g.writeEndObject();
    g.close();
  }
}
