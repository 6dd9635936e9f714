package io.fragua.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.fragua.exec.Backend;
import io.fragua.exec.Backends;
import io.fragua.random.Key;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.Golden;
import io.fragua.testing.GradCheck;
import io.fragua.testing.Runs;
import io.fragua.testing.Tolerance;
import io.fragua.testing.Values;
import io.fragua.transform.Fn;
import io.fragua.transform.Grad;
import io.fragua.transform.Jit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Activations, losses and initial values: against JAX, against closed forms, against formulas. */
class FunctionsTest {
  private static final JsonNode GOLDEN = Golden.json("nn.json");

  /** A few units in the last place of the value, or of 1 where it is smaller. */
  private static final Tolerance CLOSE = new Tolerance(8, 1);

  static Stream<Arguments> activations() {
    return backends().flatMap(b -> Activations.names().stream().map(n -> Arguments.of(b, n)));
  }

  static Stream<Arguments> losses() {
    return backends()
        .flatMap(
            b ->
                Golden.members(GOLDEN.get("losses")).keySet().stream()
                    .map(n -> Arguments.of(b, n)));
  }

  private static Stream<String> backends() {
    return Stream.of(Backends.reference(), Backends.cpu()).map(Backend::name);
  }

  /** The sum's operand and its gradient with respect to the first argument. */
  private static List<Tensor> valueAndSlope(String backend, Fn f, Tensor... in) {
    Fn both =
        a -> {
          Fn scalar =
              x -> {
                Tensor y = f.apply(x).get(0);
                return List.of(y.sum(), y);
              };
          return Grad.valueAndGrad(scalar, 0).apply(a).subList(1, 3);
        };
    List<TensorType> types = Stream.of(in).map(Tensor::type).toList();
    return Runs.on(Backends.get(backend), Jit.graph(both, types), List.of(in));
  }

  @ParameterizedTest
  @MethodSource("activations")
  void activationsAreJaxsFromFarBelowToFarAbove(String backend, String name) {
    JsonNode n = GOLDEN.get("activations").get(name);
    Tensor x = Golden.floats(GOLDEN.get("points"), 12);
    List<Tensor> r = valueAndSlope(backend, Fn.of(Activations.get(name).function()), x);
    assertNull(CLOSE.difference(Golden.floats(n.get("value"), 12), r.get(0)), "value");
    assertNull(CLOSE.difference(Golden.floats(n.get("grad"), 12), r.get(1)), "gradient");
  }

  @Test
  void everyActivationIsCompared() {
    assertEquals(Activations.names(), Golden.members(GOLDEN.get("activations")).keySet());
    assertEquals(
        "activation: must be one of [identity, relu, leaky_relu, elu, gelu, silu, softplus,"
            + " logistic, tanh, gelu_exact, relu6, selu, mish, log_sigmoid, soft_sign, squareplus,"
            + " hard_tanh, hard_sigmoid, hard_silu, celu, hard_shrink, soft_shrink, tanh_shrink]:"
            + " \"swish\"; correct the name",
        ScopeTest.message(() -> Activations.get("swish")));
  }

  private static List<Activation> withSettings() {
    return List.of(
        Activations.leakyRelu(0.2),
        Activations.elu(1.5),
        Activations.celu(0.5),
        Activations.softplus(2),
        Activations.hardShrink(0.1),
        Activations.softShrink(1),
        Activations.hardShrink(0));
  }

  @Test
  void settingsAreAsPyTorchs() {
    JsonNode golden = GOLDEN.get("activations with settings");
    Tensor x = Golden.floats(GOLDEN.get("points"), 12);
    assertEquals(
        Golden.members(golden).keySet(),
        withSettings().stream().map(Activation::toString).collect(Collectors.toSet()));
    for (Activation a : withSettings()) {
      JsonNode n = golden.get(a.toString());
      for (String backend : backends().toList()) {
        List<Tensor> r = valueAndSlope(backend, Fn.of(a.function()), x);
        assertNull(CLOSE.difference(Golden.floats(n.get("value"), 12), r.get(0)), a + " value");
        assertNull(CLOSE.difference(Golden.floats(n.get("grad"), 12), r.get(1)), a + " gradient");
        Tensor nan = Tensor.of(new float[] {Float.NaN}, 1);
        assertTrue(
            Float.isNaN(valueAndSlope(backend, Fn.of(a.function()), nan).get(0).toFloats()[0]));
      }
    }
  }

  @Test
  void wrongSettingsOfActivationsAreExplained() {
    assertEquals(
        "leaky_relu: the slope is finite: NaN; correct it",
        ScopeTest.message(() -> Activations.leakyRelu(Double.NaN)));
    assertEquals(
        "celu: alpha is finite and above 0: 0.0; correct it",
        ScopeTest.message(() -> Activations.celu(0)));
    assertEquals(
        "soft_shrink: lambda is finite and not negative: -1.0; correct it",
        ScopeTest.message(() -> Activations.softShrink(-1)));
  }

