package io.fragua.examples.bench;

import io.fragua.examples.bench.BenchRow.Better;
import io.fragua.exec.Profile;
import io.fragua.tensor.Tensor;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code bin/fragua bench engine}: the tensor engine beside PyTorch, JAX and ONNX Runtime. For each
 * workload both sides compute the same from the same operands; results are compared, and only then
 * both are timed, by turns, never at once.
 */
@Command(
    name = "engine",
    description = {
      "Time tensor programs beside PyTorch, JAX and ONNX Runtime.",
      "A peer runs if FRAGUA_BENCH_PYTHON names a Python that has it, and numpy.",
      "The ratios to reach are for 2 cores that do nothing else."
    },
    sortOptions = false,
    mixinStandardHelpOptions = true)
public final class EngineBench implements Callable<Integer> {
  private static final int ROUNDS = 5;

  /** Turns of a row that measures itself. */
  private static final int FIGURES = 3;

  /** Most times as long as a measurement that the JVM may compile. */
  private static final int MAX_WARM_UPS = 10;

  /** Share of the time: if the JVM compiles for less, it is through. */
  private static final double IDLE = 0.002;

  /** Most runs of a profile. */
  private static final int PROFILED = 1000;

  /** Runs shorter than this are timed several at once. */
  private static final double BATCH_SECONDS = 0.005;

  @Option(
      names = "--rows",
      split = ",",
      paramLabel = "TEXT",
      description = "Only rows whose name has one of these texts in it, as gelu or \"B=128\".")
  private List<String> chosen = List.of();

