package io.fragua.transform;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.Backends;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.tensor.Autograd;
import io.fragua.tensor.DType;
import io.fragua.tensor.Movement;
import io.fragua.tensor.Tensor;
import io.fragua.testing.RandomProgram;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Eager gradients: the same as those of functions, and how they are remembered and forgotten. */
class AutogradTest {
  private static Tensor leaf(float... v) {
    return Tensor.of(v, v.length).requiresGrad();
  }

  private static void assertGrad(Tensor x, double... expected) {
    assertArrayEquals(expected, x.grad().toDoubles(), 1e-6);
  }

  @Test
  void gradientsOfRandomProgramsAreThoseOfFunctions() {
    int compared = 0;
    for (int seed = 0; seed < 300; seed++) {
      RandomProgram p = new RandomProgram(seed);
      Graph g = p.graph();
      int last = g.outputTypes().size() - 1;
      if (!g.outputTypes().get(last).dtype().isFloating()) {
        continue;
      }
      int[] wrt =
          IntStream.range(0, g.inputs().size())
              .filter(i -> g.inputs().get(i).type().dtype().isFloating())
              .toArray();
      Fn sum = a -> List.of(g.call(a).get(last).sum());
      List<Tensor> expected = Grad.grad(sum, wrt).apply(p.inputs());
      List<Tensor> in = new ArrayList<>(p.inputs());
      for (int i : wrt) {
        in.set(i, in.get(i).requiresGrad());
      }
      Tensor loss = sum.apply(in).get(0);
      if (loss.isTracked()) {
        loss.backward();
      }
      for (int k = 0; k < wrt.length; k++) {
        Tensor grad = in.get(wrt[k]).grad();
        if (grad == null) { // no way back: the other says zero
          grad = Tensor.full(expected.get(k).type(), 0);
        } else {
          compared++;
        }
        assertEquals(expected.get(k).type(), grad.type());
        double[] e = expected.get(k).toDoubles();
        double[] a = grad.toDoubles();
        for (int i = 0; i < e.length; i++) {
          boolean same = Double.compare(e[i], a[i]) == 0;
          boolean close = Math.abs(e[i] - a[i]) <= 1e-4 * (1 + Math.abs(e[i]));
          assertTrue(same || close || e[i] == a[i], "seed " + seed + ": " + a[i] + " for " + e[i]);
        }
      }
    }
    assertTrue(compared > 100, "only " + compared + " gradients");
  }

  @Test
  void gradientsAddUpUntilTheyAreForgotten() {
    Tensor x = leaf(1, 2);
    assertNull(x.grad());
    x.square().sum().backward();
    assertGrad(x, 2, 4);
    x.mul(3).sum().backward();
    assertGrad(x, 5, 7);
    x.zeroGrad();
    assertNull(x.grad());
    x.sum().backward();
    assertGrad(x, 1, 1);
    assertFalse(x.grad().isTracked());
    assertSame(x, x.requiresGrad());
  }

  @Test
  void oneTensorOnManyWays() {
    Tensor x = leaf(3);
    Tensor y = x.mul(x).add(x); // x^2 + x
    Tensor z = y.mul(y).add(x.exp().mul(0)); // (x^2 + x)^2
    z.backward();
    assertGrad(x, 2 * 12 * 7);
  }

  @Test
  void fromSeveralNumbersWithTheirGradient() {
    Tensor x = leaf(1, 2, 3);
    x.square().backward(Tensor.of(new float[] {1, 0, -1}, 3));
    assertGrad(x, 2, 0, -6);
    Tensor one = leaf(5);
    one.backward();
    assertGrad(one, 1);
  }

  @Test
  void rowsWithSeveralResults() {
    Tensor x = leaf(1, 2, 3, 4, 5);
    List<Tensor> parts = x.split(0, 2, 3);
    parts.get(1).square().sum().add(parts.get(0).sum().mul(10)).backward();
    assertGrad(x, 10, 10, 6, 8, 10);
    Tensor second = leaf(1, 2, 3);
    second.split(0, 1, 2).get(0).sum().backward(); // the other result has no gradient
    assertGrad(second, 1, 0, 0);
  }

  @Test
  void whatIsDetachedOrComputedWithoutIsConstant() {
    Tensor x = leaf(2);
    x.mul(x.detach()).backward();
    assertGrad(x, 2);
    Tensor without = Autograd.noGrad(() -> x.mul(7));
    assertFalse(without.isTracked());
    assertTrue(Autograd.isOn());
    assertThrows(
        ArithmeticException.class,
        () ->
            Autograd.noGrad(
                (Runnable)
                    () -> {
                      throw new ArithmeticException();
                    }));
    assertTrue(Autograd.isOn());
    assertFalse(x.greater(1).isTracked());
    assertFalse(x.cast(DType.I32).isTracked());
    assertTrue(x.cast(DType.F64).isTracked());
  }

