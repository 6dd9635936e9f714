package io.fragua.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.random.Key;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.Tolerance;
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
