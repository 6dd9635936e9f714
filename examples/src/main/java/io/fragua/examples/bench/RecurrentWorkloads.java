package io.fragua.examples.bench;

import io.fragua.examples.bench.Workload.Against;
import io.fragua.nn.LstmCell;
import io.fragua.nn.Network;
import io.fragua.nn.Recurrent;
import io.fragua.nn.Sequential;
import io.fragua.optim.Optimizers;
import io.fragua.optim.Schedules;
import io.fragua.optim.Training;
import java.util.List;
import java.util.Map;

/** Networks over time. */
final class RecurrentWorkloads {
  private static final int UNITS = 256;

  private RecurrentWorkloads() {}

  /** Two layers of 256 on 64 sequences of 64 steps, towards other sequences, with Adam. */
  static Workload lstm() {
    return Workload.milliseconds(
        "LSTM training step, B=64 T=64",
        "lstm_training",
        Map.of("steps", TrainingRun.STEPS),
        2e-4,
        List.of(new Against("torch", 1.2)),
        threads ->
            new TrainingRun(
                new Training(
                    Network.of(
                        new Sequential(
                            new Recurrent(new LstmCell(UNITS)),
                            new Recurrent(new LstmCell(UNITS)))),
                    (out, y) -> out.sub(y.get(0)).square().mean(),
                    Optimizers.adam(Schedules.constant(1e-3))),
                Workloads.numbers(10, 64, 64, UNITS),
                Workloads.numbers(11, 64, 64, UNITS),
                Workloads.on(threads)));
  }
}
