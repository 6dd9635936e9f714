package io.fragua.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import io.fragua.exec.Backend;
import io.fragua.exec.Backends;
import io.fragua.testing.Golden;
import io.fragua.testing.GradCheck;
import io.fragua.testing.Runs;
import io.fragua.testing.Tolerance;
import io.fragua.testing.Values;
import io.fragua.transform.Fn;
import io.fragua.transform.Jit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Functions composed of rows give what NumPy and JAX give, eager, compiled and by definition. */
class GoldenFunctionsTest {
  private static final Map<String, Fn> FUNCTIONS = new HashMap<>();

  private interface One {
    Tensor of(Tensor x);
  }

  private static void add(String name, One f) {
    FUNCTIONS.put(name, x -> List.of(f.of(x.get(0))));
  }

  static {
    arranging();
    indexing();
    sorting();
    counting();
  }

  private static void arranging() {
    for (String s :
        List.of(
            "1:, ::2, -1",
            "..., ::-1",
            "-1, 5:0:-2",
            "newaxis, ..., 1:-1",
            ":, 9:, 2",
            "3:1:-1",
            "-9:-1:3")) {
      add("slice " + s, x -> x.slice(s));
    }
    add("flip", x -> x.flip());
    add("flip 0 2", x -> x.flip(0, 2));
    for (int k : new int[] {1, -1, 7, 0}) {
      add("roll " + k, x -> x.roll(k, 1));
    }
    for (int k : new int[] {0, 1, 2, 3, -1}) {
      add("rot90 " + k, x -> x.rot90(k, 0, 1));
    }
    add("rot90 axes", x -> x.rot90(1, 2, 0));
    add("moveAxis 0 2", x -> x.moveAxis(0, 2));
    add("moveAxis -1 0", x -> x.moveAxis(-1, 0));
    add("swapAxes 0 2", x -> x.swapAxes(0, 2));
    add("squeeze", x -> x.squeeze());
    add("squeeze 2", x -> x.squeeze(2));
    add("expandDims 0 2", x -> x.expandDims(0, 2));
    add("expandDims -1 -3", x -> x.expandDims(-1, -3));
    add("tile 2 3", x -> x.tile(2, 3));
    add("tile 2 1 2", x -> x.tile(2, 1, 2));
    add("tile 2", x -> x.tile(2));
    add("repeat 3 0", x -> x.repeat(3, 0));
    add("repeat 2 1", x -> x.repeat(2, 1));
    add("unstack 1, the second", x -> x.unstack(1).get(1));
    for (int k : new int[] {-1, 0, 2}) {
      add("tril " + k, x -> x.tril(k));
      add("triu " + k, x -> x.triu(k));
    }
    for (int k : new int[] {-2, 0, 1, 4, 9}) {
      add("diagonal " + k, x -> x.diagonal(k));
      add("diag " + k, x -> x.diag(k));
    }
    add("diagonal of many", x -> x.diagonal(0));
    add("atLeast 3", x -> x.atLeast(3));
    for (Padding p : Padding.values()) {
      for (int[] w : new int[][] {{2, 1}, {0, 0}, {11, 13}}) {
        String mode = p.name().toLowerCase(java.util.Locale.ROOT);
        add("pad " + mode + " " + w[0] + " " + w[1], x -> x.pad(1, w[0], w[1], p));
      }
    }
    add("pad reflect of one", x -> x.pad(0, 2, 1, Padding.REFLECT));
    FUNCTIONS.put("stack 1", x -> List.of(Arranging.stack(1, x)));
    FUNCTIONS.put("stack -1", x -> List.of(Arranging.stack(-1, x)));
    FUNCTIONS.put("meshgrid, second", x -> List.of(Arranging.meshgrid(x).get(1)));
    FUNCTIONS.put("broadcastArrays, first", x -> List.of(Arranging.broadcastArrays(x).get(0)));
    add("arange 0.5 4 0.75", x -> Ranges.arange(DType.F32, 0.5, 4, 0.75));
    add("arange 5 -6 -2", x -> Ranges.arange(DType.I32, 5, -6, -2));
    add("linspace", x -> Ranges.linspace(DType.F32, -1, 2, 7));
    add("eye 3 4 1", x -> x.eyeLike(3, 4, 1));
  }

