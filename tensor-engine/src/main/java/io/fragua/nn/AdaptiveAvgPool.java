package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Mean over parts of nearly equal size, so many along each spatial axis.
 *
 * <p>Shapes: x [N, spatial..., C], result [N, parts..., C].
 *
 * @param parts one number for each spatial axis
 * @source PyTorch {@code AdaptiveAvgPool2d}
 */
public record AdaptiveAvgPool(List<Integer> parts) implements Layer {
  /** Checks and copies the list. */
  public AdaptiveAvgPool {
    parts = List.copyOf(parts);
    Check.that(
        !parts.isEmpty() && parts.stream().allMatch(p -> p >= 1),
        "adaptive_avg_pool: needs a positive number of parts for each spatial axis: %s; correct"
            + " them",
        parts);
  }

  /** These numbers of parts. */
  public AdaptiveAvgPool(int... parts) {
    this(IntStream.of(parts).boxed().toList());
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    return x.adaptiveAvgPool(parts.stream().mapToInt(i -> i).toArray());
  }

  @Override
  public String toString() {
    return "AdaptiveAvgPool(" + parts + ")";
  }
}
