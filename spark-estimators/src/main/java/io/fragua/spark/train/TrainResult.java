package io.fragua.spark.train;

import io.fragua.nn.ParamTree;
import java.util.List;

/**
 * What a training gave.
 *
 * @param params learnt; the best epoch's when early stopping was on
 * @param state running statistics that go with them
 * @param history one entry per epoch that was run
 */
public record TrainResult(ParamTree params, ParamTree state, List<EpochMetrics> history) {
  /** Copies the list. */
  public TrainResult {
    history = List.copyOf(history);
  }
}
