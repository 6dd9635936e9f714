package io.fragua.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.transform.Checkpoint;
import io.fragua.transform.Fn;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** What {@link Network#table} prints. */
class LayerTableTest {
  @Test
  void layersPartsAndTotals() {
    Layer net =
        new Sequential(
            new Dense(8),
            Activations.get("relu"),
            new Residual(new Dense(8, false)),
            new Sequential(new Dense(1), (s, x) -> x.reshape(4)));
    // a product of m x k x n has 2 m k n operations, a bias m n, relu m n
    assertEquals(
        """
        layer                kind                        input        output       parameters  FLOPs
        dense_0              Dense(8)                    f32[4, 2]    f32[4, 8]            24    160
        activation_0         relu                        f32[4, 8]    f32[4, 8]             0     32
        residual_0           Residual(Dense(8, false))   f32[4, 8]    f32[4, 8]            64    544
        sequential_0         Sequential                  f32[4, 8]    f32[4]                9     68
        sequential_0.dense_0  Dense(1)                   f32[4, 8]    f32[4, 1]             9     68
        sequential_0.layer_0  function                   f32[4, 1]    f32[4]                0      0
        total                                            f32[4, 2]    f32[4]               97    804
        """
            .replaceAll(" +", " "),
        Network.table(Network.of(net), List.of(TensorType.of(DType.F32, 4, 2)))
            .replaceAll(" +", " "));
  }

  @Test
  void columnsAreAligned() {
    String table =
        Network.table(
            Network.of(new Sequential(new Dense(1000))),
            List.of(TensorType.of(DType.F32, 2, 1000)));
    assertEquals(
        """
        layer    kind         input         output        parameters      FLOPs
        dense_0  Dense(1000)  f32[2, 1000]  f32[2, 1000]   1,001,000  4,002,000
        total                 f32[2, 1000]  f32[2, 1000]   1,001,000  4,002,000
        """,
        table);
  }

  private static long flops(Network.Body net, String layer, int... dims) {
    String table = Network.table(net, List.of(TensorType.of(DType.F32, dims)));
    String line = table.lines().filter(l -> l.startsWith(layer + " ")).findFirst().orElseThrow();
    return Long.parseLong(line.substring(line.lastIndexOf(' ') + 1).replace(",", ""));
  }

  /** A step of an LSTM costs its recurrent product, whose bias the inputs have, and its gates. */
  @Test
  void loopsCountEveryStep() {
    int units = 16;
    long[] of = new long[2];
    for (int i = 0; i < 2; i++) {
      Layer lstm = new Recurrent(new LstmCell(units));
      of[i] = flops(Network.of(new Sequential(lstm)), "recurrent_0", 2, 10 * (i + 1), 3);
    }
    long inputs = 10 * 2 * (2 * 3 * 4 * units + 4 * units);
    long steps = 10 * 2 * (2 * units * 4 * units + 4 * units + 9 * units);
    assertEquals(inputs + steps, of[1] - of[0]);
  }

  /** As many as a pool over all of the image, or a layer of its own, has for the same work. */
  @Test
  void poolsCountWhatTheyRead() {
    for (Layer pool : List.of(new MaxPool(9, 9), new AdaptiveMaxPool(1, 1), new GlobalMaxPool())) {
      String name = Sequential.kind(pool) + "_0";
      assertEquals(81, flops(Network.of(new Sequential(pool)), name, 1, 9, 9, 1), name);
    }
    Layer dense = new Dense(5);
    Layer forgets = (s, x) -> Checkpoint.checkpoint(Fn.of(y -> dense.apply(s, y))).call(x);
    assertEquals(70, flops(Network.of(new Sequential(forgets)), "layer_0", 2, 3));
    Layer integers = (s, x) -> x.iotaLike(DType.I32, Shape.of(4, 3), 0).add(1).cast(DType.F32);
    assertEquals(12, flops(Network.of(new Sequential(integers)), "layer_0", 4, 3));
  }

  /** What attends to an encoder's result does not include the encoder. */
  @Test
  void whatCameBeforeIsNotCounted() {
    long[] of = new long[2];
    for (int i = 0; i < 2; i++) {
      int hidden = i == 0 ? 2 : 1000;
      Layer encoder = new Dense(hidden);
      MultiHeadAttention cross = new MultiHeadAttention(2);
      Network.Body net =
          (s, in) -> {
            Tensor x = in.get(0);
            Tensor memory = s.apply("encoder", new Sequential(encoder, new Dense(4)), x).mul(2);
            return s.apply("cross", (t, y) -> cross.attend(t, y, memory, null), x);
          };
      of[i] = flops(net, "cross", 2, 3, 4);
    }
    assertEquals(of[0], of[1]);
  }

  /** What belongs to no part is the network's own, so that the lines add up. */
  @Test
  void whatIsInNoPartHasALine() {
    Network.Body net =
        (s, in) -> {
          Tensor x = in.get(0).mul(s.param("scale", Shape.of(2), Initializers.ones())).tanh();
          return s.apply("dense", new Dense(3), x).add(1);
        };
    assertEquals(
        """
        layer     kind     input     output    parameters FLOPs
        dense     Dense(3) f32[4, 2] f32[4, 3]          9    60
        (network)          f32[4, 2] f32[4, 3]          2    28
        total              f32[4, 2] f32[4, 3]         11    88
        """
            .replaceAll(" +", " "),
        Network.table(net, List.of(TensorType.of(DType.F32, 4, 2))).replaceAll(" +", " "));
  }

  /** By the usual formulas, for each of the matrices. */
  @Test
  void linearAlgebraCountsByItsFormulas() {
    int n = 30;
    Map<String, UnaryOperator<Tensor>> square = new LinkedHashMap<>();
    square.put("9000", Tensor::cholesky);
    square.put("18000", x -> x.lu().lu());
    square.put("72000", x -> x.solve(x));
    square.put("27000", x -> x.triangularSolve(x, true, false, false));
    square.put("243000", x -> x.eigh().vectors());
    square.put("594000", x -> x.svd().u());
    square.put("648000", x -> x.pinv());
    square.forEach(
        (count, f) -> {
          Layer layer = (s, x) -> f.apply(x);
          long all = 2 * Long.parseLong(count);
          assertEquals(all, flops(Network.of(new Sequential(layer)), "layer_0", 2, n, n));
        });
    Layer q = (s, x) -> x.qr().q();
    for (int[] dims : new int[][] {{50, n}, {n, 50}}) {
      assertEquals(144_000, flops(Network.of(new Sequential(q)), "layer_0", dims));
    }
  }

  @Test
  void attentionStandsAboveItsProducts() {
    String table =
        Network.table(
            Network.of(new Sequential(new TransformerEncoderLayer(2, 5))),
            List.of(TensorType.of(DType.F32, 2, 3, 4)));
    List<String> names = table.lines().map(l -> l.split(" ")[0]).toList();
    String l = "transformer_encoder_layer_0";
    assertEquals(
        List.of("layer", l, l + ".layer_norm_0", l + ".attention"),
        List.of(
            names.get(0),
            names.get(1),
            names.get(names.indexOf(l + ".layer_norm_0")),
            names.get(names.indexOf(l + ".attention"))));
    assertEquals(
        List.of("query", "key", "value", "out"),
        names.stream()
            .filter(n -> n.startsWith(l + ".attention."))
            .map(n -> n.substring(n.lastIndexOf('.') + 1))
            .toList());
  }
}