  private static void indexing() {
    for (int axis : new int[] {0, 1, -1}) {
      FUNCTIONS.put("take " + axis, x -> List.of(x.get(0).take(x.get(1), axis)));
    }
    for (int axis = 0; axis < 3; axis++) {
      int a = axis;
      FUNCTIONS.put("takeAlongAxis " + a, x -> List.of(x.get(0).takeAlongAxis(x.get(1), a)));
    }
    FUNCTIONS.put(
        "putAlongAxis 1", x -> List.of(x.get(0).putAlongAxis(Scatter.SET, 1, x.get(1), x.get(2))));
    FUNCTIONS.put("gatherNd", x -> List.of(x.get(0).gatherNd(x.get(1))));
    FUNCTIONS.put(
        "scatterNd add", x -> List.of(x.get(0).scatterNd(Scatter.ADD, x.get(1), x.get(2))));
    FUNCTIONS.put("segmentMax", x -> List.of(x.get(0).segmentMax(5, x.get(1))));
    FUNCTIONS.put("segmentMin", x -> List.of(x.get(0).segmentMin(5, x.get(1))));
    for (Segments.Fold f : Segments.Fold.values()) {
      FUNCTIONS.put(
          "embeddingBag " + f.name().toLowerCase(java.util.Locale.ROOT),
          x -> List.of(x.get(0).embeddingBag(x.get(1), Segments.ofOffsets(x.get(2), 8), 4, f)));
    }
  }

  private static void unique(String name, Function<Tensor, Sorting.Unique> f) {
    add(name + "values", x -> f.apply(x).values());
    add(name + "inverse", x -> f.apply(x).inverse());
    add(name + "counts", x -> f.apply(x).counts());
  }

  private static void sorting() {
    for (int size : new int[] {0, 1, 3, 9}) {
      unique("unique " + size + " None ", x -> x.unique(size));
      unique("unique " + size + " 1 ", x -> x.unique(size, 1));
    }
    unique("unique 0 7 ", x -> x.unique(0, 7));
    unique("unique 2 7 ", x -> x.unique(2, 7));
    add("topK values", x -> x.topK(3, -1).values());
    add("topK indices", x -> x.topK(3, -1).indices());
    add("sort 0", x -> x.sort(0));
    add("argsort -1", x -> x.argsort(-1));
    FUNCTIONS.put("searchSorted left", x -> List.of(x.get(0).searchSorted(x.get(1), false)));
    FUNCTIONS.put("searchSorted right", x -> List.of(x.get(0).searchSorted(x.get(1), true)));
    for (int axis = 0; axis < 2; axis++) {
      int a = axis;
      add("median " + a, x -> x.median(a));
      for (String q : List.of("0", "0.3", "0.5", "0.9", "1")) {
        add("quantile " + q + " " + a, x -> x.quantile(Double.parseDouble(q), a));
      }
    }
    add("percentile 25 1", x -> x.percentile(25, 1));
  }

  private static void counting() {
    add("oneHot 300", x -> x.oneHot(300, DType.I32));
    add("oneHot 3", x -> x.oneHot(3, DType.BF16));
    add("arange bf16 0 700 1", x -> Ranges.arange(DType.BF16, 0, 700, 1));
    add("arange f16 1 -3 -0.25", x -> Ranges.arange(DType.F16, 1, -3, -0.25));
    add("arange u8 255 -1 -5", x -> Ranges.arange(DType.U8, 255, -1, -5));
    add("arange i8 -128 128 1", x -> Ranges.arange(DType.I8, -128, 128, 1));
    FUNCTIONS.put("segmentMean", x -> List.of(x.get(0).segmentMean(3, x.get(1))));
    FUNCTIONS.put(
        "embeddingBag max of many",
        x ->
            List.of(
                x.get(0)
                    .embeddingBag(
                        x.get(1), Segments.ofOffsets(x.get(2), 256), 2, Segments.Fold.MAX)));
    for (String s : List.of("0 0", "1 0", "1 -1", "2 1", "9 1")) {
      String[] n = s.split(" ");
      add("diff " + s, x -> x.diff(Integer.parseInt(n[0]), Integer.parseInt(n[1])));
    }
    add("bincount 9", x -> x.bincount(9));
    FUNCTIONS.put("bincount weighted", x -> List.of(x.get(0).bincount(9, x.get(1))));
    FUNCTIONS.put("interp", x -> List.of(x.get(0).interp(x.get(1), x.get(2))));
    FUNCTIONS.put("histogram edges", x -> List.of(x.get(0).histogram(x.get(1))));
    add("histogram 8 -2 2", x -> x.histogram(8, -2, 2));
  }

