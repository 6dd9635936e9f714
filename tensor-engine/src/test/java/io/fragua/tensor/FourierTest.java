package io.fragua.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import io.fragua.testing.Calls;
import io.fragua.testing.GradCheck;
import io.fragua.testing.Runs;
import io.fragua.testing.Values;
import io.fragua.transform.Fn;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Composed Fourier transforms against NumPy, and what transforms must satisfy. */
class FourierTest {
  @TestFactory
  Stream<DynamicTest> composedFunctionsAreNumPys() {
    return Calls.agree("fft_calls.json", FourierTest::function);
  }

  private static Fn function(JsonNode c) {
    JsonNode a = c.get("args");
    return switch (c.get("fn").textValue()) {
      case "rfft" -> Fn.of(x -> x.rfft(a.get("axis").intValue()));
      case "irfft" -> Fn.of(x -> x.irfft(a.get("axis").intValue(), a.get("n").intValue()));
      case "fftshift" -> Fn.of(x -> x.fftshift(-1));
      case "ifftshift" -> Fn.of(x -> x.ifftshift(-1));
      case "fft2" -> Fn.of(x -> x.fft2());
      case "ifft2" -> Fn.of(x -> x.ifft2());
      case "fftn" -> Fn.of(x -> x.fftn());
      case "ifftn" -> Fn.of(x -> x.ifftn());
      case "complexMul" -> x -> List.of(x.get(0).complexMul(x.get(1)));
      case "conj" -> Fn.of(x -> x.conj());
      case "fftfreq" ->
          x -> List.of(Fourier.fftfreq(a.get("n").intValue(), a.get("d").doubleValue()));
      case "rfftfreq" ->
          x -> List.of(Fourier.rfftfreq(a.get("n").intValue(), a.get("d").doubleValue()));
      default -> throw new IllegalArgumentException(c.get("fn").textValue());
    };
  }

  private static Tensor random(int... dims) {
    return Values.range(-1, 1).make(TensorType.of(DType.F64, dims), 29);
  }

  /** Beyond the length from which the library would use threads of its own. */
  @Test
  void theInverseUndoesLongTransforms() {
    for (int n : new int[] {1 << 17, 100_003, 30_030}) {
      Tensor x = random(n, 2);
      assertArrayEquals(x.toDoubles(), x.fft().ifft().toDoubles(), 1e-10);
    }
    Tensor x = random(3, 101);
    assertArrayEquals(x.toDoubles(), x.rfft().irfft(101).toDoubles(), 1e-13);
    assertArrayEquals(x.toDoubles(), x.fftshift(0, 1).ifftshift(0, 1).toDoubles());
  }

  @Test
  void composedFunctionsDifferentiate() {
    assertNull(GradCheck.first(Fn.of(x -> x.rfft()), List.of(random(2, 5))));
    assertNull(GradCheck.first(Fn.of(x -> x.irfft(6)), List.of(random(2, 4, 2))));
    assertNull(GradCheck.first(Fn.of(x -> x.fft2()), List.of(random(2, 3, 2))));
    assertNull(
        GradCheck.second(
            x -> List.of(x.get(0).rfft().complexMul(x.get(1).rfft()).irfft(5)),
            List.of(random(5), random(5))));
  }

  /** As NumPy 2.3 has them: a part that a factor of 0 takes out is not there. */
  @Test
  void infinityAndNanReachWhatTheyArePartOf() {
    double inf = Double.POSITIVE_INFINITY;
    double nan = Double.NaN;
    Map<double[], double[]> rfft = new HashMap<>();
    rfft.put(new double[] {inf}, new double[] {inf, 0});
    rfft.put(new double[] {1, inf}, new double[] {inf, 0, -inf, 0});
    rfft.put(new double[] {1, 2, inf}, new double[] {inf, 0, -inf, inf});
    rfft.put(new double[] {1, 2, inf, 4}, new double[] {inf, 0, -inf, 2, inf, 0});
    rfft.put(new double[] {inf, 1, 2, 3}, new double[] {inf, 0, inf, 2, inf, 0});
    rfft.put(new double[] {nan, 1, 2, 3}, new double[] {nan, 0, nan, 2, nan, 0});
    rfft.put(new double[] {1, nan, 2, 3}, new double[] {nan, 0, -1, nan, nan, 0});
    rfft.put(new double[] {-inf, inf, 1, 2}, new double[] {nan, 0, -inf, -inf, -inf, 0});
    rfft.put(new double[] {1, 2, 3, 4, nan}, new double[] {nan, 0, nan, nan, nan, nan});
    Fn f = Fn.of(x -> x.rfft());
    rfft.forEach(
        (x, y) -> {
          Tensor t = Tensor.of(x, x.length);
          String text = Arrays.toString(x);
          assertArrayEquals(y, Runs.eval(f, t).toDoubles(), "reference " + text);
          assertArrayEquals(y, f.call(t).toDoubles(), "cpu " + text);
        });
  }

  @Test
  void wrongShapesAreRefused() {
    Tensor x = random(4, 3);
    for (Runnable r :
        List.<Runnable>of(
            () -> x.fft(),
            () -> random(4, 2).fft(-1),
            () -> random(4, 2).fft(2),
            () -> random(4, 2).fft(-3),
            () -> x.irfft(4),
            () -> random(4, 2).irfft(8),
            () -> random(4, 2).irfft(-1, 8),
            () -> x.conj(),
            () -> x.complexMul(x),
            () -> random(3, 0).rfft(),
            () -> random(4, 2).cast(DType.I32).fft())) {
      assertThrows(ShapeException.class, r::run);
    }
    ShapeException e = assertThrows(ShapeException.class, () -> x.fft());
    assertEquals(
        "fft: the last axis must be the pair of real and imaginary part: f64[4, 3]; use rfft for"
            + " real numbers, or stack the two parts on a last axis",
        e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> Fourier.fftfreq(0, 1));
    assertThrows(IllegalArgumentException.class, () -> Fourier.rfftfreq(-1, 1));
  }
}