  @Option(
      names = "--seconds",
      paramLabel = "S",
      description =
          "Time for each measurement, and the least before it to warm up: until the JVM's compiler"
              + " is through (default: 1).")
  private double seconds = 1;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of either side, unless a row is for one (default: all cores).")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(
      names = "--profile",
      description = "After the times of a row, show where Fragua's went, step by step.")
  private boolean profile;

  @Spec private CommandSpec spec;

  private final Map<String, String> environment;
  private final List<Workload> workloads;
  private final Path script;

  /** Made by picocli. */
  public EngineBench() {
    this(
        System.getenv(),
        Workloads.all(),
        Path.of(System.getProperty("fragua.home", ""), "examples", "bench", "peers", "engine.py"));
  }

  /** With other environment variables, rows and peers. */
  EngineBench(Map<String, String> environment, List<Workload> workloads, Path script) {
    this.environment = environment;
    this.workloads = workloads;
    this.script = script;
  }

  /** What is known after some rows. */
  private final class Session implements AutoCloseable {
    final PrintWriter out = spec.commandLine().getOut();
    final Path folder;
    final Map<String, String> missing = new TreeMap<>();
    final List<BenchRow> rows = new ArrayList<>();
    final List<String> failed = new ArrayList<>();

    /** By number of threads: JAX takes it at its start. */
    final Map<Integer, EnginePeer> peers = new HashMap<>();

    Session() throws IOException {
      folder = Files.createTempDirectory("fragua-bench-");
    }

    EnginePeer peer(int threads) {
      String python = environment.get(PythonPeer.VARIABLE);
      if (python == null || python.isBlank()) {
        missing.put(
            "(all)",
            PythonPeer.VARIABLE + " is not set; set it to a Python with torch, jax or onnxruntime");
        return null;
      }
      try {
        EnginePeer p = peers.get(threads);
        if (p == null) {
          p = EnginePeer.start(python, script, threads, folder);
          peers.put(threads, p);
        }
        return p;
      } catch (IOException e) {
        missing.put(
            "(all)",
            PythonPeer.VARIABLE + " is " + python + ", which does not start: " + e.getMessage());
        return null;
      }
    }

    @Override
    public void close() {
      peers.values().forEach(EnginePeer::close);
      EnginePeer.delete(folder);
    }
  }

  @Override
  public Integer call() throws IOException {
    check(seconds > 0 && seconds <= 600, "--seconds lies between 0 and 600", seconds);
    check(threads >= 1, "--threads must be at least 1", threads);
    List<Workload> todo = BenchRow.chosen("bench engine", workloads, Workload::row, chosen);
    try (Session s = new Session()) {
      for (Workload w : todo) {
        measure(s, w);
      }
      s.missing.forEach((peer, why) -> s.out.println("peer " + peer + " is missing: " + why));
      BenchRow.print(s.out, s.rows);
      s.failed.forEach(s.out::println);
      s.out.flush();
      return s.failed.isEmpty() ? 0 : 1;
    }
  }

  private static void check(boolean holds, String rule, Object given) {
    if (!holds) {
      throw new IllegalArgumentException("bench engine: " + rule + ": " + given + "; correct it");
    }
  }

  private void measure(Session s, Workload w) {
    s.out.printf("%-34s ", w.row());
    s.out.flush();
    int n = w.threads() == 0 ? threads : w.threads();
    EnginePeer peer = s.peer(n);
    Map<String, String> names = new LinkedHashMap<>();
    try (Workload.Ours ours = w.ours().start(n)) {
      try {
        boolean same = peer == null || same(s, w, ours, peer, names);
        if (same) {
          Map<String, Double> medians =
              ours instanceof Workload.Measured m
                  ? figures(m, peer, names.keySet())
                  : times(ours, peer, names.keySet());
          report(s, w, medians, names);
          if (profile) {
            s.out.printf("%n%s", ours.profile(runs(ours)).table());
          }
        }
      } finally {
        names.keySet().forEach(peer == null ? k -> {} : peer::drop);
      }
    }
    s.out.println();
  }

  /** Prepares the peers; false if one computed something else. */
  private boolean same(
      Session s, Workload w, Workload.Ours ours, EnginePeer peer, Map<String, String> names) {
    Map<String, Tensor> mine = ours.outputs();
    Path inputs = peer.write(ours.inputs());
    boolean same = true;
    for (Workload.Against a : w.against()) {
      EnginePeer.Prepared p = peer.prepare(a.peer(), w, inputs);
      if (p.missing() != null) {
        s.missing.put(a.peer(), p.missing());
        continue;
      }
      names.put(a.peer(), p.name());
      String difference = Agreement.difference(mine, p.outputs(), w.tolerance());
      if (difference != null) {
        String text =
            "FAILED "
                + w.row()
                + ": both must compute the same before times are compared: "
                + difference
                + " with "
                + p.name()
                + "; find out which is wrong";
        s.failed.add(text);
        s.out.print(text);
        same = false;
      }
    }
    EnginePeer.delete(inputs);
    return same;
  }

  /** Median seconds of one run, ours under the empty name. */
  private Map<String, Double> times(Workload.Ours ours, EnginePeer peer, Iterable<String> others) {
    warmUp(ours);
    others.forEach(p -> peer.time(p, seconds));
    return medians(
        ROUNDS, () -> time(ours, seconds / ROUNDS), others, p -> peer.time(p, seconds / ROUNDS));
  }

  /** Until the JVM's compiler has hardly worked for as long as a measurement takes. */
  private void warmUp(Workload.Ours ours) {
    CompilationMXBean compiler = ManagementFactory.getCompilationMXBean();
    long before;
    int times = 0;
    do {
      before = compiler.getTotalCompilationTime();
      time(ours, seconds);
    } while (++times < MAX_WARM_UPS
        && compiler.getTotalCompilationTime() - before > IDLE * 1e3 * seconds);
  }

  /** As {@link #times}, of what each side measures itself. */
  private static Map<String, Double> figures(
      Workload.Measured ours, EnginePeer peer, Iterable<String> others) {
    return medians(FIGURES, () -> List.of(ours.figure()), others, p -> List.of(peer.figure(p)));
  }

  /** By turns. */
  private static Map<String, Double> medians(
      int rounds,
      Supplier<List<Double>> ours,
      Iterable<String> others,
      Function<String, List<Double>> theirs) {
    Map<String, List<Double>> all = new LinkedHashMap<>();
    for (int r = 0; r < rounds; r++) {
      all.computeIfAbsent("", k -> new ArrayList<>()).addAll(ours.get());
      for (String p : others) {
        all.computeIfAbsent(p, k -> new ArrayList<>()).addAll(theirs.apply(p));
      }
    }
    Map<String, Double> medians = new LinkedHashMap<>();
    all.forEach(
        (k, times) -> medians.put(k, times.stream().sorted().toList().get(times.size() / 2)));
    return medians;
  }

  /** How often to run for a profile: for about as long as a measurement. */
  private int runs(Workload.Ours ours) {
    double one = ours.profile(1).events().stream().mapToLong(Profile.Event::nanos).sum() / 1e9;
    return (int) Math.max(1, Math.min(PROFILED, seconds / one));
  }

  /** As the peers' script does. */
  private static List<Double> time(Workload.Ours ours, double seconds) {
    List<Double> times = new ArrayList<>();
    long end = System.nanoTime() + (long) (seconds * 1e9);
    int runs = 1;
    do {
      long t = System.nanoTime();
      for (int i = 0; i < runs; i++) {
        ours.run();
      }
      double took = (System.nanoTime() - t) / 1e9;
      if (took < BATCH_SECONDS && runs < 1 << 24) {
        runs *= 2; // a clock is not read for less
      } else {
        times.add(took / runs);
      }
    } while (System.nanoTime() < end || times.isEmpty());
    return times;
  }

  private static void report(
      Session s, Workload w, Map<String, Double> medians, Map<String, String> names) {
    double mine = medians.get("") * w.scale();
    s.out.printf(Locale.ROOT, "%.4g %s", mine, w.unit());
    if (names.isEmpty()) {
      s.rows.add(new BenchRow(w.row(), mine, w.unit(), Better.LOWER, null, null, null));
    }
    for (Workload.Against a : w.against()) {
      if (names.containsKey(a.peer())) {
        double theirs = medians.get(a.peer()) * w.scale();
        s.out.printf(Locale.ROOT, ", %s %.4g", a.peer(), theirs);
        s.rows.add(
            new BenchRow(
                w.row() + " / " + a.peer(),
                mine,
                w.unit(),
                Better.LOWER,
                names.get(a.peer()),
                theirs,
                theirs / a.reach()));
      }
    }
  }
}
