package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/** The parameters that recurrent cells share: two kernels and a bias for all gates together. */
record Gates(int units, Tensor kernel, Tensor recurrent, Tensor bias) {
  /** Uniform within 1 / sqrt(units), as PyTorch's. */
  static Gates of(Scope s, int count, int in, int units) {
    Initializer init = init(units);
    int all = Check.size("recurrent", (long) count * units);
    return new Gates(
        units,
        s.param("kernel", Shape.of(in, all), init),
        s.param("recurrent_kernel", Shape.of(units, all), init),
        s.param("bias", Shape.of(all), init));
  }

  static Initializer init(int units) {
    return Initializers.uniform(1 / Math.sqrt(units));
  }

  /** What inputs contribute to all gates. */
  Tensor inputs(Tensor x) {
    return x.matmul(kernel).add(bias);
  }

  /** What the state contributes, gate by gate. */
  List<Tensor> of(Tensor state) {
    return split(state.matmul(recurrent));
  }

  /** One tensor a gate. */
  List<Tensor> split(Tensor all) {
    int[] sizes = new int[all.shape().dim(-1) / units];
    Arrays.fill(sizes, units);
    return all.split(-1, sizes);
  }
}
