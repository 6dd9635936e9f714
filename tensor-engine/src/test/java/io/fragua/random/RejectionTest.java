package io.fragua.random;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.tensor.Arranging;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.testing.Tolerance;
import io.fragua.transform.Fn;
import io.fragua.transform.Grad;
import io.fragua.transform.Jit;
import io.fragua.transform.Vmap;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import org.apache.commons.numbers.gamma.RegularizedBeta;
import org.apache.commons.numbers.gamma.RegularizedGamma;
import org.junit.jupiter.api.Test;

/** Gamma numbers and their kin follow their distributions, however they are drawn. */
class RejectionTest {
  private static final int N = 4000;
  private static final Shape MANY = Shape.of(N);

  /** Some numbers, and what they should follow. */
  private record Sample(
      Fn draw, DoubleUnaryOperator below, double mean, double variance, boolean whole) {}

  private static final Map<String, Sample> SAMPLES = new LinkedHashMap<>();

  static {
    for (double a : new double[] {0.05, 0.3, 1, 2.5, 40, 3e4}) {
      SAMPLES.put("gamma " + a, reals(k -> Random.gamma(k, a, MANY), x -> gamma(a, x), a, a));
    }
    SAMPLES.put(
        "loggamma",
        new Sample(
            w -> List.of(Random.loggamma(new Key(w.get(0)), f32(1.5), MANY).exp()),
            x -> gamma(1.5, x),
            1.5,
            1.5,
            false));
    for (double[] p : new double[][] {{0.5, 0.5}, {2, 5}, {30, 1}}) {
      double a = p[0];
      double b = p[1];
      double m = a / (a + b);
      SAMPLES.put(
          "beta " + a + " " + b,
          reals(
              k -> Random.beta(k, f32(a), f32(b), MANY),
              x -> RegularizedBeta.value(Math.min(1, Math.max(0, x)), a, b),
              m,
              m * (1 - m) / (a + b + 1)));
    }
    Tensor alpha = Tensor.of(new float[] {0.5f, 2, 1.5f}, 3);
    SAMPLES.put(
        "share of dirichlet",
        reals(
            k -> Random.dirichlet(k, alpha, MANY).slice("..., 1"),
            x -> RegularizedBeta.value(Math.min(1, Math.max(0, x)), 2, 2),
            0.5,
            0.05));
    for (double l : new double[] {0.2, 3, 9.5, 10, 33, 2000}) {
      SAMPLES.put(
          "poisson " + l,
          new Sample(
              w -> List.of(Random.poisson(new Key(w.get(0)), f32(l), MANY)),
              k -> k < 0 ? 0 : RegularizedGamma.Q.value(Math.floor(k) + 1, l),
              l,
              l,
              true));
    }
  }

  private interface Draw {
    Tensor of(Key key);
  }

  private static Sample reals(Draw d, DoubleUnaryOperator below, double mean, double variance) {
    return new Sample(w -> List.of(d.of(new Key(w.get(0)))), below, mean, variance, false);
  }

  private static Tensor f32(double x) {
    return Tensor.scalar(DType.F32, x);
  }

  private static double gamma(double a, double x) {
    return x <= 0 ? 0 : RegularizedGamma.P.value(a, x);
  }

  /** The largest distance of shares below a number; for whole numbers it is only smaller. */
  private static double distance(double[] sorted, Sample s) {
    double d = 0;
    for (int i = 0; i < sorted.length; i++) {
      boolean last = i + 1 == sorted.length || sorted[i + 1] != sorted[i];
      boolean first = i == 0 || sorted[i - 1] != sorted[i];
      double p = s.below().applyAsDouble(sorted[i]);
      double before = s.whole() ? s.below().applyAsDouble(sorted[i] - 1) : p;
      d = Math.max(d, last ? Math.abs((i + 1.0) / sorted.length - p) : 0);
      d = Math.max(d, first ? Math.abs((double) i / sorted.length - before) : 0);
    }
    return d;
  }

  @Test
  void numbersFollowTheirDistributions() {
    SAMPLES.forEach(
        (name, s) -> {
          double[] x = s.draw().call(Key.of(3).tensor()).toDoubles();
          Arrays.sort(x);
          double mean = Arrays.stream(x).average().orElseThrow();
          double variance = Arrays.stream(x).map(v -> (v - mean) * (v - mean)).sum() / N;
          // Kolmogorov and Smirnov: a larger distance comes once in ten thousand samples
          assertTrue(distance(x, s) < 2.23 / Math.sqrt(N), name + ": " + distance(x, s));
          assertEquals(s.mean(), mean, 4 * Math.sqrt(s.variance() / N), name);
          assertEquals(s.variance(), variance, 0.3 * s.variance(), name);
        });
  }

  @Test
  void eagerCompiledAndMappedDrawTheSame() {
    List<Key> keys = Key.of(11).split(2);
    Tensor words = Arranging.stack(0, keys.stream().map(Key::tensor).toList());
    for (String name : List.of("gamma 0.3", "beta 2.0 5.0", "poisson 3.0", "poisson 33.0")) {
      Fn draw = SAMPLES.get(name).draw();
      Fn compiled = Jit.jit(draw);
      Tensor mapped = Vmap.vmap(draw).call(words);
      Tensor both = Jit.jit(Vmap.vmap(draw)).call(words);
      for (int i = 0; i < 2; i++) {
        Tensor one = draw.call(keys.get(i).tensor());
        Tolerance t = new Tolerance(64, 1e-3);
        assertNull(t.difference(one, compiled.call(keys.get(i).tensor())), name);
        assertNull(t.difference(one, mapped.slice(0, i, i + 1).reshape(N)), name);
        assertNull(t.difference(one, both.slice(0, i, i + 1).reshape(N)), name);
      }
    }
  }

