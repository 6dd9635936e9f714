package io.fragua.tensor;

import io.fragua.op.Op;
import java.util.Iterator;
import java.util.List;
import java.util.ServiceLoader;

/**
 * Computes one op on concrete tensors at once. Implemented above this layer and found by {@link
 * ServiceLoader}, so that nothing here names a backend. Thread-safe.
 */
public interface Evaluator {
  /** Applies the op; the operands have been checked and {@code types} are the results'. */
  List<Tensor> evaluate(Op op, Attrs attrs, List<TensorType> types, List<Tensor> inputs);

  /** The evaluator on the class path, loaded once. */
  static Evaluator get() {
    return Holder.INSTANCE;
  }

  /** Loads on first eager use, so that tracing alone needs no backend. */
  final class Holder {
    private static final Evaluator INSTANCE = load();

    private Holder() {}

    private static Evaluator load() {
      Iterator<Evaluator> it =
          ServiceLoader.load(Evaluator.class, Evaluator.class.getClassLoader()).iterator();
      if (!it.hasNext()) {
        throw new IllegalStateException(
            "tensor: eager use needs an Evaluator on the class path: none found; put the whole"
                + " fragua-tensor-engine jar, with its META-INF/services, on the class path");
      }
      return it.next();
    }
  }
}
