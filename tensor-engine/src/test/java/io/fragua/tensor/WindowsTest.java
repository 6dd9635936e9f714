package io.fragua.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.fragua.testing.Golden;
import io.fragua.testing.GradCheck;
import io.fragua.testing.Runs;
import io.fragua.testing.Tolerance;
import io.fragua.testing.Values;
import io.fragua.transform.Fn;
import io.fragua.transform.Jit;
import io.fragua.transform.Vmap;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Functions composed of windows, against PyTorch; the errors of windows. */
class WindowsTest {
  private static Tensor apply(String function, JsonNode s, Tensor x) {
    return switch (function) {
      case "avg_pool" -> {
        int[] all = new int[x.shape().rank() - 2];
        Arrays.fill(all, s.get("pad").intValue());
        int[] size = IntStream.of(all).map(i -> s.get("size").intValue()).toArray();
        int[] strides = IntStream.of(all).map(i -> s.get("stride").intValue()).toArray();
        Window w = Window.of(size).withStrides(strides).withPadding(all, all);
        yield x.avgPool(w, s.get("count").booleanValue());
      }
      case "adaptive_avg_pool" -> x.adaptiveAvgPool(Golden.ints(s.get("parts")));
      case "adaptive_max_pool" -> x.adaptiveMaxPool(Golden.ints(s.get("parts")));
      case "resize_nearest" -> x.resizeNearest(Golden.ints(s.get("sizes")));
      case "resize_linear" ->
          x.resizeLinear(s.get("corners").booleanValue(), Golden.ints(s.get("sizes")));
      default -> x.resizeCubic(s.get("corners").booleanValue(), Golden.ints(s.get("sizes")));
    };
  }

  @TestFactory
  Stream<DynamicTest> functionsAreThoseOfPyTorch() {
    JsonNode all = Golden.json("windows.json").get("functions");
    assertTrue(all.size() >= 50, "only " + all.size());
    return StreamSupport.stream(all.spliterator(), false)
        .map(
            c ->
                DynamicTest.dynamicTest(
                    c.get("function").textValue() + " " + c.get("settings"),
                    () -> {
                      JsonNode in = c.get("x");
                      Tensor x = Golden.floats(in.get("data"), Golden.ints(in.get("shape")));
                      JsonNode out = c.get("y");
                      Tensor y = Golden.floats(out.get("data"), Golden.ints(out.get("shape")));
                      String name = c.get("function").textValue();
                      Fn f = Fn.of(t -> apply(name, c.get("settings"), t));
                      Tolerance close = Tolerance.sum(8, 1);
                      assertEquals(null, close.difference(y, f.call(x)));
                      assertEquals(null, close.difference(y, Jit.jit(f).call(x)), "compiled");
                      assertEquals(null, close.difference(y, Runs.reference(f, x).get(0)));
                    }));
  }

  @Test
  void functionsDifferentiate() {
    Tensor x = Values.range(-1, 1).make(TensorType.of(DType.F64, 1, 4, 5, 2), 3);
    Window w = Window.of(3, 2).withStrides(2, 1).withPadding(new int[] {1, 1}, new int[] {1, 0});
    List<Fn> all = new ArrayList<>();
    all.add(Fn.of(t -> t.avgPool(w, true).square()));
    all.add(Fn.of(t -> t.avgPool(w, false).square()));
    all.add(Fn.of(t -> t.adaptiveAvgPool(3, 2).square()));
    all.add(Fn.of(t -> t.adaptiveMaxPool(3, 2).square()));
    all.add(Fn.of(t -> t.resizeNearest(3, 10).square()));
    all.add(Fn.of(t -> t.resizeLinear(false, 3, 7).square()));
    all.add(Fn.of(t -> t.resizeCubic(true, 6, 2).square()));
    for (Fn f : all) {
      assertEquals(null, GradCheck.first(f, List.of(x)));
    }
  }

