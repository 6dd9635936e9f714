package io.fragua.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.random.Key;
import io.fragua.random.Random;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.Tolerance;
import io.fragua.transform.Fn;
import io.fragua.transform.Grad;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Layers of f16 and bf16 whose steps have to be f32. */
class HalfTypesTest {
  static Stream<Arguments> normalising() {
    Stream<Layer> all =
        Stream.of(
            new LayerNorm(),
            new RmsNorm(),
            new GroupNorm(2),
            new InstanceNorm(),
            new BatchNorm(),
            new WeightNorm(new Scale()));
    return all.flatMap(l -> Stream.of(DType.F16, DType.BF16).map(t -> Arguments.of(l, t)));
  }

  /** A kernel for a layer that changes kernels, without a product. */
  private record Scale() implements Layer {
    @Override
    public Tensor apply(Scope s, Tensor x) {
      return x.mul(s.param("kernel", Shape.of(x.shape().dim(-1)), Initializers.constant(300)));
    }
  }

  /** The square of 300 is no f16, and bf16 has few digits: all but the result is f32. */
  @ParameterizedTest
  @MethodSource("normalising")
  void halfTypesAreNormalisedInF32(Layer layer, DType half) {
    Tensor x = Tensor.of(new float[] {300, -300, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0}, 1, 3, 4).cast(half);
    Network.Variables v =
        Network.init(Network.of(layer), List.of(x.type().with(DType.F32)), Key.of(0));
    boolean training = layer instanceof BatchNorm;
    List<Tensor> results = new ArrayList<>();
    for (DType t : List.of(DType.F32, half)) {
      Network.Variables typed =
          new Network.Variables(v.params().map(p -> p.cast(t)), v.state().map(p -> p.cast(t)));
      Network.Result r =
          Network.apply(
              Network.of(layer),
              typed,
              List.of(x.cast(t)),
              training,
              training ? Key.of(0) : null,
              null);
      results.add(r.output().cast(half));
      r.state().leaves().forEach(s -> assertEquals(t, s.dtype()));
    }
    for (float y : results.get(0).cast(DType.F32).toFloats()) {
      assertTrue(Float.isFinite(y), results.get(0).toString());
    }
    assertNull(Tolerance.EQUAL.difference(results.get(0), results.get(1)));
  }

  static Stream<Arguments> windows() {
    Layer up = (s, x) -> x.resizeLinear(false, 5, 7);
    Layer cubic = (s, x) -> x.resizeCubic(true, 3, 9);
    Stream<Layer> all =
        Stream.of(
            new Conv(4, 3, 3).withoutBias(),
            new Conv(6, 3, 3).withGroups(2).withoutBias(),
            new ConvTranspose(4, 2, 2).withoutBias(),
            new MaxPool(2, 2),
            new AvgPool(2, 2),
            new AdaptiveAvgPool(3, 2),
            new AdaptiveMaxPool(3, 2),
            up,
            cubic);
    return all.flatMap(l -> Stream.of(DType.F16, DType.BF16).map(t -> Arguments.of(l, t)));
  }

  /** What f32 gives for the same numbers, rounded once; and gradients of the half type. */
  @ParameterizedTest
  @MethodSource("windows")
  void windowsOfHalfTypesAreComputedInF32(Layer layer, DType half) {
    Tensor x = Random.uniform(Key.of(3), Shape.of(2, 6, 6, 2)).cast(half);
    Network.Variables v =
        Network.init(Network.of(layer), List.of(x.type().with(DType.F32)), Key.of(0));
    ParamTree halves = v.params().map(p -> p.cast(half));
    Fn f =
        in -> {
          Tensor y = in.get(0);
          ParamTree p = halves.map(q -> q.cast(y.dtype()));
          return List.of(
              Network.apply(
                      Network.of(layer),
                      new Network.Variables(p, v.state()),
                      List.of(y),
                      false,
                      null,
                      null)
                  .output());
        };
    Tensor expected = f.apply(List.of(x.cast(DType.F32))).get(0).cast(half);
    assertNull(Tolerance.EQUAL.difference(expected, f.apply(List.of(x)).get(0)));
    Tensor g =
        Grad.grad(in -> List.of(f.apply(in).get(0).cast(DType.F32).sum())).apply(List.of(x)).get(0);
    assertEquals(x.type(), g.type());
  }

  static Stream<Arguments> positioned() {
    Stream<Layer> all =
        Stream.of(new SinusoidalPositions(), (s, x) -> Positions.rotary(x, Positions.of(x), 10000));
    return all.flatMap(l -> Stream.of(DType.F16, DType.BF16).map(t -> Arguments.of(l, t)));
  }

  /** As bf16 has only even numbers above 256, positions and angles are f32. */
  @ParameterizedTest
  @MethodSource("positioned")
  void positionsOfHalfTypesAreToldApart(Layer layer, DType half) {
    Tensor x = Tensor.full(TensorType.of(DType.F32, 2500, 4), 1);
    Tensor expected = layer.apply(null, x);
    assertNull(
        new Tolerance(1, 2).difference(expected.cast(half), layer.apply(null, x.cast(half))));
    assertNotNull(
        new Tolerance(8, 8).difference(expected.slice(0, 256, 257), expected.slice(0, 257, 258)));
  }
}
