package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;
import java.util.stream.IntStream;

/**
 * Mean over all spatial axes.
 *
 * <p>Shapes: x [N, spatial..., C], result [N, C].
 *
 * @source Keras {@code GlobalAveragePooling2D}
 */
public record GlobalAvgPool() implements Layer {
  @Override
  public Tensor apply(Scope s, Tensor x) {
    Check.shape(
        x.shape().rank() >= 3 && x.shape().slice(1, x.shape().rank() - 1).size() > 0,
        "global_avg_pool: input must have spatial axes [N, spatial..., C] with elements: %s; leave"
            + " the layer out",
        x.type());
    return x.mean(IntStream.range(1, x.shape().rank() - 1).toArray());
  }

  @Override
  public String toString() {
    return "GlobalAvgPool()";
  }
}
