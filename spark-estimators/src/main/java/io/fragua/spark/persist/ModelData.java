package io.fragua.spark.persist;

import io.fragua.arrow.BatchedGraph;
import io.fragua.spark.train.EpochMetrics;
import io.fragua.tensor.Tensor;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A fitted model without its parameters as a Spark stage.
 *
 * @param network weights, then {@code x} and {@code ids} (those that exist) -&gt; {@code output}:
 *     logits [B, 1] or [B, K] of a classifier, amounts [B, 1] of a regressor
 * @param weights by the names of the graph's operands: {@code param:N} and {@code state:N}
 * @param data what was learnt about the columns
 * @param history of the training, one entry an epoch
 */
public record ModelData(
    BatchedGraph network,
    Map<String, Tensor> weights,
    DataDescription data,
    List<EpochMetrics> history) {
  /** Copies the collections. */
  public ModelData {
    weights = Collections.unmodifiableMap(new LinkedHashMap<>(weights));
    history = List.copyOf(history);
  }

  /** Size of the weights in bytes. */
  public long bytes() {
    return weights.values().stream().mapToLong(t -> t.type().byteSize()).sum();
  }
}
