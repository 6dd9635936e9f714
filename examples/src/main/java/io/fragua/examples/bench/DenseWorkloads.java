package io.fragua.examples.bench;

import io.fragua.examples.bench.Workload.Against;
import io.fragua.nn.Activations;
import io.fragua.nn.Dense;
import io.fragua.nn.Losses;
import io.fragua.nn.Network;
import io.fragua.nn.Sequential;
import io.fragua.optim.Optimizers;
import io.fragua.optim.Schedules;
import io.fragua.optim.Training;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import java.util.List;
import java.util.Map;

/** Networks over rows of a table. */
final class DenseWorkloads {
  private DenseWorkloads() {}

  /** 64 columns through two hidden layers of 256 to a logit, by one thread. */
  static Workload mlp(int batch, double jax, double torch) {
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
          Tensor y = Workloads.numbers(4, batch).greater(0).cast(DType.F32);
          return new TrainingRun(
              training, Workloads.numbers(3, batch, 64), y, Workloads.on(threads));
        });
  }
}
