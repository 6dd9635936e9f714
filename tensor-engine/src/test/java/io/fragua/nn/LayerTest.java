package io.fragua.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.fragua.exec.Backends;
import io.fragua.graph.Graph;
import io.fragua.graph.GraphJson;
import io.fragua.io.Safetensors;
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
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every property of every row of {@link LayerCases}. */
class LayerTest {
  private static final Map<String, JsonNode> GOLDEN =
      golden("nn.json", "recurrent.json", "wrappers.json");

  private static Map<String, JsonNode> golden(String... files) {
    Map<String, JsonNode> all = new HashMap<>();
    for (String file : files) {
      all.putAll(Golden.members(Golden.json(file).get("layers")));
    }
    return all;
  }

  /** A few roundings in sums of up to some dozen terms of size 10. */
  private static final Tolerance CLOSE = new Tolerance(64, 64);

  static Stream<LayerCases.Case> cases() {
    return LayerCases.ALL.stream();
  }

  static Stream<LayerCases.Case> golden() {
    return cases().filter(LayerCases.Case::golden);
  }

  private static Network.Variables init(LayerCases.Case c, long seed) {
    return Network.init(Network.of(c.layer()), List.of(c.input()), Key.of(seed));
  }

  private static Tensor input(LayerCases.Case c) {
    return (c.input().dtype() == DType.I32 ? Values.ids(6) : Values.range(-2, 2))
        .make(c.input(), 1);
  }

  private static Tensor mask(LayerCases.Case c) {
    if (!c.masked()) {
      return null;
    }
    int rows = c.input().shape().dim(0);
    float[] m = new float[rows];
    for (int i = 0; i < rows; i++) {
      m[i] = i == 2 || i == rows - 1 ? 0 : 1;
    }
    return Tensor.of(m, rows);
  }

  private static Network.Result apply(
      LayerCases.Case c, Tensor x, ParamTree params, ParamTree state) {
    return Network.apply(
        Network.of(c.layer()),
        new Network.Variables(params, state),
        List.of(x),
        c.training(),
        c.training() ? Key.of(9) : null,
        mask(c));
  }

  /** The layer as a function of its input, parameters and state; gives output and new state. */
  private static Fn function(LayerCases.Case c, ParamTree params, ParamTree state) {
    return a -> {
      int p = params.size();
      Network.Result r =
          apply(
              c,
              a.get(0),
              params.withLeaves(a.subList(1, 1 + p)),
              state.withLeaves(a.subList(1 + p, a.size())));
      List<Tensor> out = new ArrayList<>(List.of(r.output()));
      out.addAll(r.state().leaves());
      return out;
    };
  }

  private static List<Tensor> arguments(Tensor x, ParamTree params, ParamTree state) {
    List<Tensor> a = new ArrayList<>(List.of(x));
    a.addAll(params.leaves());
    a.addAll(state.leaves());
    return a;
  }

  private static Graph graph(Fn f, List<Tensor> arguments) {
    return Jit.graph(f, arguments.stream().map(Tensor::type).toList());
  }

  private static void assertClose(Tolerance t, List<Tensor> expected, List<Tensor> actual) {
    assertEquals(expected.size(), actual.size());
    for (int i = 0; i < expected.size(); i++) {
      assertNull(t.difference(expected.get(i), actual.get(i)), "result " + i);
    }
  }

  @Test
  void everyLayerHasACase() throws IOException {
    Set<String> covered =
        cases().map(c -> c.layer().getClass().getSimpleName()).collect(Collectors.toSet());
    int seen = 0;
    try (Stream<Path> files = Files.list(Path.of("src/main/java/io/fragua/nn"))) {
      for (Path f : files.toList()) {
        if (Files.readString(f).contains("implements Layer")) {
          String name = f.getFileName().toString().replace(".java", "");
          assertTrue(covered.contains(name), name + " has no row in LayerCases");
          seen++;
        }
      }
    }
    assertTrue(seen >= 13, "only " + seen + " layers found");
  }