  /** A network that has diverged must not look as if it had not. */
  @ParameterizedTest
  @MethodSource("activations")
  void whatIsNotANumberStaysSo(String backend, String name) {
    Tensor x = Tensor.of(new float[] {Float.NaN, 1}, 2);
    Tensor y = valueAndSlope(backend, Fn.of(Activations.get(name).function()), x).get(0);
    assertTrue(Float.isNaN(y.toFloats()[0]) && Float.isFinite(y.toFloats()[1]), y.toString());
  }

  @Test
  void quotientsOfIntegersAreRefused() {
    Tensor x = Tensor.of(new int[] {5}, 1);
    for (String name : List.of("soft_sign", "hard_sigmoid", "hard_silu")) {
      String m = ScopeTest.message(() -> Activations.get(name).function().apply(x));
      assertTrue(m.endsWith(": input must be floating: i32[1]; cast it"), m);
    }
  }

  @Test
  void gatesAreJaxs() {
    Tensor x = Golden.floats(GOLDEN.get("halves"), 3, 8);
    Map<String, Tensor> gates = new LinkedHashMap<>();
    gates.put("glu", Activations.glu(x));
    gates.put("geglu", Activations.geglu(x));
    gates.put("swiglu", Activations.swiglu(x));
    assertEquals(Golden.members(GOLDEN.get("gates")).keySet(), gates.keySet());
    gates.forEach(
        (name, y) ->
            assertNull(
                new Tolerance(16, 16)
                    .difference(Golden.floats(GOLDEN.get("gates").get(name), 3, 4), y),
                name));
    assertEquals(
        "glu: the last axis has two halves: f32[3, 7]; give the layer before an even number of"
            + " units",
        ScopeTest.message(() -> Activations.glu(x.slice(1, 0, 7))));
  }

  @ParameterizedTest
  @MethodSource("losses")
  void lossesAreOptaxs(String backend, String name) {
    JsonNode n = GOLDEN.get("losses").get(name);
    Tensor value = Golden.floats(n.get("value"), n.get("value").size());
    int[] dims = name.equals("cross_entropy") ? new int[] {4, 3} : new int[] {8};
    Tensor x = Golden.floats(n.get("x"), dims);
    boolean classes = name.equals("cross_entropy");
    Tensor y = classes ? Tensor.of(Golden.ints(n.get("y")), 4) : Golden.floats(n.get("y"), 8);
    List<Tensor> r = valueAndSlope(backend, loss(name), x, y);
    assertNull(CLOSE.difference(value, r.get(0)), "value");
    assertNull(CLOSE.difference(Golden.floats(n.get("grad"), dims), r.get(1)), "gradient");
  }

  private static Fn loss(String name) {
    return switch (name) {
      case "binary_cross_entropy" -> Fn.of(Losses::binaryCrossEntropyWithLogits);
      case "cross_entropy" -> Fn.of(Losses::crossEntropyWithLogits);
      case "squared_error" -> Fn.of(Losses::squaredError);
      default -> throw new AssertionError(name);
    };
  }

  @Test
  void lossGradientsAreTheirClosedForms() {
    Tensor z = Values.range(-6, 6).make(TensorType.of(DType.F64, 9), 1);
    Tensor y = Values.range(0, 1).make(TensorType.of(DType.F64, 9), 2);
    close(z.logistic().sub(y), valueAndSlope("reference", loss("binary_cross_entropy"), z, y));
    close(z.sub(y).mul(2), valueAndSlope("reference", loss("squared_error"), z, y));
    Tensor logits = Values.range(-6, 6).make(TensorType.of(DType.F64, 5, 4), 3);
    Tensor labels = Tensor.of(new int[] {3, 0, 1, 2, 2}, 5);
    close(
        logits.softmax(1).sub(labels.oneHot(4, DType.F64)),
        valueAndSlope("reference", loss("cross_entropy"), logits, labels));
    // rows do not mix
    assertNull(
        GradCheck.first(
            a -> loss("cross_entropy").apply(List.of(a.get(0), labels)), List.of(logits)));
  }

  private static void close(Tensor expected, List<Tensor> r) {
    assertNull(new Tolerance(64, 64).difference(expected, r.get(1)));
  }

  @Test
  void wrongLossOperandsAreExplained() {
    Tensor b = Tensor.of(new float[2], 2);
    assertEquals(
        "binary_cross_entropy: takes two floating tensors of one type: f32[2, 1] with f32[2];"
            + " reshape or cast one of them",
        ScopeTest.message(() -> Losses.binaryCrossEntropyWithLogits(b.reshape(2, 1), b)));
    assertEquals(
        "squared_error: takes two floating tensors of one type: f32[2] with f64[2]; reshape or"
            + " cast one of them",
        ScopeTest.message(() -> Losses.squaredError(b, b.cast(DType.F64))));
    assertEquals(
        "cross_entropy: takes floating logits [..., K] and i32 labels [...]: f32[2, 1] with f32[2];"
            + " reshape or cast one of them",
        ScopeTest.message(() -> Losses.crossEntropyWithLogits(b.reshape(2, 1), b)));
  }

