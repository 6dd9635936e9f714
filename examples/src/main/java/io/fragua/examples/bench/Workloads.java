package io.fragua.examples.bench;

import io.fragua.examples.bench.Workload.Against;
import io.fragua.examples.bench.Workload.Ours;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Precision;
import io.fragua.exec.Profile;
import io.fragua.graph.Graph;
import io.fragua.graph.Tracer;
import io.fragua.nn.Activations;
import io.fragua.nn.Dense;
import io.fragua.nn.LayerNorm;
import io.fragua.nn.Losses;
import io.fragua.nn.Network;
import io.fragua.nn.ParamTree;
import io.fragua.nn.Sequential;
import io.fragua.nn.TransformerEncoderLayer;
import io.fragua.optim.GradientTransform;
import io.fragua.optim.Optimizers;
import io.fragua.optim.Schedules;
import io.fragua.optim.Training;
import io.fragua.random.Key;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.BiFunction;

/**
 * The rows of {@code bench engine}. A row is one {@link Workload}: it is added here, and its
 * function under the same name in the peers' scripts.
 */
final class Workloads {
  private static final int ROW = 512;
  private static final int[] SIZES = {1 << 10, 1 << 15, 1 << 20, 1 << 24};
  private static final int LAYERS = 6;
  private static final int WIDTH = 384;

  private Workloads() {}

  /** All of them, in the table's order. */
  static List<Workload> all() {
    List<Workload> all = new ArrayList<>();
    all.add(mlp(128, 1.5, 2.5));
    all.add(mlp(4096, 1.2, 1.8));
    all.add(
        encoder(
            Precision.STRICT,
            2e-5,
            List.of(
                new Against("torch", 1.1),
                new Against("torch_compiled", 1.1),
                new Against("onnxruntime", 1.35))));
    all.add(encoder(Precision.BF16_MATH, 3e-2, List.of(new Against("torch_bf16", 1.5))));
    all.add(encoderTraining());
    for (int n : SIZES) {
      all.add(elementwise("gelu", n, (x, p) -> Activations.gelu(x)));
    }
    for (int n : SIZES) {
      all.add(elementwise("softmax", n, (x, p) -> x.softmax(1)));
    }
    for (int n : SIZES) {
      all.add(elementwise("layer_norm", n, Workloads::layerNorm));
    }
    for (int n : SIZES) {
      all.add(adam(n));
    }
    all.add(eager());
    return all;
  }

  /** Numbers between -3 and 3, the same every time. */
  static Tensor numbers(long seed, int... dims) {
    TensorType t = TensorType.of(DType.F32, dims);
    Buffer b = Buffer.collected(t.byteSize());
    SplittableRandom r = new SplittableRandom(seed);
    for (int at = 0; at < b.size(); at += 4) {
      b.bytes().putFloat(at, (float) (r.nextDouble() * 6 - 3));
    }
    return Tensor.of(t, b);
  }

  private static CompileOptions on(int threads) {
    return CompileOptions.DEFAULT.withThreads(threads);
  }

  private static String size(int n) {
    return n >= 1 << 20 ? (n >> 20) + "M" : (n >> 10) + "k";
  }

  private static Graph.Input input(String name, Tensor t) {
    return new Graph.Input(name, t.type());
  }

  /** A function of rows of 512, and of a scale and a bias of 512 if it wants them. */
  private static Workload elementwise(
      String name, int n, BiFunction<Tensor, List<Tensor>, Tensor> f) {
    return new Workload(
        name + " " + size(n),
        name,
        Map.of(),
        0,
        2e-6,
        "ns/elem",
        1e9 / n,
        List.of(new Against("torch", 1), new Against("jax", 1)),
        threads -> {
          Map<String, Tensor> in = new LinkedHashMap<>();
          in.put("x", numbers(n, n / ROW, ROW));
          in.put("scale", numbers(1, ROW));
          in.put("bias", numbers(2, ROW));
          List<Graph.Input> inputs = new ArrayList<>();
          in.forEach((k, t) -> inputs.add(input(k, t)));
          Graph g =
              Tracer.trace(inputs, List.of("y"), a -> List.of(f.apply(a.get(0), a.subList(1, 3))));
          return new ProgramRun(g, on(threads), in, 1);
        });
  }

  private static Tensor layerNorm(Tensor x, List<Tensor> scaleAndBias) {
    ParamTree params =
        ParamTree.of(Map.of("scale", scaleAndBias.get(0), "bias", scaleAndBias.get(1)));
    return Network.apply(
            Network.of(new LayerNorm()),
            new Network.Variables(params, ParamTree.EMPTY),
            List.of(x),
            false,
            null,
            null)
        .output();
  }

