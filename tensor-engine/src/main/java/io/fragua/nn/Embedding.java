package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;

/**
 * A trained row of numbers for each id.
 *
 * <p>Shapes: ids [...] i32 in [0, rows), result [..., width] f32. Parameter: {@code embedding}
 * [rows, width], by default standard normal, as PyTorch's {@code Embedding}. An id outside is an
 * error when computed.
 *
 * @param rows number of ids
 * @param width numbers per id
 * @param init initial rows
 */
public record Embedding(int rows, int width, Initializer init) implements Layer {
  /** Checks the settings. */
  public Embedding {
    Check.that(
        rows >= 1 && width >= 1,
        "embedding: needs at least one row and one column: %d x %d; correct it",
        rows,
        width);
    Check.that(init != null, "embedding: needs an initializer: null; pass one of Initializers");
  }

  /** With the default initial values. */
  public Embedding(int rows, int width) {
    this(rows, width, Initializers.normal(1));
  }

  @Override
  public Tensor apply(Scope s, Tensor ids) {
    Check.shape(
        ids.dtype() == DType.I32,
        "embedding: ids must be i32: %s; cast them, or index the categories first",
        ids.type());
    return table(s).gather(ids);
  }

  /** The rows themselves, [rows, width]; for layers that compute with them before the lookup. */
  public Tensor table(Scope s) {
    return s.param("embedding", Shape.of(rows, width), init);
  }

  @Override
  public String toString() {
    return "Embedding(" + rows + ", " + width + ")";
  }
}
