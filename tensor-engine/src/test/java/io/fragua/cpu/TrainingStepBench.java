package io.fragua.cpu;

import io.fragua.exec.Allocator;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Precision;
import io.fragua.graph.Graph;
import io.fragua.graph.Tracer;
import io.fragua.nn.Activations;
import io.fragua.nn.Dense;
import io.fragua.nn.Embedding;
import io.fragua.nn.Losses;
import io.fragua.nn.Network;
import io.fragua.nn.ParamTree;
import io.fragua.nn.Sequential;
import io.fragua.optim.GradientTransform;
import io.fragua.optim.Optimizers;
import io.fragua.optim.Schedules;
import io.fragua.random.Key;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Movement;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.transform.Grad;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;

/**
 * Times the training step of a small tabular model: five embeddings of 16 and five numbers, then
 * 256, 128, 1; cross entropy; Adam. A program to run by hand, not a test:
 *
 * <pre>java --add-modules jdk.incubator.vector -cp ... io.fragua.cpu.TrainingStepBench 512 2</pre>
 *
 * Arguments: rows a step (512), workers in parallel with one thread each (1), STRICT or BF16_MATH.
 */
final class TrainingStepBench {
  private static final int ROWS_OF_TABLE = 857;

  private TrainingStepBench() {}

  /** Runs it. */
  public static void main(String[] args) throws InterruptedException {
    int batch = args.length > 0 ? Integer.parseInt(args[0]) : 512;
    int workers = args.length > 1 ? Integer.parseInt(args[1]) : 1;
    Precision precision = args.length > 2 ? Precision.valueOf(args[2]) : Precision.STRICT;
    long t0 = System.nanoTime();
    Graph[] graphs = graphs(batch);
    long t1 = System.nanoTime();
    CompileOptions o = CompileOptions.DEFAULT.withPrecision(precision);
    Map<Integer, Integer> donated = new HashMap<>();
    for (int i = 0; i < graphs[1].outputs().size(); i++) {
      donated.put(i, i);
    }
    try (CpuProgram gradient = new CpuProgram(graphs[0], o);
        CpuProgram update = new CpuProgram(graphs[1], o.withDonated(donated))) {
      long t2 = System.nanoTime();
      System.out.printf(
          Locale.ROOT, "trace %.0f ms, compile %.0f ms%n", (t1 - t0) / 1e6, (t2 - t1) / 1e6);
      System.out.print(gradient.explain());
      System.out.print(update.explain());
      CountDownLatch start = new CountDownLatch(workers);
      List<Thread> threads = new ArrayList<>();
      for (int w = 0; w < workers; w++) {
        int id = w;
        threads.add(new Thread(() -> work(gradient, update, id, start)));
        threads.get(w).start();
      }
      for (Thread t : threads) {
        t.join();
      }
    }
  }