  @ParameterizedTest
  @MethodSource("cases")
  void namesShapesAndText(LayerCases.Case c) {
    Network.Variables v = init(c, 0);
    assertEquals(c.params(), v.params().toString());
    assertEquals(c.state(), v.state().toString());
    assertEquals(c.output(), apply(c, input(c), v.params(), v.state()).output().type());
    if (c.text() != null) {
      assertEquals(c.text(), c.layer().toString());
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void initialValuesDependOnTheKeyAlone(LayerCases.Case c) {
    ParamTree a = init(c, 5).params();
    assertClose(Tolerance.BITS, a.leaves(), init(c, 5).params().leaves());
    ParamTree other = init(c, 6).params();
    for (String name : a.names()) {
      Tensor t = a.get(name);
      float[] v = t.toFloats();
      boolean drawn = IntStream.range(1, v.length).anyMatch(i -> v[i] != v[0]);
      if (drawn) {
        assertNotNull(Tolerance.BITS.difference(t, other.get(name)), name + " ignores the key");
      }
      for (String second : a.names()) {
        if (drawn && !second.equals(name) && a.get(second).type().equals(t.type())) {
          assertNotNull(Tolerance.BITS.difference(t, a.get(second)), name + " equals " + second);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void eagerReferenceAndCompiledAgree(LayerCases.Case c) {
    Network.Variables v = init(c, 0);
    List<Tensor> args = arguments(input(c), v.params(), v.state());
    Fn f = function(c, v.params(), v.state());
    List<Tensor> expected = Runs.on(Backends.reference(), graph(f, args), args);
    assertClose(CLOSE, expected, f.apply(args));
    assertClose(CLOSE, expected, Runs.on(Backends.cpu(), graph(f, args), args));
  }

  /** No gradient goes through a power iteration, which matters until it has converged. */
  static Stream<LayerCases.Case> differentiated() {
    return cases().filter(c -> !(c.layer() instanceof SpectralNorm n) || n.steps() == 100);
  }

  @ParameterizedTest
  @MethodSource("differentiated")
  void gradientsAreDifferences(LayerCases.Case c) {
    Network.Variables v = init(c, 0);
    ParamTree params = v.params().map(t -> Values.range(-1, 1).make(f64(t.type()), 2));
    ParamTree state = v.state().map(t -> Values.range(0.5, 1.5).make(f64(t.type()), 3));
    Fn f = function(c, params, state);
    Fn output = a -> List.of(f.apply(concat(a, state.leaves())).get(0));
    TensorType x = c.input().dtype() == DType.F32 ? f64(c.input()) : c.input();
    Tensor at = (x.dtype() == DType.I32 ? Values.ids(6) : Values.range(-2, 2)).make(x, 4);
    assertNull(GradCheck.first(output, concat(List.of(at), params.leaves())));
  }

  private static TensorType f64(TensorType t) {
    return t.with(DType.F64);
  }

  private static List<Tensor> concat(List<Tensor> a, List<Tensor> b) {
    return Stream.concat(a.stream(), b.stream()).toList();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aSavedModelComputesTheSame(LayerCases.Case c) throws IOException {
    Network.Variables v = init(c, 0);
    Fn f = function(c, v.params(), v.state());
    List<Tensor> args = arguments(input(c), v.params(), v.state());
    Graph g = graph(f, args);
    Graph loaded = GraphJson.read(GraphJson.write(g));
    assertEquals(g.toString(), loaded.toString());
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    Map<String, Tensor> all = new LinkedHashMap<>(v.params().asMap());
    all.putAll(v.state().asMap());
    Safetensors.write(file, all, Map.of());
    Map<String, Tensor> read = Safetensors.read(file.toByteArray(), "test").tensors();
    ParamTree params = v.params().fill(read, "test");
    ParamTree state = v.state().fill(read, "test");
    assertClose(
        Tolerance.BITS,
        Runs.on(Backends.cpu(), g, args),
        Runs.on(Backends.cpu(), loaded, arguments(input(c), params, state)));
  }

  @ParameterizedTest
  @MethodSource("golden")
  void valuesStateAndGradientsAreFlaxsOrPyTorchs(LayerCases.Case c) {
    JsonNode n = GOLDEN.get(c.name());
    Network.Variables v = init(c, 0);
    ParamTree params = golden(n.get("params"), v.params());
    ParamTree state = golden(n.get("state"), v.state());
    int[] dims = c.input().shape().dims();
    Tensor x =
        c.input().dtype() == DType.I32
            ? Tensor.of(Golden.ints(n.get("x")), dims)
            : Golden.floats(n.get("x"), dims);
    Tensor mask = n.has("mask") ? Golden.floats(n.get("mask"), dims[0]) : null;
    Tensor weights = Golden.floats(n.get("weights"), c.output().shape().dims());
    Fn f =
        a -> {
          Network.Result r =
              Network.apply(
                  Network.of(c.layer()),
                  new Network.Variables(params.withLeaves(a.subList(1, a.size())), state),
                  List.of(a.get(0)),
                  c.training(),
                  c.training() ? Key.of(0) : null,
                  mask);
          List<Tensor> out = new ArrayList<>();
          out.add(r.output().mul(weights).sum());
          out.add(r.output());
          out.addAll(r.state().leaves());
          return out;
        };
    boolean hasSlope = c.input().dtype() == DType.F32;
    int[] wrt = IntStream.rangeClosed(hasSlope ? 0 : 1, params.size()).toArray();
    List<Tensor> args = arguments(x, params, ParamTree.EMPTY);
    List<Tensor> r = Runs.on(Backends.cpu(), graph(Grad.valueAndGrad(f, wrt), args), args);
    assertNull(
        CLOSE.difference(Golden.floats(n.get("output"), c.output().shape().dims()), r.get(1)));
    int at = 2;
    ParamTree newState = c.training() ? golden(n.get("new_state"), v.state()) : state;
    assertClose(CLOSE, newState.leaves(), r.subList(at, at + state.size()));
    at += state.size();
    if (hasSlope) {
      assertNull(CLOSE.difference(Golden.floats(n.get("grad_x"), dims), r.get(at++)));
    }
    ParamTree grads = golden(n.get("grad_params"), v.params());
    assertClose(CLOSE, grads.leaves(), r.subList(at, r.size()));
  }

  private static ParamTree golden(JsonNode n, ParamTree like) {
    assertEquals(like.size(), n.size(), "Flax has " + n);
    List<Tensor> leaves = new ArrayList<>();
    for (String name : like.names()) {
      leaves.add(Golden.floats(n.get(name), like.get(name).shape().dims()));
    }
    return like.withLeaves(leaves);
  }

  @Test
  void wrongInputsAreExplained() {
    Map<Layer, TensorType> wrong = new LinkedHashMap<>();
    wrong.put(new Dense(2), TensorType.of(DType.F32, 3));
    wrong.put(new Embedding(3, 2), TensorType.of(DType.F32, 3));
    wrong.put(new LayerNorm(), TensorType.of(DType.I32, 3));
    wrong.put(new BatchNorm(), TensorType.of(DType.F32, 3));
    wrong.put(new RmsNorm(), TensorType.of(DType.I32, 3));
    wrong.put(new GroupNorm(2), TensorType.of(DType.F32, 2, 3));
    wrong.put(new InstanceNorm(), TensorType.of(DType.F32, 2, 3));
    wrong.put(new Residual(new Dense(2)), TensorType.of(DType.F32, 2, 3));
    wrong.put(new MultiHeadAttention(2), TensorType.of(DType.F32, 2, 4));
    wrong.put(new MultiHeadAttention(3), TensorType.of(DType.F32, 2, 3, 4));
    Tensor lengths = Tensor.of(new int[] {3, 2}, 2);
    wrong.put(
        (s, x) -> new MultiHeadAttention(2).attend(s, x, x, lengths),
        TensorType.of(DType.F32, 2, 3, 4));
    assertEquals(
        List.of(
            "dense: input must be floating with at least two axes [..., in]: f32[3]; reshape or"
                + " cast it",
            "embedding: ids must be i32: f32[3]; cast them, or index the categories first",
            "layer_norm: input must be floating with at least one axis: i32[3]; reshape or cast it",
            "batch_norm: input must be floating with at least two axes [B, ..., C]: f32[3]; reshape"
                + " or cast it",
            "rms_norm: input must be floating with at least one axis: i32[3]; reshape or cast it",
            "group_norm: groups must divide the channels: 2 groups of f32[2, 3]; choose another"
                + " number",
            "instance_norm: input must be floating with at least three axes [B, ..., C]: f32[2, 3];"
                + " reshape or cast it",
            "residual: the layer must keep its input's type: f32[2, 3] to f32[2, 2]; give it as"
                + " many units",
            "multi_head_attention: takes floating [B, T, D] and [B, S, E]: f32[2, 4] with f32[2,"
                + " 4]; reshape or cast them",
            "multi_head_attention: heads must divide the last axis: 3 heads of f32[2, 3, 4]; choose"
                + " another number",
            "multi_head_attention: the mask must be bool and broadcast to [B, heads, T, S] = [2, 2,"
                + " 3, 3]: i32[2]; reshape or compare it"),
        wrong.entrySet().stream()
            .map(
                e ->
                    ScopeTest.message(
                        () ->
                            Network.init(Network.of(e.getKey()), List.of(e.getValue()), Key.of(0))))
            .toList());
  }

  @Test
  void wrongSettingsAreExplained() {
    assertEquals(
        "dense: needs at least one unit: 0; correct it", ScopeTest.message(() -> new Dense(0)));
    assertEquals(
        "embedding: needs at least one row and one column: 0 x 3; correct it",
        ScopeTest.message(() -> new Embedding(0, 3)));
    assertEquals(
        "dropout: a rate lies in [0, 1]: 1.1; correct it",
        ScopeTest.message(() -> new Dropout(1.1)));
    assertEquals(
        "batch_norm: momentum lies in [0, 1]: -1.0; correct it",
        ScopeTest.message(() -> new BatchNorm(-1, 0)));
    assertEquals(
        "group_norm: needs at least one group: 0; correct it",
        ScopeTest.message(() -> new GroupNorm(0)));
    assertEquals(
        "multi_head_attention: needs at least one head: 0; correct it",
        ScopeTest.message(() -> new MultiHeadAttention(0)));
    assertEquals(
        "transformer_encoder_layer: a rate lies in [0, 1]: 2.0; correct it",
        ScopeTest.message(
            () -> new TransformerEncoderLayer(1, 1, Activations.get("relu"), 2, false)));
    assertEquals(
        "conv_transpose: needs at least one feature and groups that divide the features: 3 features"
            + " in 2 groups; correct one of them",
        ScopeTest.message(() -> new ConvTranspose(3, 3).withGroups(2)));
    assertEquals(
        "conv_transpose: output padding adds one number an axis to explicit padding: [1] to [3],"
            + " strides [1], padding SAME; call withPadding(...) before, or give as many numbers",
        ScopeTest.message(() -> new ConvTranspose(3, 3).withOutputPadding(1)));
    assertEquals(
        "transformer_encoder_layer: epsilon is finite and not negative: -1.0; correct it",
        ScopeTest.message(() -> new TransformerEncoderLayer(1, 1).withEpsilon(-1)));
    assertEquals(
        "layer_norm: epsilon is finite and not negative: -1.0; correct it",
        ScopeTest.message(() -> new LayerNorm(-1)));
    ConvTranspose twice = new ConvTranspose(3, 3).withStrides(2).withPadding(1);
    for (int more : new int[] {-1, 2, Integer.MAX_VALUE}) {
      assertEquals(
          "conv_transpose: output padding is 0 or more and less than the stride: ["
              + more
              + "] for strides [2]; call withStrides(...) before, or correct it",
          ScopeTest.message(() -> twice.withOutputPadding(more)));
    }
    assertEquals(
        "sequential: needs a layer at each place: null; pass one",
        ScopeTest.message(() -> new Sequential(new Dense(2), null)));
    assertEquals(
        "conv: needs a padding: null; pass one",
        ScopeTest.message(() -> new Conv(2, 3).withPadding((Padding) null)));
    assertEquals(
        "recurrent: needs a cell: null; pass one", ScopeTest.message(() -> new Recurrent(null)));
  }

  @Test
  void dropoutKeepsTheMeanAndDrawsAnewAtEveryCall() {
    Tensor ones = Tensor.full(TensorType.of(DType.F32, 100, 100), 1);
    Layer twice =
        (s, x) ->
            new Dropout(0.3).apply(s, x).sub(new Dropout(0.3).apply(s, x)); // 0 wherever both agree
    float[] once = train(new Dropout(0.3), ones, 1);
    int kept = 0;
    for (float v : once) {
      assertTrue(v == 0 || v == 1 / 0.7f, "element " + v);
      kept += v == 0 ? 0 : 1;
    }
    assertEquals(7000, kept, 3 * Math.sqrt(10000 * 0.3 * 0.7));
    int different = 0;
    for (float v : train(twice, ones, 1)) {
      different += v == 0 ? 0 : 1;
    }
    assertEquals(2 * 0.3 * 0.7 * 10000, different, 3 * Math.sqrt(10000 * 0.42 * 0.58));
  }

  private static float[] train(Layer layer, Tensor x, long seed) {
    return Network.apply(
            Network.of(layer),
            new Network.Variables(ParamTree.EMPTY, ParamTree.EMPTY),
            List.of(x),
            true,
            Key.of(seed),
            null)
        .output()
        .toFloats();
  }

  @Test
  void paddingDoesNotReachBatchStatisticsEvenIfInfinite() {
    Tensor x = Tensor.of(new float[] {1, 3, Float.POSITIVE_INFINITY, Float.NaN}, 4, 1);
    BatchNorm layer = new BatchNorm(0, 0);
    Network.Variables v = Network.init(Network.of(layer), List.of(x.type()), Key.of(0));
    Network.Result r =
        Network.apply(
            Network.of(layer),
            v,
            List.of(x),
            true,
            Key.of(0),
            Tensor.of(new float[] {1, 1, 0, 0}, 4));
    assertEquals(2, r.state().get("mean").item());
    assertEquals(1, r.state().get("var").item());
    assertEquals(-1, r.output().slice(0, 0, 1).item());
    Network.Result padding =
        Network.apply(
            Network.of(layer), v, List.of(x), true, Key.of(0), Tensor.of(new float[4], 4));
    assertEquals(0, padding.state().get("mean").item());
    assertEquals(1, padding.state().get("var").item());
    assertEquals(Shape.of(4, 1), padding.output().shape());
  }

  @Test
  void aBatchWithoutRowsLeavesTheAveragesAsTheyAre() {
    Layer layer = new BatchNorm();
    Tensor x = Tensor.zeros(DType.F32, 0, 2);
    Network.Variables v = Network.init(Network.of(layer), List.of(x.type()), Key.of(0));
    Network.Result r = Network.apply(Network.of(layer), v, List.of(x), true, Key.of(0), null);
    v.state()
        .asMap()
        .forEach((n, t) -> assertArrayEquals(t.toFloats(), r.state().get(n).toFloats()));
  }
}
