package io.fragua.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.graph.Graph;
import io.fragua.nn.Network.Body;
import io.fragua.nn.Network.Variables;
import io.fragua.random.Key;
import io.fragua.tensor.DType;
import io.fragua.tensor.Movement;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.transform.Fn;
import io.fragua.transform.Jit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Names, sharing, state, keys, and what is said when they are used wrongly. */
class ScopeTest {
  private static final TensorType X = TensorType.of(DType.F32, 2, 3);

  static String message(Executable e) {
    return assertThrows(IllegalArgumentException.class, e).getMessage();
  }

  private static Variables init(Body body, TensorType... inputs) {
    return Network.init(body, List.of(inputs), Key.of(1));
  }

  private static Tensor infer(Body body, Variables v, Tensor... inputs) {
    return Network.apply(body, v, List.of(inputs), false, null, null).output();
  }

  @Test
  void aBodyCombinesInputsUnderItsOwnNames() {
    Body wideAndDeep =
        (s, in) -> {
          Tensor deep = new Dense(4).apply(s.child("hidden_0"), in.get(0)).relu();
          Tensor wide = new Embedding(5, 2).apply(s.child("wide"), in.get(1));
          Tensor both = Movement.concat(1, List.of(deep, wide));
          return new Dense(1).apply(s.child("logit"), both);
        };
    TensorType ids = TensorType.of(DType.I32, 2);
    Variables v = init(wideAndDeep, X, ids);
    assertEquals(
        "{hidden_0.kernel: f32[3, 4], hidden_0.bias: f32[4], wide.embedding: f32[5, 2],"
            + " logit.kernel: f32[6, 1], logit.bias: f32[1]}",
        v.params().toString());
    assertEquals(3 * 4 + 4 + 10 + 6 + 1, v.params().elements());
    Tensor y = infer(wideAndDeep, v, Tensor.full(X, 1), Tensor.of(new int[] {0, 4}, 2));
    assertEquals(TensorType.of(DType.F32, 2, 1), y.type());
  }

  @Test
  void aSharedPartHasOneSetOfParameters() {
    Layer tower = new Sequential(new Dense(2), new BatchNorm(), Activations.get("tanh"));
    Body siamese =
        (s, in) ->
            tower
                .apply(s.shared("tower"), in.get(0))
                .sub(tower.apply(s.shared("tower"), in.get(1)));
    Variables v = init(siamese, X, X);
    assertEquals(4, v.params().size());
    Tensor x = Tensor.of(new float[] {1, 2, 3, -1, 0, 5}, 2, 3);
    assertArrayEquals(new float[4], infer(siamese, v, x, x).toFloats());
    Tensor other = Tensor.of(new float[] {1, 2, 3, -1, 0, 4}, 2, 3);
    assertTrue(infer(siamese, v, x, other).toFloats()[2] != 0);
    // the second use of the running mean continues from the first
    ParamTree state = Network.apply(siamese, v, List.of(x, x), true, Key.of(0), null).state();
    ParamTree once =
        Network.apply(
                (s, in) -> tower.apply(s.child("tower"), in.get(0)),
                v,
                List.of(x),
                true,
                Key.of(0),
                null)
            .state();
    assertEquals(
        once.get("tower.batch_norm_0.mean").toFloats()[0] * (1 + 0.9),
        state.get("tower.batch_norm_0.mean").toFloats()[0],
        1e-6);
  }

  @Test
  void theGraphOfATracedNetworkTakesItsWeightsAsInputs() {
    Body body = Network.of(new Sequential(new Dense(8), new Dropout(0.5), new Dense(1)));
    Variables v = init(body, X);
    Graph g =
        Jit.graph(
            a ->
                List.of(
                    Network.apply(
                            body,
                            new Variables(v.params().withLeaves(a.subList(1, 5)), v.state()),
                            List.of(a.get(0)),
                            true,
                            Key.of(3), // captured, not passed
                            null)
                        .output()),
            List.of(
                X,
                v.params().leaves().get(0).type(),
                v.params().leaves().get(1).type(),
                v.params().leaves().get(2).type(),
                v.params().leaves().get(3).type()));
    g.constants().forEach(c -> assertTrue(c.shape().size() <= 2, "constant " + c));
    assertTrue(g.toString().contains("threefry2x32"), "dropout is drawn by the graph");
  }