  /** Gathered taps are the matrix' sums, for any sizes, with its derivatives and under vmap. */
  @Test
  void gatheredTapsAreTheProductWithTheMatrix() {
    Tensor x = Values.range(-1, 1).make(TensorType.of(DType.F64, 2, 7, 3, 2), 3);
    for (int to : new int[] {1, 4, 7, 19}) {
      for (int count : new int[] {1, 3, 5}) {
        Taps taps =
            Taps.of(
                "test",
                7,
                to,
                count,
                (k, from, weights) -> {
                  Arrays.setAll(from, t -> (3 * k + 5 * t) % 7);
                  Arrays.setAll(weights, t -> 0.5 * t - 0.25 * k + 1);
                });
        Fn gathered = Fn.of(v -> taps.gathered(v, 1));
        Tensor y = taps.multiplied(x, 1);
        Tolerance close = Tolerance.sum(8, 1);
        assertEquals(null, close.difference(y, gathered.call(x)));
        assertEquals(null, close.difference(y, Jit.jit(gathered).call(x)), "compiled");
        assertEquals(null, close.difference(y, Vmap.vmap(Fn.of(v -> taps.gathered(v, 0))).call(x)));
        assertEquals(null, GradCheck.first(gathered, List.of(x)));
        assertEquals(
            null,
            close.difference(y.transpose(0, 2, 1, 3), taps.gathered(x.transpose(0, 2, 1, 3), 2)));
      }
    }
  }

  /** A ramp stays one, at sizes whose matrix would need 160 GB. */
  @Test
  void longAxesNeedNoMatrix() {
    int n = 100_000;
    Tensor x = Ranges.linspace(DType.F64, 0, 1, n).reshape(1, n, 1);
    Tensor ramp = Ranges.linspace(DType.F64, 0, 1, 2 * n).reshape(1, 2 * n, 1);
    Tolerance close = Tolerance.sum(1000, 1);
    assertEquals(null, close.difference(ramp, x.resizeLinear(true, 2 * n)));
    Tensor cubic = x.resizeCubic(true, 2 * n).slice(1, 10, 2 * n - 10); // borders bend
    assertTrue(cubic.allclose(ramp.slice(1, 10, 2 * n - 10), 0, 1e-6).item() == 1);
    Tensor means = x.adaptiveAvgPool(60_000);
    assertEquals(0.5, means.mean().item(), 1e-9);
    assertEquals((x.toDoubles()[0] + x.toDoubles()[1]) / 2, means.toDoubles()[0], 1e-12);
    assertEquals(
        "adaptive_avg_pool: an axis gets another size by at most 67108864 weights: 100000000 to 3"
            + " elements, 33333334 weights each; change the size in several steps",
        assertThrows(ShapeException.class, () -> Images.means("adaptive_avg_pool", 100_000_000, 3))
            .getMessage());
  }

  @Test
  void errorsSayWhatToDo() {
    Tensor x = Tensor.zeros(DType.F32, 2, 5, 5, 4);
    check(
        () -> x.conv(Tensor.zeros(DType.F32, 3, 3, 3, 8)),
        "conv: channels must be groups times the kernel's inputs, and groups divide its outputs:"
            + " f32[2, 5, 5, 4] with kernel f32[3, 3, 3, 8] [spatial..., in / groups, out] in 1"
            + " groups; fix the kernel's shape or the number of groups");
    check(
        () -> x.conv(Tensor.zeros(DType.F32, 7, 3, 4, 8)),
        "conv: the window must fit into the padded input: size [7, 3] with dilations [1, 1] on"
            + " input [5, 5] with padding [0, 0] before and [0, 0] after; pad more, or use a"
            + " smaller window");
    check(
        () -> x.conv(Tensor.zeros(DType.F64, 3, 3, 4, 8)),
        "conv: input and kernel must have one dtype and as many axes: f32[2, 5, 5, 4] with kernel"
            + " f64[3, 3, 4, 8]; cast or reshape one of them");
    check(
        () -> x.maxPool(Window.of(2, 2).withPadding(new int[] {2, 0}, new int[] {0, 0})),
        "max_pool: a window needs an element of the input: one size a spatial axis, padding smaller"
            + " than the window, no dilation: {dilations=[1, 1], high=[0, 0], low=[2, 0], size=[2,"
            + " 2], strides=[1, 1]} on f32[2, 5, 5, 4]; correct the window");
    check(
        () -> Window.of(3, 3).withStrides(0, 1),
        "window: sizes, strides and dilations must be positive, padding not negative: size [3, 3],"
            + " strides [0, 1], low [0, 0], high [0, 0], dilations [1, 1]; correct them (slice to"
            + " crop)");
    check(
        () -> x.resizeLinear(false, 3),
        "resize_linear: needs one positive size for each spatial axis of [N, spatial..., C]: sizes"
            + " [3] for f32[2, 5, 5, 4]; correct the sizes");
  }

  private static void check(Runnable wrong, String message) {
    assertEquals(message, assertThrows(ShapeException.class, wrong::run).getMessage());
  }
}
