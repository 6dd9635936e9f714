package io.fragua.optim;

import static io.fragua.optim.Optimizers.sgd;
import static io.fragua.optim.Transforms.chain;
import static io.fragua.optim.Wrappers.scaleByStoredRate;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.fragua.exec.Backends;
import io.fragua.exec.CompileOptions;
import io.fragua.nn.ParamTree;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.Golden;
import io.fragua.testing.Runs;
import io.fragua.testing.Tolerance;
import io.fragua.transform.Control;
import io.fragua.transform.Fn;
import io.fragua.transform.Grad;
import io.fragua.transform.Jit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every property of every row of {@link OptimizerCases}. */
class OptimizerTest {
  private static final JsonNode GOLDEN = Golden.json("optim.json");

  static Stream<OptimizerCases.Case> cases() {
    return OptimizerCases.ALL.stream();
  }

  private static ParamTree tree(JsonNode n) {
    Map<String, Tensor> m = new LinkedHashMap<>();
    m.put("w", Golden.floats(n.get("w"), 2, 3));
    m.put("b", Golden.floats(n.get("b"), 3));
    return ParamTree.of(m);
  }

  /** One step: parameters, state and gradients to parameters and state. */
  private static Fn step(GradientTransform t, ParamTree params, ParamTree state) {
    return a -> {
      int n = params.size();
      int k = n + state.size();
      ParamTree p = params.withLeaves(a.subList(0, n));
      GradientTransform.Update u =
          t.update(params.withLeaves(a.subList(k, k + n)), state.withLeaves(a.subList(n, k)), p);
      List<Tensor> out = new ArrayList<>(Optimizers.applyUpdates(p, u.updates()).leaves());
      out.addAll(u.state().leaves());
      return out;
    };
  }

  private static List<Tensor> concat(ParamTree... trees) {
    return Stream.of(trees).flatMap(t -> t.leaves().stream()).toList();
  }