  /** Bound of a uniform one or standard deviation of a normal one, for a kernel [300, 200]. */
  @Test
  void initialValuesHaveTheirSpread() {
    Map<String, Initializer> normal = new LinkedHashMap<>();
    normal.put("0.3", Initializers.normal(0.3));
    normal.put(String.valueOf(Math.sqrt(2 / 300.)), Initializers.heNormal());
    normal.put(String.valueOf(Math.sqrt(1 / 300.)), Initializers.lecunNormal());
    Map<String, Initializer> uniform = new LinkedHashMap<>();
    normal.put(String.valueOf(Math.sqrt(2 / 500.)), Initializers.glorotNormal());
    normal.put(
        String.valueOf(Math.sqrt(3 / 200.)),
        Initializers.varianceScaling(3, Initializers.Fan.OUT, false));
    uniform.put(String.valueOf(Math.sqrt(3 / 300.)), Initializers.lecunUniform());
    uniform.put(
        String.valueOf(Math.sqrt(3 * 2 / 250.)),
        Initializers.varianceScaling(2, Initializers.Fan.AVERAGE, true));
    uniform.put("0.7", Initializers.uniform(0.7));
    uniform.put(String.valueOf(Math.sqrt(6 / 500.)), Initializers.glorotUniform());
    uniform.put(String.valueOf(Math.sqrt(6 / 300.)), Initializers.heUniform());
    uniform.put(String.valueOf(Math.sqrt(1 / 300.)), Initializers.fanInUniform());
    normal.forEach((std, i) -> spread(i, Double.parseDouble(std), Double.POSITIVE_INFINITY));
    uniform.forEach(
        (bound, i) ->
            spread(i, Double.parseDouble(bound) / Math.sqrt(3), Double.parseDouble(bound)));
    assertEquals(0, sum(Initializers.zeros()));
    assertEquals(60000, sum(Initializers.ones()));
    assertEquals(-30000, sum(Initializers.constant(-0.5)));
  }

  private static double sum(Initializer i) {
    return i.draw(Key.of(0), Shape.of(300, 200)).sum().item();
  }

  private static void spread(Initializer init, double std, double bound) {
    double mean = 0;
    double square = 0;
    double most = 0;
    float[] v = init.draw(Key.of(3), Shape.of(300, 200)).toFloats();
    for (float x : v) {
      mean += x / v.length;
      square += (double) x * x / v.length;
      most = Math.max(most, Math.abs(x));
    }
    // five standard errors of 60000 draws
    assertEquals(0, mean, 5 * std / Math.sqrt(v.length));
    assertEquals(std, Math.sqrt(square), 5 * std / Math.sqrt(v.length));
    assertTrue(most <= bound * (1 + 1e-6), most + " of " + bound);
    assertTrue(bound == Double.POSITIVE_INFINITY || most > 0.999 * bound, most + " of " + bound);
  }

  /** Standard deviation 0.8796 of a normal number that is cut at two. */
  @Test
  void truncatedNumbersAreCutAtTwoDeviations() {
    float[] v = Initializers.truncatedNormal(0.5).draw(Key.of(3), Shape.of(300, 200)).toFloats();
    double square = 0;
    double most = 0;
    for (float x : v) {
      square += (double) x * x / v.length;
      most = Math.max(most, Math.abs(x));
    }
    assertEquals(0.5 * 0.87962566, Math.sqrt(square), 0.005);
    assertTrue(most <= 1 && most > 0.999, "reaches " + most);
  }

  @Test
  void denseDefaultsArePyTorchs() {
    ParamTree p =
        Network.init(
                Network.of(new Dense(500)), List.of(TensorType.of(DType.F32, 1, 64)), Key.of(0))
            .params();
    for (String name : Set.of("kernel", "bias")) {
      double most = p.get(name).abs().max().item();
      assertTrue(most <= 0.125 && most > 0.12, name + " reaches " + most);
    }
  }

  @Test
  void wrongInitialisersAreExplained() {
    assertEquals(
        "initializer: fan-in and fan-out need a kernel [..., in, out]: [7]; use normal(std) or"
            + " uniform(bound)",
        ScopeTest.message(() -> Initializers.heNormal().draw(Key.of(0), Shape.of(7))));
    assertEquals(
        "initializer: a standard deviation is finite and not negative: -1.0; correct it",
        ScopeTest.message(() -> Initializers.normal(-1)));
    assertEquals(
        "initializer: a scale is finite and above 0: 0.0; correct it",
        ScopeTest.message(() -> Initializers.varianceScaling(0, Initializers.Fan.IN, true)));
    assertEquals(
        "initializer: a bound is finite and not negative: Infinity; correct it",
        ScopeTest.message(() -> Initializers.uniform(Double.POSITIVE_INFINITY)));
    assertEquals(
        "initializer: needs a fan: null; pass one",
        ScopeTest.message(() -> Initializers.varianceScaling(1, null, true)));
  }
}
