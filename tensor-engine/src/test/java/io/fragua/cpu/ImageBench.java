package io.fragua.cpu;

import io.fragua.exec.Allocator;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Precision;
import io.fragua.graph.Graph;
import io.fragua.graph.Tracer;
import io.fragua.nn.Layer;
import io.fragua.nn.Losses;
import io.fragua.nn.Network;
import io.fragua.nn.ParamTree;
import io.fragua.optim.Optimizers;
import io.fragua.optim.Schedules;
import io.fragua.optim.Training;
import io.fragua.random.Key;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.ImageNetworks;
import io.fragua.testing.Values;
import io.fragua.transform.Grad;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Times networks over images. A program to run by hand, not a test; arguments: {@code forward},
 * {@code train} or {@code profile}, {@code resnet} or {@code cnn}, batch, threads, runs, precision.
 */
final class ImageBench {
  private ImageBench() {}

  /** Runs it. */
  public static void main(String[] args) {
    boolean resnet = args[1].equals("resnet");
    int batch = Integer.parseInt(args[2]);
    int runs = Integer.parseInt(args[4]);
    CompileOptions o =
        CompileOptions.DEFAULT
            .withThreads(Integer.parseInt(args[3]))
            .withPrecision(args.length > 5 ? Precision.valueOf(args[5]) : Precision.STRICT);
    Layer layer = resnet ? ImageNetworks.resNet50(1000) : ImageNetworks.smallCnn();
    TensorType x = resnet ? f32(batch, 224, 224, 3) : f32(batch, 28, 28, 1);
    Network.Variables v = Network.init(Network.of(layer), List.of(x), Key.of(0));
    Tensor in = Values.range(-1, 1).make(x, 1);
    Tensor labels = Values.ids(resnet ? 1000 : 10).make(TensorType.of(DType.I32, batch), 2);
    switch (args[0]) {
      case "forward" -> run(graph(layer, v, x), v, List.of(in), runs, o, false);
      case "profile" -> run(gradient(layer, v, x, labels), v, List.of(in, labels), runs, o, true);
      case "forwardProfile" -> run(graph(layer, v, x), v, List.of(in), runs, o, true);
      default -> train(layer, v, in, labels, runs, o);
    }
  }

  private static TensorType f32(int... dims) {
    return TensorType.of(DType.F32, dims);
  }

  private static List<Graph.Input> inputs(Network.Variables v, TensorType... more) {
    List<Graph.Input> in = new ArrayList<>();
    v.params().asMap().forEach((k, t) -> in.add(new Graph.Input("param:" + k, t.type())));
    v.state().asMap().forEach((k, t) -> in.add(new Graph.Input("state:" + k, t.type())));
    for (TensorType t : more) {
      in.add(new Graph.Input("input" + in.size(), t));
    }
    return in;
  }

  private static Graph graph(Layer layer, Network.Variables v, TensorType x) {
    int p = v.params().size();
    int n = p + v.state().size();
    return Tracer.trace(
        inputs(v, x),
        a -> {
          ParamTree params = v.params().withLeaves(a.subList(0, p));
          ParamTree state = v.state().withLeaves(a.subList(p, n));
          Network.Variables now = new Network.Variables(params, state);
          return List.of(
              Network.apply(Network.of(layer), now, List.of(a.get(n)), false, null, null).output());
        });
  }

  private static Graph gradient(Layer layer, Network.Variables v, TensorType x, Tensor labels) {
    int p = v.params().size();
    int n = p + v.state().size();
    Graph loss =
        Tracer.trace(
            inputs(v, x, labels.type()),
            a -> {
              ParamTree params = v.params().withLeaves(a.subList(0, p));
              ParamTree state = v.state().withLeaves(a.subList(p, n));
              Network.Result r =
                  Network.apply(
                      Network.of(layer),
                      new Network.Variables(params, state),
                      List.of(a.get(n)),
                      true,
                      Key.of(0),
                      null);
              List<Tensor> out = new ArrayList<>();
              out.add(Losses.crossEntropyWithLogits(r.output(), a.get(n + 1)).mean());
              out.addAll(r.state().leaves());
              return out;
            });
    return Grad.valueAndGrad(loss, IntStream.range(0, p).toArray(), v.params().names());
  }

  private static void run(
      Graph g, Network.Variables v, List<Tensor> in, int runs, CompileOptions o, boolean profile) {
    int n = v.params().size() + v.state().size();
    List<Tensor> args = new ArrayList<>(v.params().leaves());
    args.addAll(v.state().leaves());
    args.addAll(in);
    boolean fixed = g.outputs().size() == 1;
    CompileOptions f =
        fixed
            ? o.withFixed(
                IntStream.range(0, n).boxed().collect(java.util.stream.Collectors.toSet()))
            : o;
    long t0 = System.nanoTime();
    try (CpuProgram p = new CpuProgram(g, f);
        Allocator a = new Allocator("bench");
        CpuExecution e = (CpuExecution) p.newExecution(a)) {
      System.out.printf(Locale.ROOT, "compile %.0f ms%n", (System.nanoTime() - t0) / 1e6);
      for (int i = 0; i < args.size(); i++) {
        e.bindInput(i, args.get(i).buffer());
      }
      if (!profile) {
        times(runs, e::run);
        return;
      }
      long[] nanos = new long[p.steps().size()];
      e.run();
      for (int i = 0; i < runs; i++) {
        e.profile(nanos, System::nanoTime);
      }
      String[] lines = p.explain().split("\n");
      for (int i = 0; i < nanos.length; i++) {
        double ms = nanos[i] / 1e6 / runs;
        double rate = p.steps().get(i).flops() / ms / 1e6;
        System.out.printf(Locale.ROOT, "%9.3f ms %6.1f GF  %s%n", ms, rate, lines[i + 1]);
      }
      System.out.println(lines[lines.length - 1]);
    }
  }

  private static void train(
      Layer layer, Network.Variables v, Tensor x, Tensor labels, int runs, CompileOptions o) {
    Training t =
        new Training(
            Network.of(layer),
            (y, targets) -> Losses.crossEntropyWithLogits(y, targets.get(0)).mean(),
            Optimizers.sgd(Schedules.constant(0.01), 0.9, false));
    long t0 = System.nanoTime();
    try (Training.Run r = t.start(v, List.of(x.type()), List.of(labels.type()), Key.of(0), o)) {
      System.out.printf(Locale.ROOT, "compile %.0f ms%n", (System.nanoTime() - t0) / 1e6);
      times(runs, () -> r.step(x, labels));
      System.out.println("loss " + r.step(x, labels));
    }
  }

  private static void times(int runs, Runnable r) {
    double best = Double.MAX_VALUE;
    double[] all = new double[runs];
    for (int i = 0; i < runs; i++) {
      long t = System.nanoTime();
      r.run();
      all[i] = (System.nanoTime() - t) / 1e6;
      best = Math.min(best, all[i]);
    }
    java.util.Arrays.sort(all);
    System.out.printf(Locale.ROOT, "best %.2f ms, median %.2f ms%n", best, all[runs / 2]);
  }
}
