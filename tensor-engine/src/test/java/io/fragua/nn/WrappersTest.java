package io.fragua.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.fragua.graph.Graph;
import io.fragua.random.Key;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.Golden;
import io.fragua.testing.Tolerance;
import io.fragua.testing.Values;
import io.fragua.transform.Fn;
import io.fragua.transform.Grad;
import io.fragua.transform.Jit;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Layers around layers, and orthogonal kernels; their rows are in {@link LayerCases}. */
class WrappersTest {
  private static final Tolerance CLOSE = new Tolerance(64, 64);
  private static final TensorType INPUT = TensorType.of(DType.F32, 6, 5);

  @Test
  void orthogonalKernelsAreJaxs() {
    for (JsonNode n : Golden.json("wrappers.json").get("orthogonal")) {
      int[] dims = Golden.ints(n.get("shape"));
      Initializer i = Initializers.orthogonal(n.get("scale").asDouble());
      Fn draw = w -> List.of(i.draw(new Key(w.get(0)), Shape.of(dims)));
      Tensor key = Tensor.of(Golden.ints(n.get("key")), 2);
      Tensor expected = Golden.floats(n.get("values"), dims);
      assertNull(CLOSE.difference(expected, draw.call(key)), n.get("shape").toString());
      assertNull(CLOSE.difference(expected, Jit.jit(draw).call(key)), n.get("shape").toString());
    }
  }

  /** With u carried along, one step an application finds the largest singular value. */
  @Test
  void powerIterationConverges() {
    Network.Body body = Network.of(new Sequential(new SpectralNorm(new Dense(4)), new Dense(2)));
    Network.Variables v = Network.init(body, List.of(INPUT), Key.of(1));
    assertEquals(
        "{spectral_norm_0.kernel_u: f32[1, 4], spectral_norm_0.kernel_sigma: f32[]}",
        v.state().toString());
    Tensor x = Values.range(-1, 1).make(INPUT, 2);
    ParamTree state = v.state();
    for (int i = 0; i < 100; i++) {
      Network.Variables now = new Network.Variables(v.params(), state);
      state = Network.apply(body, now, List.of(x), true, Key.of(i), null).state();
    }
    Tensor largest = v.params().get("spectral_norm_0.kernel").svd().s().max();
    assertEquals(largest.item(), state.get("spectral_norm_0.kernel_sigma").item(), 1e-5);
  }

  /** A direction that was lost would leave sigma 0 for good. */
  @Test
  void aKernelThatWasZeroIsNormalisedAgain() {
    Network.Body body =
        Network.of(new SpectralNorm(new Dense(4, false, Initializers.zeros(), null)));
    Network.Variables v = Network.init(body, List.of(INPUT), Key.of(1));
    Tensor x = Values.range(-1, 1).make(INPUT, 2);
    ParamTree state = Network.apply(body, v, List.of(x), true, Key.of(0), null).state();
    ParamTree moved =
        ParamTree.of("kernel", Values.range(-1, 1).make(v.params().get("kernel").type(), 3));
    for (int i = 0; i < 100; i++) {
      Network.Variables now = new Network.Variables(moved, state);
      state = Network.apply(body, now, List.of(x), true, Key.of(i), null).state();
    }
    assertEquals(
        moved.get("kernel").svd().s().max().item(), state.get("kernel_sigma").item(), 1e-5);
  }

  /** With averages, a power iteration and random numbers inside. */
  @Test
  void whatIsForgottenIsComputedAgainToTheSameNumbers() {
    Layer block =
        new Sequential(
            new SpectralNorm(new Dense(4)), new BatchNorm(), new Dropout(0.5), new Dense(1));
    Network.Variables v = Network.init(Network.of(block), List.of(INPUT), Key.of(1));
    assertEquals(
        v.params().toString(),
        Network.init(Network.of(new Remat(block)), List.of(INPUT), Key.of(1)).params().toString());
    List<Tensor> args = new ArrayList<>(v.params().leaves());
    args.add(Values.range(-1, 1).make(INPUT, 2));
    List<Tensor> plain = Jit.jit(step(block, v)).apply(args);
    List<Tensor> again = Jit.jit(step(new Remat(block), v)).apply(args);
    assertEquals(1 + v.state().leaves().size() + v.params().leaves().size(), plain.size());
    for (int i = 0; i < plain.size(); i++) {
      assertNull(CLOSE.difference(plain.get(i), again.get(i)), "result " + i);
    }
    List<TensorType> types = args.stream().map(Tensor::type).toList();
    long once = products(Jit.graph(step(block, v), types));
    long twice = products(Jit.graph(step(new Remat(block), v), types));
    assertTrue(twice > once, once + " products, " + twice + " with Remat");
  }

