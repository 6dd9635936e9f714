package io.fragua.random;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.fragua.exec.Backend;
import io.fragua.exec.Backends;
import io.fragua.graph.Graph;
import io.fragua.tensor.Arranging;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.Golden;
import io.fragua.testing.Runs;
import io.fragua.testing.Tolerance;
import io.fragua.transform.Fn;
import io.fragua.transform.Jit;
import io.fragua.transform.Vmap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Compares with JAX's bits, on every backend. */
class RandomTest {
  private static final JsonNode GOLDEN = Golden.json("random.json");

  static Stream<Backend> backends() {
    return Stream.of(Backends.reference(), Backends.cpu());
  }

  static Stream<Arguments> draws() {
    return backends()
        .flatMap(b -> GOLDEN.get("draws").valueStream().map(d -> Arguments.of(b.name(), d)));
  }

  private static Tensor run(String backend, Fn f, Tensor... in) {
    List<TensorType> types = Stream.of(in).map(Tensor::type).toList();
    return Runs.on(Backends.get(backend), Jit.graph(f, types), List.of(in)).get(0);
  }

  private static Tensor words(JsonNode list, DType dtype, int... dims) {
    Buffer b = Tensor.of(Golden.ints(list), list.size()).buffer();
    return Tensor.of(TensorType.of(dtype, dims), b);
  }

  @Test
  void seedsGiveJaxKeys() {
    Map<String, JsonNode> keys = Golden.members(GOLDEN.get("keys"));
    assertEquals(10, keys.size());
    keys.forEach(
        (seed, words) ->
            assertArrayEquals(
                Golden.ints(words), Key.of(Long.parseLong(seed)).tensor().toInts(), seed));
  }

  @Test
  void splitGivesJaxKeysEagerAndTraced() {
    Golden.members(GOLDEN.get("split"))
        .forEach(
            (n, expected) -> {
              List<Key> eager = Key.of(42).split(Integer.parseInt(n));
              assertEquals(expected.size(), eager.size());
              for (int i = 0; i < eager.size(); i++) {
                int at = i;
                Fn f = a -> List.of(new Key(a.get(0)).split(eager.size()).get(at).tensor());
                int[] words = Golden.ints(expected.get(i));
                assertArrayEquals(words, eager.get(i).tensor().toInts());
                assertArrayEquals(words, run("cpu", f, Key.of(42).tensor()).toInts());
              }
            });
  }

  @Test
  void foldInGivesJaxKeysEagerAndTraced() {
    Golden.members(GOLDEN.get("fold_in"))
        .forEach(
            (data, words) -> {
              int d = Integer.parseInt(data);
              assertArrayEquals(Golden.ints(words), Key.of(42).foldIn(d).tensor().toInts(), data);
              // a traced number with a captured concrete key, as in a training step
              Fn f = a -> List.of(Key.of(42).foldIn(a.get(0)).tensor());
              assertArrayEquals(
                  Golden.ints(words), run("cpu", f, Tensor.scalar(DType.I32, d)).toInts(), data);
            });
  }

  @ParameterizedTest
  @MethodSource("draws")
  void drawsAreJaxs(String backend, JsonNode d) {
    int[] dims = Golden.ints(d.get("shape"));
    Shape shape = Shape.of(dims);
    Tensor key = Tensor.of(Golden.ints(d.get("key")), 2);
    Fn bits = a -> List.of(Random.bits(new Key(a.get(0)), shape));
    Fn uniform = a -> List.of(Random.uniform(new Key(a.get(0)), shape));
    Fn normal = a -> List.of(Random.normal(new Key(a.get(0)), shape));
    Fn bernoulli = a -> List.of(Random.bernoulli(new Key(a.get(0)), 0.3, shape));
    assertNull(
        Tolerance.BITS.difference(words(d.get("bits"), DType.I32, dims), run(backend, bits, key)));
    assertNull(
        Tolerance.BITS.difference(
            words(d.get("uniform"), DType.F32, dims), run(backend, uniform, key)));
    assertArrayEquals(Golden.ints(d.get("bernoulli")), run(backend, bernoulli, key).toInts());
    // 1e-6 relative; XLA contracts the polynomial to fused multiply-adds, so bits may differ.
    assertNull(
        new Tolerance(8, 1e-2)
            .difference(words(d.get("normal"), DType.F32, dims), run(backend, normal, key)));
  }

  /** The words of many keys, [n, 2]. */
  private static Tensor words(Key key, int n) {
    return Arranging.stack(0, key.split(n).stream().map(Key::tensor).toList());
  }

  private interface Family {
    Tensor draw(Key key, Shape shape);
  }

  private static final Tensor LOGITS =
      Tensor.of(new float[] {0, 0.25f, 0.5f, 0.75f, 1, 1.25f}, 2, 3);
  private static final Tensor WEIGHTS =
      Tensor.of(new float[] {0.1f / 4, 0, 2.5f / 4, 1f / 4, 0.4f / 4}, 5);