  private static Stream<JsonNode> cases() {
    return StreamSupport.stream(Golden.json("functions.json").get("cases").spliterator(), false);
  }

  @Test
  void everyFunctionIsThere() {
    TreeSet<String> named = new TreeSet<>(FUNCTIONS.keySet());
    named.removeAll(Arrays.asList("diag 4", "diag 9")); // NumPy's own, but of no further use
    TreeSet<String> golden = new TreeSet<>();
    cases().forEach(c -> golden.add(c.get("op").textValue()));
    assertEquals(golden, named);
  }

  @TestFactory
  Stream<DynamicTest> agree() {
    return cases()
        .map(
            c ->
                DynamicTest.dynamicTest(
                    c.get("op").textValue(),
                    () -> {
                      Fn f = FUNCTIONS.get(c.get("op").textValue());
                      List<Tensor> in = new ArrayList<>();
                      c.get("inputs").forEach(n -> in.add(Golden.tensor(n)));
                      Tensor expected = Golden.tensor(c.get("output"));
                      Tolerance t =
                          new Tolerance(
                              c.get("tolerance").get(0).asDouble(),
                              c.get("tolerance").get(1).asDouble());
                      assertEquals(null, t.difference(expected, f.apply(in).get(0)), "eager");
                      for (Backend b : List.of(Backends.reference(), Backends.cpu())) {
                        List<TensorType> types = in.stream().map(Tensor::type).toList();
                        Tensor y = Runs.on(b, Jit.graph(f, types), in).get(0);
                        assertEquals(null, t.difference(expected, y), b.name());
                      }
                    }));
  }

  /** Indices outside are errors of the user's place, not another element of the flat table. */
  @Test
  void placesOutsideAreErrors() {
    Tensor x = Tensor.of(new float[6], 2, 3);
    for (int bad : new int[] {-1, 3, Integer.MAX_VALUE}) {
      Tensor i = Tensor.of(new int[] {0, bad}, 2, 1);
      assertThrows(IndexOutOfBoundsException.class, () -> x.takeAlongAxis(i, 1));
      assertThrows(IndexOutOfBoundsException.class, () -> x.take(i, 1));
      assertThrows(
          IndexOutOfBoundsException.class, () -> x.gatherNd(Tensor.of(new int[] {0, bad}, 2)));
    }
    assertThrows(IndexOutOfBoundsException.class, () -> x.gatherNd(Tensor.of(new int[] {2, 0}, 2)));
  }

  @Test
  void composedFunctionsHaveTheirRowsDerivatives() {
    Tensor x = Values.range(-2, 2).make(TensorType.of(DType.F64, 4, 5), 3);
    Tensor i = Tensor.of(new int[] {1, 0, 0, 2, 1}, 5);
    Map<String, One> functions = new HashMap<>();
    functions.put("interp", t -> t.interp(t.slice("0").sort(0), t.slice("1")));
    functions.putAll(
        Map.of(
            "pad", t -> t.pad(1, 7, 3, Padding.REFLECT),
            "sort", t -> t.sort(0).mul(t),
            "quantile", t -> t.quantile(0.3, 1),
            "topK", t -> t.topK(2, 1).values(),
            "unique", t -> t.unique(30).values().mul(t.unique(30, 0).values()),
            "bag",
                t ->
                    t.embeddingBag(
                        i, Tensor.of(new int[] {0, 0, 2, 2, 2}, 5), 4, Segments.Fold.MEAN),
            "bag max",
                t ->
                    t.embeddingBag(
                        i, Tensor.of(new int[] {0, 1, 2, 3, 3}, 5), 5, Segments.Fold.MAX),
            "take", t -> t.take(i, 1),
            "index", t -> t.slice("::-2, 1:4"),
            "tril", t -> t.tril(1)));
    functions.forEach(
        (name, f) -> {
          Fn fn = in -> List.of(f.of(in.get(0)));
          assertEquals(null, GradCheck.first(fn, List.of(x)), name);
          assertEquals(null, GradCheck.second(fn, List.of(x)), name);
        });
  }
}