  @Test
  void aGradientKeepsTheProbability() {
    float[] shapes = {0.05f, 0.4f, 1, 3.5f, 60, 2e5f};
    Tensor alpha = Tensor.of(shapes, 6).expandDims(1).broadcastTo(Shape.of(6, 20));
    Shape all = alpha.shape();
    for (boolean log : new boolean[] {false, true}) {
      Fn draw =
          a ->
              List.of(
                  log
                      ? Random.loggamma(Key.of(5), a.get(0), all)
                      : Random.gamma(Key.of(5), a.get(0), all));
      double[] x = draw.call(alpha).toDoubles();
      Fn sum = a -> List.of(draw.apply(a).get(0).sum());
      Tensor slopes = Jit.jit(Grad.grad(sum)).call(alpha);
      double[] slope = slopes.toDoubles();
      for (int i = 0; i < x.length; i++) {
        double a = shapes[i / 20];
        double at = log ? Math.exp(x[i]) : x[i];
        double dx = log ? slope[i] * at : slope[i];
        double h = 1e-4 * Math.min(a, 1);
        if (at < 1e-30 || a > 1e5) {
          continue; // of those the probability itself is not known well enough
        }
        double up = gamma(a + h, at + h * dx);
        double down = gamma(a - h, at - h * dx);
        double none = Math.abs(gamma(a + h, at) - gamma(a - h, at));
        assertEquals(0, (up - down) / none, 1e-3, "alpha " + a + ", x " + at);
      }
      Tensor tracked = alpha.requiresGrad();
      draw.call(tracked).sum().backward();
      assertNull(new Tolerance(16, 0).difference(slopes, tracked.grad()), "eager");
    }
  }

  @Test
  void gradientsGoThroughBetaAndDirichlet() {
    // the mean of a beta number is a / (a + b), so its slope by a is b / (a + b)^2 in the mean
    Fn mean = a -> List.of(Random.beta(Key.of(2), a.get(0), f32(3), Shape.of(20000)).mean());
    assertEquals(3.0 / 25, Jit.jit(Grad.grad(mean)).call(f32(2)).item(), 3e-3);
    Fn share =
        a -> List.of(Random.dirichlet(Key.of(2), a.get(0), Shape.of(20000)).slice("..., 0").mean());
    double[] g = Jit.jit(Grad.grad(share)).call(Tensor.of(new float[] {2, 3}, 2)).toDoubles();
    assertEquals(3.0 / 25, g[0], 3e-3);
    assertEquals(-2.0 / 25, g[1], 3e-3);
  }

  @Test
  void edges() {
    Tensor odd = Tensor.of(new float[] {-0.5f, Float.NaN, Float.POSITIVE_INFINITY, 1e-4f}, 4);
    Tensor g = Random.gamma(Key.of(1), odd, Shape.of(4));
    assertEquals("[NaN, NaN, Infinity, 0.0]", Arrays.toString(g.toFloats()));
    Tensor rates = Tensor.of(new float[] {-1, Float.NaN, 0, -30}, 4);
    assertEquals(
        "[-1, -1, 0, -1]", Arrays.toString(Random.poisson(Key.of(1), rates, Shape.of(4)).toInts()));
    assertEquals(0, Random.gamma(Key.of(1), 2, Shape.of(0)).toFloats().length);
    assertEquals(0, Random.poisson(Key.of(1), f32(20), Shape.of(3, 0)).toFloats().length);
    Tensor alpha = f32(1e-4).requiresGrad();
    Random.gamma(Key.of(1), alpha, Shape.of(8)).sum().backward();
    assertEquals(0, alpha.grad().item()); // all numbers are too small for f32
  }

  @Test
  void wrongUseIsExplained() {
    Key k = Key.of(0);
    assertEquals(
        "gamma: alpha must be f32 and broadcast to the shape that is drawn: i32[3] for [3]; cast or"
            + " reshape it",
        message(() -> Random.gamma(k, Tensor.of(new int[3], 3), Shape.of(3))));
    assertEquals(
        "poisson: lambda must be f32 and broadcast to the shape that is drawn: f32[2, 3] for [3];"
            + " cast or reshape it",
        message(() -> Random.poisson(k, Tensor.zeros(DType.F32, 2, 3), Shape.of(3))));
    assertEquals(
        "gamma: a shape parameter is finite and above 0: 0.0; correct it",
        message(() -> Random.gamma(k, 0, Shape.of(3))));
    assertEquals(
        "dirichlet: alpha must have an axis of shares: f32[]; reshape it",
        message(() -> Random.dirichlet(k, f32(1), Shape.of(3))));
    Fn second =
        Grad.grad(
            a ->
                List.of(
                    Grad.grad(b -> List.of(Random.gamma(k, b.get(0), Shape.of()))).call(a.get(0))));
    assertEquals(
        "random_loggamma_grad: the gradient of gamma numbers has no derivative: a second one was"
            + " asked; stop the gradient of the numbers or of the first one",
        message(() -> second.call(f32(2))));
  }

  private static String message(org.junit.jupiter.api.function.Executable e) {
    return assertThrows(IllegalArgumentException.class, e).getMessage();
  }
}
