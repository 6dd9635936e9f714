package io.fragua.examples.bench;

import io.fragua.examples.bench.Workload.Against;
import io.fragua.exec.Precision;
import io.fragua.nn.Activations;
import io.fragua.nn.Network;
import io.fragua.nn.TransformerEncoderLayer;
import io.fragua.optim.Optimizers;
import io.fragua.optim.Schedules;
import io.fragua.optim.Training;
import io.fragua.random.Key;
import io.fragua.tensor.Tensor;
import java.util.List;
import java.util.Map;

/** A transformer encoder shaped like MiniLM-L6, from hidden states to hidden states. */
final class EncoderWorkloads {
  private static final int LAYERS = 6;
  private static final int WIDTH = 384;
  private static final Map<String, Object> SETTINGS =
      Map.of("layers", LAYERS, "heads", 12, "steps", TrainingRun.STEPS);

  private EncoderWorkloads() {}

  private static Network.Body body() {
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

  private static Tensor sequences(long seed) {
    return Workloads.numbers(seed, 32, 128, WIDTH);
  }

  /** With fixed weights. */
  static Workload forward(Precision precision, double tolerance, Against... against) {
    return Workload.milliseconds(
        "encoder forward, " + precision,
        "encoder",
        SETTINGS,
        tolerance,
        List.of(against),
        threads -> {
          Tensor x = sequences(5);
          Network.Variables v = Network.init(body(), List.of(x.type()), Key.of(7));
          return ProgramRun.inference(body(), v, x, Workloads.on(threads).withPrecision(precision));
        });
  }

  /** Towards other hidden states, with AdamW. */
  static Workload training(Precision precision, double tolerance, Against... against) {
    return Workload.milliseconds(
        "encoder training step, " + precision,
        "encoder_training",
        SETTINGS,
        tolerance,
        List.of(against),
        threads ->
            new TrainingRun(
                new Training(
                    body(),
                    (out, y) -> out.sub(y.get(0)).square().mean(),
                    Optimizers.adamw(Schedules.constant(1e-4), 0.01)),
                sequences(5),
                sequences(6),
                Workloads.on(threads).withPrecision(precision)));
  }
}
