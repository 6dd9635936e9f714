package io.fragua.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.fragua.exec.CompileOptions;
import io.fragua.nn.Dense;
import io.fragua.nn.Embedding;
import io.fragua.nn.Network;
import io.fragua.nn.ParamTree;
import io.fragua.random.Key;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.Golden;
import io.fragua.testing.Runs;
import io.fragua.transform.Fn;
import io.fragua.transform.Jit;
import io.fragua.transform.SparseGrad;
import io.fragua.transform.SparseRows;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SparseUpdatesTest {
  private static final JsonNode GOLDEN = Golden.json("sparse.json");
  private static final Schedule RATE = Schedules.constant(0.1);

  private record Case(String name, GradientTransform optimizer) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Stream<Case> cases() {
    return Stream.of(
        new Case("sgd", Optimizers.sgd(RATE, 0)),
        new Case("adam", Optimizers.adam(RATE)),
        new Case("adam settings", Optimizers.adam(Schedules.constant(0.05), 0.8, 0.95, 1e-8)),
        new Case(
            "adagrad",
            Transforms.chain(Transforms.scaleByRss(0.1, 0), Transforms.scaleByLearningRate(RATE))));
  }

  /** Table, state, ids and the gradients of their rows to table and state. */
  private static Fn step(GradientTransform optimizer, ParamTree state) {
    return a -> {
      Tensor table = a.get(0);
      ParamTree old = state.withLeaves(a.subList(1, 1 + state.size()));
      Tensor ids = a.get(1 + state.size());
      Tensor slopes = a.get(2 + state.size());
      Fn loss = Fn.of(t -> t.gather(ids).mul(slopes).sum());
      List<Tensor> r =
          SparseGrad.valueAndGrad(loss, new int[0], new int[] {0}).apply(List.of(table));
      SparseUpdates.Step next =
          SparseUpdates.apply(
              optimizer,
              ParamTree.EMPTY,
              Map.of("table", new SparseRows(r.get(1), r.get(2))),
              old,
              ParamTree.of("table", table));
      List<Tensor> out = new ArrayList<>(next.params().leaves());
      out.addAll(next.state().leaves());
      return out;
    };
  }

  @Test
  void everyGoldenCaseIsCompared() {
    assertEquals(
        Golden.members(GOLDEN.get("cases")).keySet(),
        cases().map(Case::name).collect(Collectors.toSet()));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void stepsArePyTorchs(Case c) {
    Tensor start = Golden.floats(GOLDEN.get("start"), 7, 3);
    ParamTree state = c.optimizer().init(ParamTree.of("table", start));
    Fn step = step(c.optimizer(), state);
    List<Fn> ways =
        List.of(step, Jit.jit(step), a -> Runs.reference(step, a.toArray(new Tensor[0])));
    for (Fn way : ways) {
      List<Tensor> now = new ArrayList<>(List.of(start));
      now.addAll(state.leaves());
      for (int i = 0; i < GOLDEN.get("ids").size(); i++) {
        List<Tensor> args = new ArrayList<>(now);
        args.add(Tensor.of(Golden.ints(GOLDEN.get("ids").get(i)), 4));
        args.add(Golden.floats(GOLDEN.get("slopes").get(i), 4, 3));
        now = way.apply(args);
        float[] expected = Golden.floats(GOLDEN.get("cases").get(c.name()).get(i), 7, 3).toFloats();
        assertArrayEquals(expected, now.get(0).toFloats(), 2e-6f, c + ", step " + i);
      }
    }
  }

  private static final int ROWS = 5000;
  private static final int[] IDS = {7, 4999, 7, 0, 33, 7, 0, 12};
  private static final Tensor X = Tensor.of(IDS, 4, 2);
  private static final Tensor Y = Tensor.of(new float[] {1, -1, 0.5f, 2}, 4);

  /** Two tables, one looked up twice, and a layer. */
  private static final Network.Body BODY =
      (s, in) -> {
        Tensor a = s.apply("embedding_0", new Embedding(ROWS, 8), in.get(0)).sum(1);
        Tensor b = s.apply("embedding_1", new Embedding(ROWS / 2, 8), in.get(0).minimum(20)).sum(1);
        return s.apply("dense", new Dense(1), a.mul(b)).reshape(4);
      };

  private static Training training(GradientTransform optimizer, boolean sparse) {
    Training t = new Training(BODY, (y, z) -> y.sub(z.get(0)).square().mean(), optimizer);
    return sparse ? t.withSparse(n -> n.startsWith("embedding")) : t;
  }

  private static Training.Run run(Training t) {
    Network.Variables v = Network.init(BODY, List.of(X.type()), Key.of(0));
    return t.start(v, List.of(X.type()), List.of(Y.type()), Key.of(1), CompileOptions.DEFAULT);
  }

  private static ParamTree trained(GradientTransform optimizer, boolean sparse) {
    try (Training.Run run = run(training(optimizer, sparse))) {
      for (int i = 0; i < 4; i++) {
        run.step(X, Y);
      }
      return run.variables().params();
    }
  }

  /** Where the same rows come in every step, lazy and dense steps are the same. */
  private static Stream<Case> likeDense() {
    return Stream.of(
        new Case("sgd", Optimizers.sgd(RATE, 0)),
        new Case("sgd momentum", Optimizers.sgd(RATE, 0.9)),
        new Case("adam", Optimizers.adam(RATE)),
        new Case("adagrad", Optimizers.adagrad(RATE)),
        new Case(
            "clip norm",
            Transforms.chain(Transforms.clipByGlobalNorm(0.5), Optimizers.sgd(RATE, 0))));
  }

  @ParameterizedTest
  @MethodSource("likeDense")
  void equalsDenseSteps(Case c) {
    ParamTree dense = trained(c.optimizer(), false);
    ParamTree sparse = trained(c.optimizer(), true);
    assertEquals(dense.names(), sparse.names());
    float close = c.name().equals("sgd") ? 0 : 1e-5f;
    for (String name : dense.names()) {
      assertArrayEquals(dense.get(name).toFloats(), sparse.get(name).toFloats(), close, name);
    }
  }

  private static final Pattern BYTES = Pattern.compile("reads ([\\d,]+), writes ([\\d,]+) bytes");

  /** The most bytes that one step reads or writes. */
  private static long most(String explained) {
    Matcher m = BYTES.matcher(explained);
    long most = 0;
    while (m.find()) {
      for (int i = 1; i <= 2; i++) {
        most = Math.max(most, Long.parseLong(m.group(i).replace(",", "")));
      }
    }
    return most;
  }

  @Test
  void noStepReadsOrWritesATable() {
    long smallest = ROWS / 2 * 8 * 4;
    GradientTransform adam = Optimizers.adam(RATE);
    try (Training.Run sparse = run(training(adam, true));
        Training.Run dense = run(training(adam, false))) {
      assertTrue(most(sparse.explain()) < smallest, sparse::explain);
      assertFalse(sparse.explain().contains("copy to output embedding"), sparse::explain);
      assertTrue(most(dense.explain()) >= 2 * smallest, dense::explain);
    }
  }

  /** Other rows stay the bits they were, though Adam has moments of some. */
  @Test
  void otherRowsStay() {
    Tensor other = Tensor.of(new int[] {1, 2, 3, 1, 2, 3, 1, 2}, 4, 2);
    try (Training.Run run = run(training(Optimizers.adam(RATE), true))) {
      run.step(X, Y);
      float[] before = run.variables().params().get("embedding_0.embedding").toFloats();
      run.step(other, Y);
      float[] after = run.variables().params().get("embedding_0.embedding").toFloats();
      for (int row = 0; row < ROWS; row++) {
        float[] a = Arrays.copyOfRange(before, row * 8, row * 8 + 8);
        float[] b = Arrays.copyOfRange(after, row * 8, row * 8 + 8);
        assertEquals(row < 1 || row > 3, Arrays.equals(a, b), "row " + row);
      }
    }
  }

  @Test
  void refusesWhatIsNotLazy() {
    Training whole = training(Optimizers.adafactor(RATE, 2), true);
    String e = assertThrows(IllegalArgumentException.class, () -> run(whole)).getMessage();
    assertTrue(
        e.startsWith("sparse_updates: an optimizer must remember each row of a table apart: "), e);
    GradientTransform sgd = Optimizers.sgd(RATE, 0);
    for (GradientTransform t :
        List.of(
            Transforms.chain(sgd, Wrappers.paramsEma(0.9)),
            Wrappers.lookahead(sgd, 2, 0.5),
            Wrappers.multiSteps(sgd, 2))) {
      Training every = training(t, true);
      String m = assertThrows(IllegalArgumentException.class, () -> run(every)).getMessage();
      assertTrue(m.startsWith("sparse_updates: averages, lookahead and accumulation need "), m);
    }
    Training product = training(Optimizers.sgd(RATE, 0), false).withSparse(n -> true);
    assertTrue(
        assertThrows(IllegalArgumentException.class, () -> run(product))
            .getMessage()
            .startsWith("sparse_grad: a table is read by gather alone: "));
  }

  @Test
  void typesOfATableAreKept() {
    TensorType half = TensorType.of(DType.BF16, 6, 2);
    GradientTransform adam = Optimizers.adam(RATE);
    ParamTree params = ParamTree.of("table", Tensor.full(half, 1));
    ParamTree state = adam.init(params);
    SparseRows rows =
        new SparseRows(
            Tensor.of(new int[] {3, 3}, 2), Tensor.full(TensorType.of(DType.BF16, 2, 2), 1));
    SparseUpdates.Step next =
        SparseUpdates.apply(adam, ParamTree.EMPTY, Map.of("table", rows), state, params);
    assertEquals(half, next.params().get("table").type());
    assertEquals(state.toString(), next.state().toString());
  }
}