  private static long products(Graph g) {
    return g.equations().stream().filter(e -> e.op().name().equals("matmul")).count();
  }

  /** Of parameters and a batch: the loss, the state after it, the gradients by the parameters. */
  private static Fn step(Layer layer, Network.Variables v) {
    int n = v.params().leaves().size();
    Fn loss =
        in -> {
          Network.Variables now =
              new Network.Variables(v.params().withLeaves(in.subList(0, n)), v.state());
          Network.Result r =
              Network.apply(Network.of(layer), now, in.subList(n, n + 1), true, Key.of(3), null);
          List<Tensor> out = new ArrayList<>(List.of(r.output().square().mean()));
          out.addAll(r.state().leaves());
          return out;
        };
    return Grad.valueAndGrad(loss, IntStream.range(0, n).toArray());
  }

  /** The kernel is made of length 1 after it was divided, so dividing changes nothing. */
  @Test
  void theOuterChangeComesFirst() {
    Layer inner = new WeightNorm(new Dense(3));
    Layer both = new SpectralNorm(inner);
    Network.Variables v = Network.init(Network.of(both), List.of(INPUT), Key.of(1));
    assertEquals("{kernel: f32[5, 3], kernel_scale: f32[3], bias: f32[3]}", v.params().toString());
    Tensor x = Values.range(-1, 1).make(INPUT, 2);
    Tensor y = Network.apply(Network.of(both), v, List.of(x), false, null, null).output();
    Network.Variables plain = new Network.Variables(v.params(), ParamTree.EMPTY);
    assertNull(
        CLOSE.difference(
            Network.apply(Network.of(inner), plain, List.of(x), false, null, null).output(), y));
  }

  @Test
  void partsAreReachedAndNamesStayUnique() {
    Layer deep = new WeightNorm(new Sequential(new Dense(3), new Dense(2)));
    Network.Variables v = Network.init(Network.of(deep), List.of(INPUT), Key.of(1));
    assertTrue(v.params().names().contains("dense_1.kernel_scale"), v.params().toString());
    Network.Body twice =
        (s, in) -> new Dense(2).apply(s, new WeightNorm(new Dense(5)).apply(s, in.get(0)));
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> Network.init(twice, List.of(INPUT), Key.of(1)))
            .getMessage();
    assertTrue(message.startsWith("scope: names are unique in a scope: \"kernel\" twice"), message);
  }

  @Test
  void wrongSettingsAreExplained() {
    assertEquals(
        "spectral_norm: needs at least one step: 0; correct it",
        message(() -> new SpectralNorm(new Dense(2), 0, 0)));
    assertEquals(
        "spectral_norm: epsilon is finite and not negative: -1.0; correct it",
        message(() -> new SpectralNorm(new Dense(2), 1, -1)));
    assertEquals("weight_norm: needs a layer: null; pass one", message(() -> new WeightNorm(null)));
    assertEquals(
        "initializer: a scale must be finite: NaN; correct it",
        message(() -> Initializers.orthogonal(Double.NaN)));
    assertEquals(
        "initializer: fan-in and fan-out need a kernel [..., in, out]: [3]; use normal(std) or"
            + " uniform(bound)",
        message(() -> Initializers.orthogonal(1).draw(Key.of(0), Shape.of(3))));
  }

  private static String message(org.junit.jupiter.api.function.Executable e) {
    return assertThrows(IllegalArgumentException.class, e).getMessage();
  }
}