  @Test
  void anEagerLoopLearnsExclusiveOr() {
    Tensor in = Tensor.of(new float[] {0, 0, 0, 1, 1, 0, 1, 1}, 4, 2);
    Tensor out = Tensor.of(new float[] {0, 1, 1, 0}, 4, 1);
    java.util.Random random = new java.util.Random(1);
    List<Tensor> params = new ArrayList<>();
    for (int[] dims : new int[][] {{2, 8}, {8}, {8, 1}, {1}}) {
      float[] v = new float[IntStream.of(dims).reduce(1, (a, b) -> a * b)];
      for (int i = 0; i < v.length; i++) {
        v[i] = (float) random.nextGaussian();
      }
      params.add(Tensor.of(v, dims).requiresGrad());
    }
    double loss = 1;
    for (int step = 0; step < 300; step++) {
      Tensor h = in.matmul(params.get(0)).add(params.get(1)).tanh();
      Tensor y = h.matmul(params.get(2)).add(params.get(3));
      Tensor error = y.sub(out).square().mean();
      error.backward();
      loss = error.item();
      params.replaceAll(p -> Autograd.noGrad(() -> p.sub(p.grad().mul(0.2))).requiresGrad());
    }
    assertTrue(loss < 1e-3, "loss " + loss);
  }

  @Test
  void aDerivativeOfOnesOwnIsUsed() {
    Fn rounded = CustomVjp.customVjp(Fn.of(v -> v.round()), (operands, g) -> g);
    Tensor x = leaf(1.6f);
    rounded.call(x).square().backward();
    assertGrad(x, 4);
    // also where the function was traced before
    Tensor y = leaf(1.6f);
    Grad.valueAndGrad(Fn.of(v -> rounded.call(v).square().sum()))
        .apply(List.of(y))
        .get(0)
        .backward();
    assertGrad(y, 4);
    Tensor w = leaf(1);
    String text =
        message(() -> CustomVjp.customVjp(Fn.of(v -> v.mul(w)), (operands, g) -> g).call(leaf(2)));
    assertTrue(text.contains("as operands"), text);
  }

  @Test
  void remaindersOfMultiplesHaveSlopes() {
    Tensor x = leaf(6, -6, 7);
    Tensor y = leaf(3, 3, 3);
    x.remainder(y).sum().backward();
    assertGrad(x, 1, 1, 1);
    assertGrad(y, -2, 2, -2);
  }

  @Test
  void gradientsOfGradients() {
    Tensor x = leaf(3);
    Tensor slope = Grad.grad(Fn.of(v -> v.square().mul(v).sum())).call(x); // 3 x^2
    slope.backward();
    assertGrad(x, 18);
  }

  @Test
  void whatWasGoneBackIsForgottenUnlessRetained() {
    Tensor x = leaf(2);
    Tensor loss = x.square();
    loss.backward(true);
    loss.backward();
    assertGrad(x, 8);
    assertEquals(
        "backward: what was computed can be gone back once: mul was gone back already; pass"
            + " retain = true before, or compute it again",
        message(loss::backward));
    assertGrad(x, 8);
  }

  @Test
  void aDeepChainDoesNotOverflow() {
    Tensor x = leaf(1);
    Tensor y = x;
    for (int i = 0; i < 20000; i++) {
      y = y.neg();
    }
    y.backward();
    assertGrad(x, 1);
  }

  @Test
  void memoryGoesWithTheResult() throws InterruptedException {
    Tensor x = leaf(1, 2);
    Tensor middle = x.exp();
    WeakReference<Tensor> dropped = new WeakReference<>(middle);
    Tensor loss = middle.sum();
    middle = null;
    System.gc();
    assertNotNull(dropped.get(), "needed to go back");
    loss.backward();
    collected(dropped);
    assertTrue(loss.isTracked()); // still there, without what it was computed from
    Tensor other = x.exp();
    WeakReference<Tensor> never = new WeakReference<>(other);
    Tensor garbage = other.sum();
    assertTrue(garbage.isTracked());
    other = null;
    garbage = null;
    collected(never);
    assertNotNull(x);
  }

  private static void collected(WeakReference<Tensor> r) throws InterruptedException {
    for (int i = 0; i < 50 && r.get() != null; i++) {
      System.gc();
      Thread.sleep(10);
    }
    assertNull(r.get(), "still remembered");
  }

