package io.fragua.examples.bench;

import io.fragua.examples.bench.Workload.Against;
import io.fragua.examples.bench.Workload.Ours;
import io.fragua.exec.Profile;
import io.fragua.graph.Graph;
import io.fragua.graph.Tracer;
import io.fragua.nn.Activations;
import io.fragua.nn.LayerNorm;
import io.fragua.nn.Network;
import io.fragua.nn.ParamTree;
import io.fragua.optim.GradientTransform;
import io.fragua.optim.Optimizers;
import io.fragua.optim.Schedules;
import io.fragua.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;

/** What memory bounds, from sizes that a core's cache holds to ones that none does. */
final class ElementwiseWorkloads {
  private static final int ROW = 512;

  /** What {@link #of} knows. */
  static final List<String> NAMES = List.of("gelu", "softmax", "layer_norm", "adam");

  private ElementwiseWorkloads() {}

  /** One of {@link #NAMES} on so many elements. */
  static Workload of(String name, int n) {
    return switch (name) {
      case "gelu" -> rows(name, n, (x, p) -> Activations.gelu(x));
      case "softmax" -> rows(name, n, (x, p) -> x.softmax(1));
      case "layer_norm" -> rows(name, n, ElementwiseWorkloads::layerNorm);
      default -> adam(n);
    };
  }

  private static String size(int n) {
    return n >= 1 << 20 ? (n >> 20) + "M" : (n >> 10) + "k";
  }

  /** A function of rows of 512, and of a scale and a bias of 512 if it wants them. */
  private static Workload rows(String name, int n, BiFunction<Tensor, List<Tensor>, Tensor> f) {
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
          in.put("x", Workloads.numbers(n, n / ROW, ROW));
          in.put("scale", Workloads.numbers(1, ROW));
          in.put("bias", Workloads.numbers(2, ROW));
          List<Graph.Input> inputs = new ArrayList<>();
          in.forEach((k, t) -> inputs.add(Workloads.input(k, t)));
          Graph g =
              Tracer.trace(inputs, List.of("y"), a -> List.of(f.apply(a.get(0), a.subList(1, 3))));
          return new ProgramRun(g, Workloads.on(threads), in, 1);
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
          ParamTree params = ParamTree.of("w", Workloads.numbers(n, n));
          ParamTree state = adam.init(params);
          Map<String, Tensor> in = new LinkedHashMap<>(params.asMap());
          in.putAll(state.prefixed("opt:").asMap());
          in.put("g", Workloads.numbers(n + 1, n));
          List<Graph.Input> inputs = new ArrayList<>();
          in.forEach((k, t) -> inputs.add(Workloads.input(k, t)));
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
              "w",
              new ProgramRun(g, Workloads.on(threads).withDonated(donated), in, TrainingRun.STEPS));
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

  /** What one call costs when there is next to nothing to compute. */
  static Workload eager() {
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
          Tensor a = Workloads.numbers(8, 16);
          Tensor b = Workloads.numbers(9, 16);
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
