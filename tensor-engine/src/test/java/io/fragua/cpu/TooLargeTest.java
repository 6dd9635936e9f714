package io.fragua.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.fragua.nn.Dense;
import io.fragua.nn.Network;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.transform.Fn;
import io.fragua.transform.Jit;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A traced function is told what is too large when it is compiled, as an eager one when called. */
class TooLargeTest {
  private static String message(Fn f, Tensor x) {
    return assertThrows(IllegalArgumentException.class, () -> Jit.jit(f).call(x)).getMessage();
  }

  private static String of(String who, String type) {
    return who + ": a single tensor holds at most 2147483583 bytes: " + type + "; split the tensor";
  }

  @Test
  void aResultThatIsMoved() {
    Tensor x = Tensor.of(new double[] {1, 2}, 2);
    assertEquals(of("pad", "f64[1073741827]"), message(Fn.of(t -> t.pad(0, 1 << 30, 1, 0)), x));
  }

  @Test
  void aResultOfAKernel() {
    Tensor x = Tensor.of(new int[] {1, 2}, 2);
    assertEquals(
        of("equal", "bool[2, 2147483647]"),
        message(Fn.of(t -> t.oneHot(Integer.MAX_VALUE, DType.F64)), x));
  }

  @Test
  void aProductWithAMatrixThatIsTooLarge() {
    Tensor x = Tensor.zeros(DType.F32, 2, 1);
    Dense layer = new Dense(Integer.MAX_VALUE);
    TensorType kernel = TensorType.of(DType.F32, 1, Integer.MAX_VALUE);
    Fn f =
        Fn.of(
            t ->
                t.matmul(
                    Tensor.scalar(DType.F32, 1).lift(t).broadcastTo(kernel.shape()).add(t.sum())));
    assertEquals(of("add", kernel.toString()), message(f, x));
    String m =
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    Network.init(Network.of(layer), List.of(x.type()), io.fragua.random.Key.of(0)))
            .getMessage();
    assertEquals(of("sub", kernel.toString()), m);
  }

  /** What stays in a kernel may be large, it is only counted. */
  @Test
  void whatIsNotStoredHasNoSize() {
    Tensor x = Tensor.of(new float[] {0.5f}, 1);
    Fn f = Fn.of(t -> t.broadcastTo(Shape.of(1 << 10, 1 << 20)).sum());
    assertEquals(1 << 29, Jit.jit(f).call(x).item());
  }
}
