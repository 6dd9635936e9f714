package io.fragua.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.fragua.tensor.DType;
import io.fragua.tensor.TensorType;
import java.util.List;
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