  /** Updates of one parameter in place; the gradient stays the same. */
  private static Workload adam(int n) {
    return new Workload(
        "adam " + size(n),
        "adam",
        Map.of("steps", TrainingRun.STEPS),
        0,
        2e-6,
        "ns/elem",
        1e9 / n,
        List.of(new Against("torch", 1), new Against("jax", 1)),
        threads -> {
          GradientTransform adam = Optimizers.adam(Schedules.constant(1e-3));
          ParamTree params = ParamTree.of("w", numbers(n, n));
          ParamTree state = adam.init(params);
          Map<String, Tensor> in = new LinkedHashMap<>(params.asMap());
          in.putAll(state.prefixed("opt:").asMap());
          in.put("g", numbers(n + 1, n));
          List<Graph.Input> inputs = new ArrayList<>();
          in.forEach((k, t) -> inputs.add(input(k, t)));
          List<String> out = new ArrayList<>(in.keySet());
          out.remove("g");
          Graph g =
              Tracer.trace(
                  inputs,
                  out,
                  a -> {
                    ParamTree p = params.withLeaves(a.subList(0, 1));
                    GradientTransform.Update u =
                        adam.update(
                            params.withLeaves(a.subList(a.size() - 1, a.size())),
                            state.withLeaves(a.subList(1, a.size() - 1)),
                            p);
                    List<Tensor> r =
                        new ArrayList<>(Optimizers.applyUpdates(p, u.updates()).leaves());
                    r.addAll(u.state().leaves());
                    return r;
                  });
          Map<Integer, Integer> donated = new HashMap<>();
          for (int i = 0; i < out.size(); i++) {
            donated.put(i, i);
          }
          return new Only(
              "w", new ProgramRun(g, on(threads).withDonated(donated), in, TrainingRun.STEPS));
        });
  }

  /** Another workload of which one result is compared. */
  private record Only(String name, Ours of) implements Ours {
    @Override
    public Map<String, Tensor> inputs() {
      return of.inputs();
    }

    @Override
    public Map<String, Tensor> outputs() {
      return Map.of(name, of.outputs().get(name));
    }

    @Override
    public void run() {
      of.run();
    }

    @Override
    public Profile profile(int runs) {
      return of.profile(runs);
    }

    @Override
    public void close() {
      of.close();
    }
  }

  private static Workload mlp(int batch, double jax, double torch) {
    return new Workload(
        "MLP training step, B=" + batch,
        "mlp_training",
        Map.of("steps", TrainingRun.STEPS),
        1,
        2e-4,
        "ms",
        1e3,
        List.of(new Against("jax", jax), new Against("torch", torch)),
        threads -> {
          Sequential layers =
              new Sequential(
                  new Dense(256),
                  Activations.get("relu"),
                  new Dense(256),
                  Activations.get("relu"),
                  new Dense(1));
          Training training =
              new Training(
                  Network.of(layers),
                  (out, y) ->
                      Losses.binaryCrossEntropyWithLogits(out.reshape(batch), y.get(0)).mean(),
                  Optimizers.adam(Schedules.constant(1e-3)));
          Tensor y = numbers(4, batch).greater(0).cast(DType.F32);
          return new TrainingRun(training, numbers(3, batch, 64), y, on(threads));
        });
  }

  /** Shaped like MiniLM-L6, from hidden states to hidden states. */
  private static Network.Body encoderBody() {
    return (s, in) -> {
      Tensor x = in.get(0);
      for (int i = 0; i < LAYERS; i++) {
        x =
            new TransformerEncoderLayer(12, 1536, Activations.get("gelu"), 0, false)
                .apply(s.child("layer_" + i), x);
      }
      return x;
    };
  }

  private static final Map<String, Object> ENCODER =
      Map.of("layers", LAYERS, "heads", 12, "steps", TrainingRun.STEPS);

  private static Workload encoder(Precision precision, double tolerance, List<Against> against) {
    return new Workload(
        "encoder forward, " + precision,
        "encoder",
        ENCODER,
        0,
        tolerance,
        "ms",
        1e3,
        against,
        threads -> {
          Tensor x = numbers(5, 32, 128, WIDTH);
          Network.Variables v = Network.init(encoderBody(), List.of(x.type()), Key.of(7));
          Map<String, Tensor> in = new LinkedHashMap<>(Map.of("x", x));
          in.putAll(v.params().asMap());
          List<Graph.Input> inputs = new ArrayList<>();
          in.forEach((k, t) -> inputs.add(input(k, t)));
          Graph g =
              Tracer.trace(
                  inputs,
                  List.of("y"),
                  a ->
                      List.of(
                          Network.apply(
                                  encoderBody(),
                                  new Network.Variables(
                                      v.params().withLeaves(a.subList(1, a.size())), v.state()),
                                  a.subList(0, 1),
                                  false,
                                  null,
                                  null)
                              .output()));
          java.util.Set<Integer> weights = new java.util.HashSet<>();
          for (int i = 1; i < inputs.size(); i++) {
            weights.add(i);
          }
          return new ProgramRun(g, on(threads).withPrecision(precision).withFixed(weights), in, 1);
        });
  }

  private static Workload encoderTraining() {
    return new Workload(
        "encoder training step, STRICT",
        "encoder_training",
        ENCODER,
        0,
        2e-4,
        "ms",
        1e3,
        List.of(new Against("torch", 1.3)),
        threads ->
            new TrainingRun(
                new Training(
                    encoderBody(),
                    (out, y) -> out.sub(y.get(0)).square().mean(),
                    Optimizers.adamw(Schedules.constant(1e-4), 0.01)),
                numbers(5, 32, 128, WIDTH),
                numbers(6, 32, 128, WIDTH),
                on(threads)));
  }

  /** What one call costs when there is next to nothing to compute. */
  private static Workload eager() {
    return new Workload(
        "eager add of 16 elements",
        "add",
        Map.of(),
        1,
        0,
        "ns",
        1e9,
        List.of(new Against("torch", 1)),
        threads -> {
          Tensor a = numbers(8, 16);
          Tensor b = numbers(9, 16);
          return new Ours() {
            @Override
            public Map<String, Tensor> inputs() {
              return Map.of("a", a, "b", b);
            }

            @Override
            public Map<String, Tensor> outputs() {
              return Map.of("y", a.add(b));
            }

            @Override
            public void run() {
              a.add(b);
            }

            @Override
            public void close() {}
          };
        });
  }
}