  @Test
  void threadsAddUpInOnePlaceAndSwitchAlone() throws Exception {
    Tensor x = leaf(1);
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        boolean off = i == 0;
        all.add(
            threads.submit(
                () -> {
                  for (int k = 0; k < 200; k++) {
                    if (off) {
                      Autograd.noGrad(() -> assertFalse(x.mul(2).isTracked()));
                    } else {
                      x.mul(2).backward();
                    }
                  }
                }));
      }
      for (Future<?> f : all) {
        f.get();
      }
    } finally {
      threads.shutdown();
    }
    assertGrad(x, 3 * 200 * 2);
  }

  @Test
  void wrongUseIsExplained() {
    Tensor x = leaf(1, 2);
    assertEquals(
        "backward: goes from one number: f32[2]; reduce it, for instance with mean(), or pass its"
            + " gradient",
        message(() -> x.square().backward()));
    assertEquals(
        "backward: a gradient has its tensor's type: f32[3] for f32[2]; reshape or cast it",
        message(() -> x.square().backward(Tensor.zeros(DType.F32, 3))));
    assertEquals(
        "backward: the tensor must require a gradient: f32[] does not; compute it, outside noGrad,"
            + " from one made by requiresGrad",
        message(() -> x.detach().sum().backward()));
    assertEquals(
        "requires_grad: a gradient needs a floating tensor: i32[1]; cast it",
        message(() -> Tensor.of(new int[1], 1).requiresGrad()));
    assertEquals(
        "grad: only a tensor made by requiresGrad keeps a gradient: a computed f32[2]; ask that"
            + " one",
        message(() -> x.square().grad()));
    assertEquals(
        "zero_grad: only a tensor made by requiresGrad keeps a gradient: a plain f32[2]; ask that"
            + " one",
        message(() -> x.detach().zeroGrad()));
  }

  @Test
  void insideATraceItIsRefused() {
    Tensor x = leaf(1, 2);
    Tensor plain = Tensor.of(new float[2], 2);
    assertEquals(
        "backward: is for values, not for a trace: a traced f32[]; use Grad.grad of the function",
        message(
            () ->
                Jit.jit(
                        Fn.of(
                            v -> {
                              v.sum().backward();
                              return v;
                            }))
                    .call(plain)));
    assertEquals(
        "requires_grad: is for values, not for a trace: a traced f32[2]; use Grad.grad of the"
            + " function",
        message(() -> Jit.jit(Fn.of(v -> v.requiresGrad())).call(plain)));
    assertEquals(
        "autograd: a traced function must not capture a tensor that requires a gradient, which"
            + " would have none: [f32[2]]; pass it as an operand, detach it, or stay eager",
        message(() -> Jit.jit(Fn.of(v -> v.mul(x))).call(plain)));
    Program p =
        Backends.cpu()
            .compile(Jit.graph(Fn.of(v -> v.mul(2)), List.of(x.type())), CompileOptions.DEFAULT);
    assertEquals(
        "jit: eager gradients do not go through a program: f32[2] requires one; apply Jit.jit of"
            + " the function, or detach the operands",
        message(() -> Jit.run(p, List.of(x))));
    Tensor scored = Autograd.noGrad(() -> Jit.jit(Fn.of(v -> v.mul(x))).call(x));
    assertArrayEquals(new float[] {1, 4}, scored.toFloats());
    // a part of a function that is traced and evaluated at once has its gradient
    Tensor y = Vmap.vmap(Fn.of(v -> v.square())).call(x);
    Movement.concat(0, List.of(y, y)).sum().backward();
    assertGrad(x, 4, 8);
    Fn own = CustomVjp.customVjp(Fn.of(v -> v.round()), (operands, g) -> g);
    String text = message(() -> Vmap.vmap(own).call(x));
    assertTrue(text.startsWith("vmap: eager gradients do not go through"), text);
  }

  private static String message(Executable e) {
    String m = assertThrows(IllegalArgumentException.class, e).getMessage();
    assertTrue(m.contains("; "), m);
    return m;
  }

  /** Captured tensors that require a gradient become operands of the loop. */
  @Test
  void gradientsGoThroughWhatLoopsAndBranchesCapture() {
    Tensor xs = Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 3, 2);
    Fn loss =
        in -> {
          Tensor w = in.get(0);
          Tensor scale = in.get(1);
          Control.Scan s =
              Control.scan(
                  (h, x) -> {
                    Tensor next = h.get(0).mul(w.square()).add(x.get(0).mul(scale));
                    return new Control.Scan(List.of(next), List.of(next.mul(w)));
                  },
                  List.of(Tensor.zeros(DType.F32, 2).lift(w)),
                  List.of(xs.lift(w)));
          Tensor sum = s.ys().get(0).sum();
          Tensor chosen =
              Control.cond(
                      sum.greater(0),
                      v -> List.of(v.get(0).mul(w.sum())),
                      v -> List.of(v.get(0).mul(scale)),
                      sum)
                  .get(0);
          return List.of(chosen);
        };
    Tensor w = leaf(0.5f, -0.25f);
    Tensor scale = Tensor.scalar(DType.F32, 2).requiresGrad();
    loss.apply(List.of(w, scale)).get(0).backward();
    List<Tensor> expected = Grad.grad(loss, 0, 1).apply(List.of(w.detach(), scale.detach()));
    assertGrad(w, expected.get(0).toDoubles());
    assertGrad(scale, expected.get(1).toDoubles());
    String m =
        message(
            () ->
                Control.scan(
                    (h, x) -> new Control.Scan(Grad.grad(Fn.of(v -> v.mul(w).sum())).apply(h), x),
                    List.of(xs.slice(0, 0, 1).reshape(2)),
                    List.of(xs)));
    assertTrue(m.contains("must not capture a tensor that requires a gradient"), m);
  }
}