  private static void work(CpuProgram gradient, CpuProgram update, int id, CountDownLatch start) {
    try (Allocator a = new Allocator("bench");
        CpuExecution g = gradient.newExecution(a);
        CpuExecution u = update.newExecution(a)) {
      fill(g, u);
      start.countDown();
      start.await();
      long begin = System.nanoTime();
      for (int r = 0; r < 12; r++) {
        int steps = r < 4 ? 25 : 200;
        long t = System.nanoTime();
        long c = cpu();
        for (int i = 0; i < steps; i++) {
          g.run();
          u.run();
        }
        double ms = (System.nanoTime() - t) / 1e6 / steps;
        double cpuMs = (cpu() - c) / 1e6 / steps;
        if (id == 0) {
          System.out.printf(
              Locale.ROOT,
              "after %5.0f ms: %.3f ms a step, %.3f of them on a core; loss %f%n",
              (t - begin) / 1e6,
              ms,
              cpuMs,
              g.output(0).getDouble(DType.F32, 0));
        }
      }
      if (id == 0) {
        double product = 0;
        double rest = 0;
        for (CpuExecution x : List.of(g, u)) {
          CpuProgram p = x == g ? gradient : update;
          long[] nanos = new long[p.steps().size()];
          int runs = 500;
          for (int i = 0; i < runs; i++) {
            x.profile(nanos, TrainingStepBench::cpu);
          }
          for (int i = 0; i < nanos.length; i++) {
            double us = nanos[i] / 1e3 / runs;
            System.out.printf(Locale.ROOT, "%8.1f us  %s%n", us, p.steps().get(i).describe());
            if (p.steps().get(i) instanceof MatmulStep) {
              product += us;
            } else {
              rest += us;
            }
          }
        }
        System.out.printf(
            Locale.ROOT, "a step: products %.3f ms, the rest %.3f ms%n", product / 1e3, rest / 1e3);
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Time this thread ran: unlike the wall clock it does not count what others take of the core. */
  private static long cpu() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  private static void fill(CpuExecution g, CpuExecution u) {
    Random r = new Random(1);
    Graph gg = g.program().graph();
    Graph ug = u.program().graph();
    for (int i = 0; i < gg.inputs().size(); i++) {
      Graph.Input in = gg.inputs().get(i);
      Buffer b = g.input(i);
      for (int k = 0; k < in.type().shape().size(); k++) {
        if (in.type().dtype() == DType.I32) {
          b.putLong(DType.I32, k, r.nextInt(ROWS_OF_TABLE));
        } else if (in.name().equals("label")) {
          b.putDouble(DType.F32, k, r.nextInt(2));
        } else {
          b.putDouble(DType.F32, k, in.name().equals("weight") ? 1 : 0.05 * r.nextGaussian());
        }
      }
    }
    int params = (int) gg.inputs().stream().filter(i -> i.name().startsWith("param:")).count();
    for (int o = 0; o < ug.outputs().size(); o++) {
      if (o < params) {
        u.bindInput(o, g.input(o));
      }
      u.bindOutput(o, u.input(o));
    }
    for (int o = 0; o < gg.outputs().size(); o++) {
      String name = gg.outputs().get(o).name();
      if (name.startsWith("grad:") || name.equals("weight_sum")) {
        u.bindInput(ug.input(name), g.output(o));
      }
    }
  }

  /** The gradient and the update, as the estimators trace them. */
  static Graph[] graphs(int batch) {
    Embedding table = new Embedding(ROWS_OF_TABLE, 16);
    Sequential layers =
        new Sequential(
            new Dense(256),
            Activations.get("relu"),
            new Dense(128),
            Activations.get("relu"),
            new Dense(1));
    Network.Body body =
        (s, in) ->
            layers.apply(
                s,
                Movement.concat(
                    1,
                    List.of(
                        table.apply(s.child("embedding"), in.get(1)).reshape(batch, 80),
                        in.get(0))));
    List<TensorType> tiles =
        List.of(TensorType.of(DType.F32, batch, 5), TensorType.of(DType.I32, batch, 5));
    Network.Variables v = Network.init(body, tiles, Key.of(0));
    ParamTree params = v.params();
    List<Graph.Input> in = named("param:", params);
    in.add(new Graph.Input("x", tiles.get(0)));
    in.add(new Graph.Input("ids", tiles.get(1)));
    in.add(new Graph.Input("label", TensorType.of(DType.F32, batch)));
    in.add(new Graph.Input("weight", TensorType.of(DType.F32, batch)));
    int n = params.size();
    Graph loss =
        Tracer.trace(
            in,
            List.of("loss", "weight_sum"),
            a -> {
              Tensor y =
                  Network.apply(
                          body,
                          new Network.Variables(params.withLeaves(a.subList(0, n)), v.state()),
                          a.subList(n, n + 2),
                          false,
                          null,
                          null)
                      .output()
                      .reshape(batch);
              Tensor w = a.get(n + 3);
              Tensor l = Losses.binaryCrossEntropyWithLogits(y, a.get(n + 2)).mul(w);
              return List.of(w.greater(0).select(l, Tensor.scalar(DType.F32, 0)).sum(), w.sum());
            });
    Graph gradient =
        Grad.valueAndGrad(
            loss,
            IntStream.range(0, n).toArray(),
            params.names().stream().map(k -> "grad:" + k).toList());
    return new Graph[] {gradient, update(params)};
  }

  private static Graph update(ParamTree params) {
    GradientTransform adam = Optimizers.adam(Schedules.constant(1e-3));
    ParamTree state = adam.init(params);
    List<Graph.Input> in = named("param:", params);
    in.addAll(named("opt:", state));
    in.addAll(named("grad:", params));
    in.add(new Graph.Input("weight_sum", TensorType.of(DType.F32)));
    List<String> out = new ArrayList<>();
    params.names().forEach(k -> out.add("param:" + k));
    state.names().forEach(k -> out.add("opt:" + k));
    int n = params.size();
    int m = state.size();
    return Tracer.trace(
        in,
        out,
        a -> {
          ParamTree p = params.withLeaves(a.subList(0, n));
          ParamTree g = params.withLeaves(a.subList(n + m, n + m + n));
          GradientTransform.Update u =
              adam.update(
                  g.map(x -> x.div(a.get(n + m + n))), state.withLeaves(a.subList(n, n + m)), p);
          List<Tensor> r = new ArrayList<>(Optimizers.applyUpdates(p, u.updates()).leaves());
          r.addAll(u.state().leaves());
          return r;
        });
  }

  private static List<Graph.Input> named(String prefix, ParamTree tree) {
    List<Graph.Input> in = new ArrayList<>();
    tree.asMap().forEach((k, t) -> in.add(new Graph.Input(prefix + k, t.type())));
    return in;
  }
}
