package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;
import java.util.stream.IntStream;

/**
 * Maximum over all spatial axes.
 *
 * <p>Shapes: x [N, spatial..., C], result [N, C].
 *
 * @source Keras {@code GlobalMaxPooling2D}
 */
public record GlobalMaxPool() implements Layer {
  @Override
  public Tensor apply(Scope s, Tensor x) {
    Check.shape(
        x.shape().rank() >= 3 && x.shape().slice(1, x.shape().rank() - 1).size() > 0,
        "global_max_pool: input must have spatial axes [N, spatial..., C] with elements: %s; leave"
            + " the layer out",
        x.type());
    return x.max(IntStream.range(1, x.shape().rank() - 1).toArray());
  }

  @Override
  public String toString() {
    return "GlobalMaxPool()";
  }
}