  @Test
  void everyGoldenCaseIsCompared() {
    assertEquals(
        Golden.members(GOLDEN.get("cases")).keySet(),
        cases().map(OptimizerCases.Case::name).collect(Collectors.toSet()));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void stepsAreOptaxs(OptimizerCases.Case c) {
    ParamTree params = tree(GOLDEN.get("start"));
    ParamTree state = c.transform().init(params);
    ParamTree eagerParams = params;
    ParamTree eagerState = state;
    JsonNode grads = GOLDEN.get("grads");
    for (int i = 0; i < grads.size(); i++) {
      ParamTree g = tree(grads.get(i));
      List<Tensor> in = concat(params, state, g);
      List<TensorType> types = in.stream().map(Tensor::type).toList();
      List<Tensor> out =
          Runs.on(Backends.cpu(), Jit.graph(step(c.transform(), params, state), types), in);
      params = params.withLeaves(out.subList(0, 2));
      state = state.withLeaves(out.subList(2, out.size()));
      List<Tensor> eager =
          step(c.transform(), params, state).apply(concat(eagerParams, eagerState, g));
      eagerParams = params.withLeaves(eager.subList(0, 2));
      eagerState = state.withLeaves(eager.subList(2, eager.size()));
      ParamTree expected = tree(GOLDEN.get("cases").get(c.name()).get(i));
      for (String name : expected.names()) {
        Tolerance t = new Tolerance(8, 8);
        String where = "step " + i + ", " + name;
        assertNull(t.difference(expected.get(name), params.get(name)), where);
        assertNull(t.difference(expected.get(name), eagerParams.get(name)), where + ", eager");
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void theStateKeepsNamesAndTypes(OptimizerCases.Case c) {
    ParamTree params = tree(GOLDEN.get("start"));
    ParamTree state = c.transform().init(params);
    state.leaves().forEach(t -> assertEquals(DType.F32, t.dtype()));
    GradientTransform.Update u =
        c.transform().update(tree(GOLDEN.get("grads").get(0)), state, params);
    assertEquals(state.toString(), u.state().toString());
    assertEquals(params.toString(), u.updates().toString());
    assertEquals(c.text(), c.transform().toString());
  }

  @ParameterizedTest
  @MethodSource("cases")
  void otherDtypesAreKept(OptimizerCases.Case c) {
    ParamTree params = tree(GOLDEN.get("start")).map(t -> t.cast(DType.F64));
    ParamTree grads = tree(GOLDEN.get("grads").get(0)).map(t -> t.cast(DType.F64));
    ParamTree state = c.transform().init(params);
    GradientTransform.Update u = c.transform().update(grads, state, params);
    assertEquals(state.toString(), u.state().toString());
    assertEquals(params.toString(), u.updates().toString());
  }

  /** Half types cannot hold 1e-8 nor a slow average: all but the updates is f32. */
  @ParameterizedTest
  @MethodSource("cases")
  void stepsOfHalfTypesAreThoseOfF32Rounded(OptimizerCases.Case c) {
    for (DType half : List.of(DType.F16, DType.BF16)) {
      ParamTree params = tree(GOLDEN.get("start")).map(t -> t.cast(half));
      ParamTree still = params.map(t -> t.mul(0)); // the update of Adam was 0 / 0
      ParamTree wide = params.map(t -> t.cast(DType.F32));
      ParamTree state = c.transform().init(params);
      assertEquals(c.transform().init(wide).toString(), state.toString());
      ParamTree wideState = state;
      for (int i = 0; i < 3; i++) {
        ParamTree g =
            i == 0 ? still : tree(GOLDEN.get("grads").get(i)).map(t -> t.mul(1e-4).cast(half));
        GradientTransform.Update u = c.transform().update(g, state, params);
        GradientTransform.Update w =
            c.transform().update(g.map(t -> t.cast(DType.F32)), wideState, wide);
        for (String name : params.names()) {
          Tensor expected = w.updates().get(name).cast(half);
          assertNull(Tolerance.EQUAL.difference(expected, u.updates().get(name)), name);
          for (float x : u.updates().get(name).cast(DType.F32).toFloats()) {
            assertTrue(Float.isFinite(x), name + " is " + x);
          }
        }
        state = u.state();
        wideState = w.state();
      }
    }
  }

  /** Such numbers make a step many times as long. */
  @ParameterizedTest
  @MethodSource("cases")
  void nothingFadesBelowTheNormalNumbers(OptimizerCases.Case c) {
    ParamTree params = tree(GOLDEN.get("start"));
    ParamTree still = params.map(t -> t.mul(0));
    ParamTree old = c.transform().init(params).map(t -> t.mul(0).add(Float.MIN_NORMAL * 1.001));
    ParamTree state = c.transform().update(still, old, params).state();
    for (String name : state.names()) {
      for (float x : state.get(name).toFloats()) {
        assertTrue(x == 0 || Math.abs(x) >= Float.MIN_NORMAL, name + " holds " + x);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void itFindsTheBottomOfAParabola(OptimizerCases.Case c) {
    Tensor target = Tensor.of(new float[] {1, -2, 3}, 3);
    Fn loss = a -> List.of(a.get(0).sub(target.lift(a.get(0))).square().sum());
    float[] x = minimise(c.parabola(), loss, new float[] {0, 0, 0}, 1000);
    assertEquals(1, x[0], 2e-3);
    assertEquals(-2, x[1], 2e-3);
    assertEquals(3, x[2], 2e-3);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void itFollowsRosenbrocksValley(OptimizerCases.Case c) {
    Fn loss =
        a -> {
          Tensor x = a.get(0).slice(0, 0, 1);
          Tensor y = a.get(0).slice(0, 1, 2);
          Tensor wall = y.sub(x.square()).square().mul(100);
          return List.of(x.neg().add(1).square().add(wall).sum());
        };
    float[] x = minimise(c.rosenbrock(), loss, new float[] {-1, 1}, 20000);
    assertEquals(1, x[0], 0.05);
    assertEquals(1, x[1], 0.1);
  }

  private static float[] minimise(GradientTransform t, Fn loss, float[] start, int steps) {
    ParamTree params = ParamTree.of("x", Tensor.of(start, start.length));
    ParamTree state = t.init(params);
    Fn step =
        a -> {
          List<Tensor> in = new ArrayList<>(a);
          in.add(Grad.grad(loss).apply(a.subList(0, 1)).get(0));
          return step(t, params, state).apply(in);
        };
    Fn all = a -> Control.foriLoop(0, steps, (i, v) -> step.apply(v), a);
    List<Tensor> v =
        Jit.jit(all, Backends.cpu(), CompileOptions.DEFAULT).apply(concat(params, state));
    return v.get(0).toFloats();
  }

  @Test
  void schedulesAreOptaxs() {
    Map<String, Schedule> all = new LinkedHashMap<>();
    all.put("constant", Schedules.constant(0.3));
    all.put("linear", Schedules.linear(1, 0.1, 8));
    all.put("cosine", Schedules.cosineDecay(0.5, 4, 10, 0.05));
    all.put("cosine without warm-up", Schedules.cosineDecay(0.5, 0, 10, 0));
    all.put("exponential", Schedules.exponentialDecay(0.5, 3, 0.7, false));
    all.put("exponential staircase", Schedules.exponentialDecay(0.5, 3, 0.7, true));
    all.put("polynomial", Schedules.polynomial(0.5, 0.1, 2, 9));
    all.put("polynomial of a root", Schedules.polynomial(0.1, 0.5, 0.5, 9));
    all.put("piecewise constant", Schedules.piecewiseConstant(0.5, Map.of(8, 0.5, 3, 0.1)));
    all.put("cosine onecycle", Schedules.cosineOnecycle(10, 0.5));
    all.put("cosine onecycle settings", Schedules.cosineOnecycle(11, 0.5, 0.5, 10, 100));
    all.put("linear onecycle", Schedules.linearOnecycle(10, 0.5));
    all.put("cosine restarts", Schedules.cosineRestarts(0.5, 2, 2, 3, 0.1));
    Schedule warmUp = Schedules.linear(0, 0.5, 4);
    Schedule decay = Schedules.exponentialDecay(0.5, 3, 0.7, false);
    all.put("join", Schedules.join(List.of(warmUp, decay), List.of(4)));
    all.put("warm-up of both", Schedules.join(List.of(warmUp, decay), List.of(4)));
    all.put("linear onecycle settings", Schedules.linearOnecycle(11, 0.5, 0.4, 0.7, 10, 100));
    all.put("exponential to", Schedules.exponentialDecay(0.5, 3, 0.7, 2, false, 0.2));
    all.put("exponential growth", Schedules.exponentialDecay(0.5, 3, 1.5, 3, true, 1.2));
    JsonNode golden = GOLDEN.get("schedules");
    assertEquals(Golden.members(golden).keySet(), all.keySet());
    all.forEach(
        (name, s) -> {
          for (int t = 0; t < golden.get(name).size(); t++) {
            Tensor expected = Tensor.scalar(DType.F32, golden.get(name).get(t).doubleValue());
            Tensor step = Tensor.scalar(DType.F32, t);
            Tolerance close = new Tolerance(8, 1);
            assertNull(close.difference(expected, s.at(step)), name + " at " + t);
            Tensor traced = Runs.eval(Fn.of(x -> s.at(x)), step);
            assertNull(close.difference(expected, traced), name + " traced at " + t);
          }
        });
    assertEquals(
        List.of(
            "0.3",
            "linear(1.0, 0.1, 8)",
            "cosineDecay(0.5, 4, 10, 0.05)",
            "cosineDecay(0.5, 0, 10, 0.0)",
            "exponentialDecay(0.5, 3, 0.7, false)",
            "exponentialDecay(0.5, 3, 0.7, true)",
            "polynomial(0.5, 0.1, 2.0, 9)",
            "polynomial(0.1, 0.5, 0.5, 9)",
            "piecewiseConstant(0.5, {3=0.1, 8=0.5})",
            "cosineOnecycle(10, 0.5, 0.3, 25.0, 10000.0)",
            "cosineOnecycle(11, 0.5, 0.5, 10.0, 100.0)",
            "linearOnecycle(10, 0.5)",
            "cosineRestarts(0.5, 2, 2, 3, 0.1)",
            "join([linear(0.0, 0.5, 4), exponentialDecay(0.5, 3, 0.7, false)], [4])",
            "join([linear(0.0, 0.5, 4), exponentialDecay(0.5, 3, 0.7, false)], [4])",
            "linearOnecycle(11, 0.5, 0.4, 0.7, 10.0, 100.0)",
            "exponentialDecay(0.5, 3, 0.7, false, from 2, to 0.2)",
            "exponentialDecay(0.5, 3, 1.5, true, from 3, to 1.2)"),
        all.values().stream().map(Object::toString).toList());
  }

  @Test
  void averagesOfParametersAreOptaxs() {
    GradientTransform t = chain(sgd(Schedules.constant(0.1), 0), Wrappers.paramsEma(0.8));
    ParamTree params = tree(GOLDEN.get("start"));
    ParamTree state = t.init(params);
    for (int i = 0; i < GOLDEN.get("grads").size(); i++) {
      GradientTransform.Update u = t.update(tree(GOLDEN.get("grads").get(i)), state, params);
      params = Optimizers.applyUpdates(params, u.updates());
      state = u.state();
      ParamTree expected = tree(GOLDEN.get("params ema").get(i));
      for (String name : expected.names()) {
        Tensor average = state.get("1.ema." + name);
        assertNull(
            new Tolerance(8, 8).difference(expected.get(name), average), "step " + i + ", " + name);
      }
    }
  }

  @Test
  void clippingLeavesSmallAndZeroGradientsAlone() {
    GradientTransform clip = Transforms.clipByGlobalNorm(1);
    ParamTree zero = ParamTree.of("x", Tensor.of(new float[2], 2));
    assertEquals(0, clip.update(zero, ParamTree.EMPTY, zero).updates().get("x").sum().item());
    ParamTree small = ParamTree.of("x", Tensor.of(new float[] {0.5f, -0.25f}, 2));
    assertNull(
        Tolerance.BITS.difference(
            small.get("x"), clip.update(small, ParamTree.EMPTY, small).updates().get("x")));
    for (float factor : new float[] {1.01f, 1e10f}) {
      ParamTree g = ParamTree.of("x", Tensor.of(new float[] {0.6f * factor, 0.8f * factor}, 2));
      Tensor clipped = clip.update(g, ParamTree.EMPTY, g).updates().get("x");
      assertEquals(0.6f, clipped.toFloats()[0], 1e-6f);
      assertEquals(0.8f, clipped.toFloats()[1], 1e-6f);
    }
  }

  /** Squares of such numbers are infinite in f32. */
  @Test
  void clippingOfF64IsComputedInF64() {
    ParamTree g = ParamTree.of("x", Tensor.of(new double[] {3e19, 4e19}, 2));
    Tensor clipped =
        Transforms.clipByGlobalNorm(1).update(g, ParamTree.EMPTY, g).updates().get("x");
    assertArrayEquals(new double[] {0.6, 0.8}, clipped.toDoubles(), 1e-15);
  }

  /** As in Optax, where a bias that starts at 0 has no length to be compared with. */
  @Test
  void larsStepsByTheWholeGradientFromZero() {
    GradientTransform lars = Optimizers.lars(Schedules.constant(0.1), 0);
    ParamTree p = ParamTree.of("x", Tensor.of(new float[2], 2));
    ParamTree g = ParamTree.of("x", Tensor.of(new float[] {1, -2}, 2));
    float[] u = lars.update(g, lars.init(p), p).updates().get("x").toFloats();
    assertArrayEquals(new float[] {-0.1f, 0.2f}, u, 1e-7f);
  }

  @Test
  void aStoredRateIsChangedInTheState() {
    GradientTransform t = chain(Transforms.scaleByAdam(0.9, 0.999, 0), scaleByStoredRate(0.5));
    ParamTree p = ParamTree.of("x", Tensor.of(new float[] {1, 2}, 2));
    ParamTree g = p.map(x -> x.mul(3));
    ParamTree state = t.init(p);
    assertEquals(-0.5f, t.update(g, state, p).updates().get("x").toFloats()[0], 1e-4f);
    ParamTree changed = Wrappers.withRate(state, 0.25);
    assertEquals(state.toString(), changed.toString());
    assertEquals(-0.25f, t.update(g, changed, p).updates().get("x").toFloats()[0], 1e-4f);
    assertEquals(
        "with_rate: the state must have a learning rate: [count]; chain scaleByStoredRate instead"
            + " of scaleByLearningRate",
        message(() -> Wrappers.withRate(Verb.count(), 1)));
  }

  @Test
  void aMatrixIsMadeOrthogonal() {
    for (int[] dims : new int[][] {{4, 4}, {3, 7}, {9, 5}}) {
      Tensor x = io.fragua.testing.Values.range(-1, 1).make(TensorType.of(DType.F64, dims), 1);
      Tensor y = Muon.orthogonalized(x, 12);
      Tensor small = dims[0] <= dims[1] ? y.matmul(y.transpose()) : y.transpose().matmul(y);
      int n = Math.min(dims[0], dims[1]);
      for (int i = 0; i < n; i++) {
        for (int k = 0; k < n; k++) {
          double v = small.slice(0, i, i + 1).slice(1, k, k + 1).item();
          // the coefficients leave squares of singular values between about 0.5 and 1.5
          assertEquals(i == k ? 1 : 0, v, 0.55, i + ", " + k);
        }
      }
      // it turns the same way: the trace of x^T y is positive, near the sum of singular values
      assertTrue(x.mul(y).sum().item() > 0.6 * x.square().sum().sqrt().item());
    }
    assertEquals(
        "orthogonalized: takes a floating matrix: f32[3]; reshape it, or leave the parameter to"
            + " another optimizer",
        message(() -> Muon.orthogonalized(Tensor.zeros(DType.F32, 3), 5)));
  }

  @Test
  void muonLeavesWhatIsRefusedToAdam() {
    ParamTree p = tree(GOLDEN.get("start"));
    ParamTree all = Optimizers.muon(Schedules.constant(1), 0).init(p);
    ParamTree none = Optimizers.muon(Schedules.constant(1), 0, n -> false).init(p);
    assertTrue(all.has("first.0.mu.w") && !all.has("first.0.mu.b"), all.toString());
    assertTrue(all.has("second.0.mu.b") && !all.has("second.0.mu.w"), all.toString());
    assertTrue(none.has("second.0.mu.w"), none.toString());
  }

  @Test
  void statesHaveReadableNames() {
    ParamTree p = ParamTree.of("dense_0.kernel", Tensor.of(new float[6], 2, 3));
    assertEquals(
        "{0.count: f32[], 0.mu.dense_0.kernel: f32[2, 3], 0.nu.dense_0.kernel: f32[2, 3],"
            + " 2.count: f32[]}",
        Optimizers.adamw(Schedules.constant(1), 0.1).init(p).toString());
    assertEquals(
        Set.of("0.trace.dense_0.kernel", "1.count"),
        Set.copyOf(Optimizers.sgd(Schedules.constant(1), 0.9).init(p).names()));
  }

  @Test
  void wrongUseIsExplained() {
    ParamTree p = ParamTree.of("x", Tensor.of(new float[2], 2));
    ParamTree g = ParamTree.of("y", Tensor.of(new float[2], 2));
    assertEquals(
        "scale(2.0): gradients must have the parameters' names and order: {y: f32[2]} for {x:"
            + " f32[2]}; make them with params.withLeaves",
        message(() -> Transforms.scale(2).update(g, ParamTree.EMPTY, p)));
    assertEquals(
        "apply_updates: an update has its parameter's type: f64[2] for f32[2]; check the gradients",
        message(() -> Optimizers.applyUpdates(p, p.map(t -> t.cast(DType.F64)))));
    ParamTree one = ParamTree.of("x", Tensor.of(new float[1], 1));
    GradientTransform adam = Transforms.scaleByAdam(0.9, 0.99, 0);
    assertEquals(
        "scaleByAdam(0.9, 0.99, 0.0): a gradient must have its parameter's shape: f32[1] for"
            + " f32[2]; sum or reshape it",
        message(() -> adam.update(one, adam.init(p), p)));
    assertEquals(
        "scale_by_trust_ratio: the coefficient is finite and above 0: 0.0; correct it",
        message(() -> Transforms.scaleByTrustRatio(0)));
    assertEquals(
        "scale_by_adam: b1 lies in [0, 1): 1.0; correct it",
        message(() -> Optimizers.adam(Schedules.constant(1), 1, 0.9, 0)));
    assertEquals(
        "trace: momentum lies in [0, 1): -0.1; correct it",
        message(() -> Optimizers.sgd(Schedules.constant(1), -0.1)));
    assertEquals(
        "clip_by_global_norm: the bound is above 0: 0.0; correct it",
        message(() -> Transforms.clipByGlobalNorm(0)));
    assertEquals(
        "clip_by_value: the bound is above 0: -1.0; correct it",
        message(() -> Transforms.clipByValue(-1)));
    assertEquals(
        "cosine_decay: total steps are more than warm-up: 5; correct it",
        message(() -> Schedules.cosineDecay(1, 5, 5, 0)));
    assertEquals(
        "constant: the value is finite: NaN; correct it",
        message(() -> Schedules.constant(Double.NaN)));
    assertEquals(
        "scale_by_rms: decay lies in [0, 1): 1.0; correct it",
        message(() -> Optimizers.rmsprop(Schedules.constant(1), 1, 0, 0)));
    assertEquals(
        "scale_by_rss: the initial sum is finite and not negative: -1.0; correct it",
        message(() -> Transforms.scaleByRss(-1, 0)));
    assertEquals(
        "scale_by_lion: b2 lies in [0, 1): NaN; correct it",
        message(() -> Transforms.scaleByLion(0, Double.NaN)));
    assertEquals(
        "scale_by_factored_rms: sizes are positive: 0; correct it",
        message(() -> Optimizers.adafactor(Schedules.constant(1), 0)));
    assertEquals(
        "multi_steps: a step has at least one gradient: 0; correct it",
        message(() -> Wrappers.multiSteps(Transforms.scale(1), 0)));
    assertEquals(
        "params_ema: decay lies in [0, 1): 1.0; correct it", message(() -> Wrappers.paramsEma(1)));
    assertEquals(
        "polynomial: power is above 0: 0.0; correct it",
        message(() -> Schedules.polynomial(1, 0, 0, 5)));
    assertEquals(
        "piecewise_constant: scales are finite and not negative: -1.0; correct it",
        message(() -> Schedules.piecewiseConstant(1, Map.of(3, -1.0))));
    assertEquals(
        "cosine_onecycle: start lies in [0, 1]: 1.5; correct it",
        message(() -> Schedules.cosineOnecycle(1, 1, 1.5, 1, 1)));
    assertEquals(
        "join: there is one boundary between each two schedules: 1 schedules, boundaries [4];"
            + " correct it",
        message(() -> Schedules.join(List.of(Schedules.constant(1)), List.of(4))));
    assertEquals(
        "scale_by_learning_rate: a schedule gives f32[]: f32[1]; correct the schedule",
        message(
            () ->
                Transforms.scaleByLearningRate(t -> t.reshape(1))
                    .update(p, ParamTree.of("count", Tensor.scalar(DType.F32, 0)), p)));
  }

  private static String message(Executable e) {
    String m = assertThrows(IllegalArgumentException.class, e).getMessage();
    assertTrue(m.contains("; "), m);
    return m;
  }
}