  private static Tensor count(DType t, int... dims) {
    return Tensor.scalar(t, 0).arangeLike(0, 1, (int) Shape.of(dims).size()).reshape(dims);
  }

  private static final Tensor GAMMA = Tensor.of(new float[] {0.1f, 0.9f, 2.5f, 300}, 4);
  private static final Tensor RATES = Tensor.of(new float[] {0, 0.3f, 2, 9.9f}, 4);

  private static Tensor real(double x) {
    return Tensor.scalar(DType.F32, x);
  }

  private static Shape four(Shape s) {
    return s.concat(Shape.of(4));
  }

  private static final Map<String, Family> FAMILIES =
      Map.ofEntries(
          Map.entry("randint -5 9", (k, s) -> Random.randint(k, s, -5, 9)),
          Map.entry("randint 0 65537", (k, s) -> Random.randint(k, s, 0, 65537)),
          Map.entry("randint 3 1000003", (k, s) -> Random.randint(k, s, 3, 1000003)),
          Map.entry(
              "randint all", (k, s) -> Random.randint(k, s, Integer.MIN_VALUE, Integer.MAX_VALUE)),
          Map.entry("truncatedNormal -2 2", (k, s) -> Random.truncatedNormal(k, s, -2, 2)),
          Map.entry(
              "truncatedNormal 1 inf",
              (k, s) -> Random.truncatedNormal(k, s, 1, Double.POSITIVE_INFINITY)),
          Map.entry("exponential", Random::exponential),
          Map.entry("laplace", Random::laplace),
          Map.entry("gumbel", Random::gumbel),
          Map.entry("cauchy", Random::cauchy),
          Map.entry("rademacher", Random::rademacher),
          Map.entry("gamma 0.3", (k, s) -> Random.gamma(k, 0.3, s)),
          Map.entry("gamma 1", (k, s) -> Random.gamma(k, 1, s)),
          Map.entry("gamma many", (k, s) -> Random.gamma(k, GAMMA, four(s))),
          Map.entry("loggamma 0.001", (k, s) -> Random.loggamma(k, real(0.001), s)),
          Map.entry("loggamma many", (k, s) -> Random.loggamma(k, GAMMA, four(s))),
          Map.entry("beta", (k, s) -> Random.beta(k, GAMMA, real(0.7), four(s))),
          Map.entry("dirichlet", (k, s) -> Random.dirichlet(k, GAMMA, s)),
          Map.entry("poisson", (k, s) -> Random.poisson(k, RATES, four(s))),
          Map.entry(
              "poisson above 10",
              (k, s) ->
                  Vmap.vmap(Fn.of(w -> Random.poisson(new Key(w), real(31.5), Shape.of())))
                      .call(words(k, 200))),
          Map.entry("categorical -1", (k, s) -> Sampling.categorical(k, LOGITS, -1, s)),
          Map.entry("categorical 0", (k, s) -> Sampling.categorical(k, LOGITS, 0, s)),
          Map.entry("choice 7", (k, s) -> Sampling.choice(k, 7, s, true)),
          Map.entry("choice weighted", (k, s) -> Sampling.choice(k, WEIGHTS, s, true)),
          Map.entry(
              "choice weighted, no replacement",
              (k, s) -> Sampling.choice(k, WEIGHTS, Shape.of(4), false)),
          Map.entry(
              "choice 2000, no replacement",
              (k, s) -> Sampling.choice(k, 2000, Shape.of(3, 40), false)),
          Map.entry("permutation 1", (k, s) -> Sampling.permutation(k, 1)),
          Map.entry("permutation 3000", (k, s) -> Sampling.permutation(k, 3000)),
          Map.entry(
              "permutation of rows", (k, s) -> Sampling.permutation(k, count(DType.F32, 7, 3), 0)),
          Map.entry(
              "permutation of columns",
              (k, s) -> Sampling.permutation(k, count(DType.I32, 3, 7), 1)),
          Map.entry(
              "permutation of a vector",
              (k, s) -> Sampling.permutation(k, count(DType.F32, 9).div(2), 0)));

  /** Where the last place of a step before is seen many times over. */
  private static final Set<String> TAILS =
      Set.of("truncatedNormal 1 inf", "gamma 0.3", "gamma many", "beta", "dirichlet");

  static Stream<Arguments> families() {
    return backends()
        .flatMap(b -> GOLDEN.get("families").valueStream().map(d -> Arguments.of(b.name(), d)));
  }

  @ParameterizedTest
  @MethodSource("families")
  void familiesAreJaxs(String backend, JsonNode d) {
    Family f = FAMILIES.get(d.get("name").textValue());
    Shape shape = Shape.of(Golden.ints(d.get("draws")));
    Tensor key = Tensor.of(Golden.ints(d.get("key")), 2);
    DType t = DType.parse(d.get("dtype").textValue());
    Tensor expected = words(d.get("words"), t, Golden.ints(d.get("shape")));
    // floats go through series of another make; in a tail the last place of a bound is seen
    boolean tail = TAILS.contains(d.get("name").textValue());
    Tolerance tolerance = t == DType.I32 ? Tolerance.EQUAL : new Tolerance(tail ? 64 : 16, 4);
    assertNull(
        tolerance.difference(
            expected, run(backend, a -> List.of(f.draw(new Key(a.get(0)), shape)), key)));
    assertNull(tolerance.difference(expected, f.draw(new Key(key), shape)), "eager");
  }