  @Test
  void whatIsSharedIsNotTakenBesides() {
    Dense dense = new Dense(3);
    String twice = "scope: names are unique in a scope: \"a\" twice; ";
    for (Body b :
        List.<Body>of(
            (s, in) -> dense.apply(s.child("a"), dense.apply(s.shared("a"), in.get(0))),
            (s, in) -> dense.apply(s.shared("a"), dense.apply(s.child("a"), in.get(0))))) {
      String m = message(() -> init(b, X));
      assertTrue(m.startsWith(twice), m);
    }
    init((s, in) -> dense.apply(s.shared("a"), dense.apply(s.shared("a"), in.get(0))), X);
  }

  @Test
  void namesUsedTwiceAreRefused() {
    assertEquals(
        "scope: names are unique in a scope: \"kernel\" twice; choose another name, or enter the"
            + " part with shared(name) to use its parameters twice",
        message(() -> init((s, in) -> new Dense(3).apply(s, new Dense(3).apply(s, in.get(0))), X)));
    assertEquals(
        "scope: names are unique in a scope: \"a.b\" twice; choose another name, or enter the part"
            + " with shared(name) to use its parameters twice",
        message(
            () ->
                init(
                    (s, in) -> {
                      Scope a = s.child("a");
                      a.child("b");
                      a.child("b");
                      return in.get(0);
                    },
                    X)));
    assertEquals(
        "scope: a name is not empty and has no dot or colon: \"a.b\"; rename it",
        message(() -> init((s, in) -> new Dense(1).apply(s.child("a.b"), in.get(0)), X)));
  }

  @Test
  void otherParametersThanInitialisedAreRefused() {
    Variables v = init(Network.of(new Dense(4)), X);
    assertEquals(
        "scope: \"kernel\" must be [5, 4] here: [3, 4]; initialise the network with inputs of these"
            + " sizes",
        message(
            () ->
                infer(
                    Network.of(new Dense(4)), v, Tensor.full(TensorType.of(DType.F32, 2, 5), 0))));
    assertEquals(
        "params: no tensor of this name: \"scale\", there are [kernel, bias]; correct the name, or"
            + " initialise the same network that is applied",
        message(() -> infer(Network.of(new LayerNorm()), v, Tensor.full(X, 0))));
  }

  @Test
  void stateAndKeysBelongToTraining() {
    Variables v = new Variables(ParamTree.EMPTY, ParamTree.of("n", Tensor.full(X, 0)));
    Body draws = (s, in) -> in.get(0).add(s.key().tensor().cast(DType.F32).sum());
    assertEquals(
        "scope: random keys exist only in training: asked by \"\"; test training() first",
        message(() -> infer(draws, v, Tensor.full(X, 0))));
    Body updates =
        (s, in) -> {
          s.state("n", X.shape(), 0);
          s.update("n", in.get(0));
          return in.get(0);
        };
    assertEquals(
        "scope: state changes only in training: update of \"n\"; test training() first",
        message(() -> infer(updates, v, Tensor.full(X, 1))));
    ParamTree after =
        Network.apply(updates, v, List.of(Tensor.full(X, 1)), true, Key.of(0), null).state();
    assertEquals(6, after.get("n").sum().item());
    assertEquals(0, v.state().get("n").sum().item());
    assertEquals(
        "scope: a state keeps its type: \"n\" is f32[2, 3], update is f32[2]; reshape or cast the"
            + " update",
        message(
            () ->
                Network.apply(
                    (s, in) -> {
                      s.update("n", in.get(0).sum(1));
                      return in.get(0);
                    },
                    v,
                    List.of(Tensor.full(X, 1)),
                    true,
                    Key.of(0),
                    null)));
  }

  @Test
  void aStateThatIsUpdatedInsideOfACompiledFunctionIsExplained() {
    Body body =
        (s, in) -> Jit.jit(Fn.of(x -> new BatchNorm().apply(s.child("a"), x))).call(in.get(0));
    Variables v = init(body, X);
    assertEquals(
        "network: a state is updated outside of functions that the body maps, loops over or"
            + " compiles: \"a.mean\" is updated inside of one; move the layer out of it",
        message(() -> Network.apply(body, v, List.of(Tensor.full(X, 0)), true, Key.of(0), null)));
  }

