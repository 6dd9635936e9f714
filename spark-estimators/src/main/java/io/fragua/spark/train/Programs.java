package io.fragua.spark.train;

import io.fragua.exec.Backend;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.graph.GraphJson;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The compiled graphs of a training. Compilation runs on a thread of its own, so that it overlaps
 * with the arrival of the rows; workers of one process share the programs, which are freed with the
 * last worker. Thread-safe.
 */
final class Programs {
  private static final Logger LOG = LoggerFactory.getLogger(Programs.class);

  /** By job; guarded by itself. One process may have many workers of one job, and many jobs. */
  private static final Map<String, Programs> SHARED = new HashMap<>();

  /** Compiled programs; evaluate is null without validation. */
  record Compiled(Program gradient, Program update, Program evaluate) {
    void close() {
      gradient.close();
      update.close();
      if (evaluate != null) {
        evaluate.close();
      }
    }
  }

  private final String id;
  private final CompletableFuture<Compiled> compiled = new CompletableFuture<>();

  /** Done when the thread that compiles has ended its use of the programs. */
  private final CompletableFuture<Void> idle = new CompletableFuture<>();

  private int users;
  private int uses;

  /** True when the workers are about to take their first step, or when none is left. */
  private volatile boolean wanted;

  private Programs(String id) {
    this.id = id;
  }

  /**
   * The programs of a job; compilation starts with the first user.
   *
   * @param threads of a worker
   * @param updating threads of an update: more where one worker makes it for those that wait
   */
  static Programs acquire(TrainPlan plan, Backend backend, int threads, int updating) {
    synchronized (SHARED) {
      Programs p =
          SHARED.computeIfAbsent(
              plan.id(),
              id -> {
                Programs fresh = new Programs(id);
                Thread t =
                    new Thread(
                        () -> fresh.compile(plan, backend, threads, updating),
                        "fragua-compile-" + id);
                t.setDaemon(true);
                t.start();
                return fresh;
              });
      p.users++;
      p.uses++;
      return p;
    }
  }

  /** Gives them back; the last user's call frees them. */
  void release() {
    release(0);
  }

  /**
   * Gives them back; they are freed when there has been no user for so long.
   *
   * @param keepMs milliseconds; less than a second frees them at once
   */
  void release(long keepMs) {
    int before;
    synchronized (SHARED) {
      users--;
      before = uses;
    }
    if (keepMs < 1000) {
      freeUnused(before);
    } else {
      CompletableFuture.delayedExecutor(keepMs, TimeUnit.MILLISECONDS)
          .execute(() -> freeUnused(before));
    }
  }

  /** Frees them if nobody has come since there were so many uses. */
  private void freeUnused(int before) {
    synchronized (SHARED) {
      if (users > 0 || uses != before) {
        return;
      }
      SHARED.remove(id);
    }
    wanted = true;
    // Runs now if nobody uses them, else when that is over.
    idle.thenRun(
        () -> {
          if (!compiled.isCompletedExceptionally()) {
            compiled.join().close();
          }
        });
  }

  /**
   * Waits for the programs.
   *
   * @throws RuntimeException what the compilation threw
   */
  Compiled get() throws InterruptedException {
    try {
      return compiled.get();
    } catch (java.util.concurrent.ExecutionException e) {
      throw e.getCause() instanceof RuntimeException r
          ? r
          : new IllegalStateException("train: graphs can be compiled: " + e.getCause(), e);
    }
  }

  /**
   * Ends the warm-up: steps follow. Until then it goes on beside workers that load their rows and
   * wait for each other, which Spark's barrier lets them do for a second.
   */
  void begin() {
    wanted = true;
  }

  private void compile(TrainPlan plan, Backend backend, int threads, int updating) {
    List<Program> made = new ArrayList<>();
    try {
      CompileOptions options =
          CompileOptions.DEFAULT.withPrecision(plan.precision()).withThreads(threads);
      Graph update = GraphJson.read(plan.update());
      made.add(backend.compile(GraphJson.read(plan.gradient()), options));
      made.add(backend.compile(update, options.withThreads(updating).withDonated(donated(update))));
      if (plan.evaluate() != null) {
        made.add(backend.compile(GraphJson.read(plan.evaluate()), options));
      }
      Compiled c = new Compiled(made.get(0), made.get(1), made.size() > 2 ? made.get(2) : null);
      compiled.complete(c);
      WarmUp.run(() -> wanted, c.gradient(), c.update());
    } catch (Throwable t) { // also errors of native code's loading: the workers must hear of them
      if (compiled.completeExceptionally(t)) {
        made.forEach(Program::close);
      } else {
        LOG.warn("train: programs could not be run on zeros; the training goes on without", t);
      }
    } finally {
      idle.complete(null);
    }
  }

  /** New parameters and optimizer state are written over the old. */
  private static Map<Integer, Integer> donated(Graph update) {
    Map<Integer, Integer> d = new HashMap<>();
    for (int o = 0; o < update.outputs().size(); o++) {
      d.put(o, update.input(update.outputs().get(o).name()));
    }
    return d;
  }

  /** Jobs that hold programs in this process. */
  static int live() {
    synchronized (SHARED) {
      return SHARED.size();
    }
  }
}