  @Test
  void everyFamilyIsCompared() {
    assertEquals(
        FAMILIES.keySet(),
        GOLDEN
            .get("families")
            .valueStream()
            .map(d -> d.get("name").textValue())
            .collect(Collectors.toSet()));
  }

  @Test
  void bothBranchesOfNormalAreCompared() {
    float[] x = words(GOLDEN.at("/draws/6/normal"), DType.F32, 2000).toFloats();
    int tail = 0;
    for (float v : x) {
      tail += Math.abs(v) > 3 ? 1 : 0; // w >= 5 from |x| > 2.93 on
    }
    assertTrue(tail >= 2, tail + " samples in the tails");
  }

  @Test
  void drawingInsideATraceLeavesNothingBigInTheGraph() {
    Fn captured =
        a -> {
          Key k = Key.of(7).lift(a.get(0)).foldIn(3);
          return List.of(Random.normal(k, Shape.of(64, 64)).add(a.get(0)));
        };
    Graph g = Jit.graph(captured, List.of(TensorType.of(DType.F32, 64, 64)));
    g.constants().forEach(c -> assertTrue(c.shape().size() <= 2, c.toString()));
  }

  @Test
  void uniformStaysInItsBounds() {
    for (double[] b : new double[][] {{-1, 1}, {0.25, 0.3}, {5, 5}, {-1e30, 1e30}}) {
      float[] x = Random.uniform(Key.of(1), Shape.of(1000), b[0], b[1]).toFloats();
      float low = Float.POSITIVE_INFINITY;
      float high = Float.NEGATIVE_INFINITY;
      for (float v : x) {
        low = Math.min(low, v);
        high = Math.max(high, v);
      }
      double width = b[1] - b[0];
      assertTrue(low >= (float) b[0] && high <= (float) b[1], low + " " + high);
      assertTrue(high - low >= 0.98 * width, low + " " + high);
    }
  }

  @Test
  void oneKeyRepeatsAndOthersDiffer() {
    Shape s = Shape.of(100);
    int[] a = Random.bits(Key.of(5), s).toInts();
    assertArrayEquals(a, Random.bits(Key.of(5), s).toInts());
    assertTrue(java.util.Arrays.mismatch(a, Random.bits(Key.of(6), s).toInts()) == 0);
  }

  @Test
  void wrongUseIsExplained() {
    assertEquals(
        "key: the words must be i32[2]: i32[3]; make keys with Key.of, split or foldIn",
        message(() -> new Key(Tensor.of(new int[3], 3))));
    assertEquals(
        "key: split gives at least one key: 0; correct the number",
        message(() -> Key.of(0).split(0)));
    assertEquals(
        "key: foldIn takes i32[]: f32[]; cast or reshape it",
        message(() -> Key.of(0).foldIn(Tensor.scalar(DType.F32, 1))));
    assertEquals(
        "bernoulli: a probability lies in [0, 1]: 1.5; correct it",
        message(() -> Random.bernoulli(Key.of(0), 1.5, Shape.of(2))));
    assertEquals(
        "uniform: bounds must be finite f32 and ascending: [1.0, 0.0); exchange or correct them",
        message(() -> Random.uniform(Key.of(0), Shape.of(2), 1, 0)));
    assertEquals(
        "uniform: bounds must be finite f32 and ascending: [0.0, 1.0E39); exchange or correct them",
        message(() -> Random.uniform(Key.of(0), Shape.of(2), 0, 1e39)));
    assertEquals(
        "shape: axis must lie in [-1, 1): axis 3 of [5]; name an existing axis",
        message(() -> Sampling.permutation(Key.of(0), Tensor.of(new int[5], 5), 3)));
    assertEquals(
        "randint: low must be below high: [3, 3); exchange them",
        message(() -> Random.randint(Key.of(0), Shape.of(2), 3, 3)));
    assertEquals(
        "truncated_normal: lower must be below upper: (1.0, -1.0); exchange them",
        message(() -> Random.truncatedNormal(Key.of(0), Shape.of(2), 1, -1)));
    assertEquals(
        "choice: needs at least one number, and without replacement as many as drawn: 3 for [2, 2];"
            + " draw fewer or replace",
        message(() -> Sampling.choice(Key.of(0), 3, Shape.of(2, 2), false)));
    assertEquals(
        "random: one call draws at most 2147483647 numbers: [65536, 65536]; draw parts with split"
            + " keys",
        message(() -> Random.bits(Key.of(0), Shape.of(65536, 65536))));
  }

  private static String message(org.junit.jupiter.api.function.Executable e) {
    return assertThrows(IllegalArgumentException.class, e).getMessage();
  }
}