  @Test
  void wrongCallsOfNetworkAreExplained() {
    Body dense = Network.of(new Dense(1));
    Variables v = init(dense, X);
    List<Tensor> x = List.of(Tensor.full(X, 0));
    assertEquals(
        "network: training, and only it, needs a random key: training is true, key is null; pass a"
            + " new key for every step, or null",
        message(() -> Network.apply(dense, v, x, true, null, null)));
    assertEquals(
        "network: training, and only it, needs a random key: training is false, key is given; pass"
            + " a new key for every step, or null",
        message(() -> Network.apply(dense, v, x, false, Key.of(0), null)));
    assertEquals(
        "network: the mask must be f32 with one entry a row: f32[3] for inputs [f32[2, 3]]; pass"
            + " null if all rows are real",
        message(() -> Network.apply(dense, v, x, false, null, Tensor.of(new float[3], 3))));
    assertEquals(
        "network: a layer takes one input: 2 given to Dense(1); write a Body to combine several",
        message(() -> init(dense, X, X)));
    assertEquals(
        "network: an initializer must give f32[3, 1]: f32[1]; correct the initializer",
        message(
            () ->
                init(
                    Network.of(
                        new Dense(
                            1, false, (k, s) -> Tensor.scalar(DType.F32, 0).reshape(1), null)),
                    X)));
  }

  @Test
  void theSummaryIsATable() {
    Body body = Network.of(new Sequential(new Dense(64), new BatchNorm(), new Dense(1)));
    assertEquals(
        """
        parameter                  shape    elements
        dense_0.kernel             [3, 64]       192
        dense_0.bias               [64]           64
        batch_norm_0.scale         [64]           64
        batch_norm_0.bias          [64]           64
        dense_1.kernel             [64, 1]        64
        dense_1.bias               [1]             1
        batch_norm_0.mean (state)  [64]           64
        batch_norm_0.var (state)   [64]           64
        trained                                  449
        """,
        Network.summary(body, List.of(X)));
  }

  @Test
  void sequentialPrintsOneLayerALine() {
    assertEquals(
        """
        Sequential(
          Dense(2),
          relu,
          Sequential(
            Dropout(0.1)))\
        """,
        new Sequential(new Dense(2), Activations.get("relu"), new Sequential(new Dropout(0.1)))
            .toString());
  }

  @Test
  void treesKeepOrderAndNames() {
    Map<String, Tensor> m = new LinkedHashMap<>();
    m.put("z", Tensor.scalar(DType.F32, 1));
    m.put("a", Tensor.of(new float[] {1, 2}, 2));
    ParamTree t = ParamTree.of(m);
    assertEquals(List.of("z", "a"), t.names());
    assertEquals("{mu.z: f32[], mu.a: f32[2]}", t.prefixed("mu.").toString());
    assertEquals(t.toString(), t.prefixed("mu.").concat(t).under("mu.").toString());
    assertEquals(3, t.elements());
    assertEquals(Shape.of(2), t.map(x -> x.add(x)).get("a").shape());
    assertEquals(4, t.map(x -> x.add(x)).get("a").toFloats()[1]);
    assertEquals(
        "params: every name needs one tensor: 2 names, 0 tensors; pass them in the order of"
            + " names()",
        message(() -> t.withLeaves(List.of())));
    assertEquals(
        "params: both trees must have the same names: [z, a] and [mu.z, mu.a]; pass trees of one"
            + " network",
        message(() -> t.zip(t.prefixed("mu."), Tensor::add)));
    assertEquals(
        "params: names are unique: \"z\" is in both trees; prefix one of them",
        message(() -> t.concat(t)));
    assertEquals(
        "w.safetensors: must hold every parameter of the network: \"a\" is missing, wanted f32[2];"
            + " it belongs to another network",
        message(() -> t.fill(Map.of("z", Tensor.scalar(DType.F32, 2)), "w.safetensors")));
    assertEquals(
        "w.safetensors: must hold every parameter of the network: \"z\" is f64[], wanted f32[]; it"
            + " belongs to another network",
        message(() -> t.fill(Map.of("z", Tensor.scalar(DType.F64, 2)), "w.safetensors")));
  }
}
