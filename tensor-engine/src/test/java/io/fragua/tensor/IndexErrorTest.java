package io.fragua.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.Allocator;
import io.fragua.exec.Backends;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Execution;
import io.fragua.exec.Program;
import io.fragua.testing.Runs;
import io.fragua.transform.Fn;
import io.fragua.transform.Grad;
import io.fragua.transform.Jit;
import io.fragua.transform.Vmap;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Who complains of which index, at which place: as the user gave it, on every way to compute. */
class IndexErrorTest {
  private static final Tensor X = Tensor.of(new float[] {1, 2, 3, 4}, 2, 2);

  private static Tensor ids(int[] dims, int... ids) {
    return Tensor.of(ids, dims);
  }

  private static int[] dims(int... dims) {
    return dims;
  }

  private static void same(String text, Fn f, Tensor... in) {
    List<Tensor> args = List.of(in);
    Map<String, Fn> ways =
        Map.of("eager", f, "jit", Jit.jit(f), "reference", a -> Runs.reference(f, in));
    ways.forEach((way, g) -> assertEquals(text, message(g, args), way));
  }

  private static String message(Fn f, List<Tensor> in) {
    return assertThrows(IndexOutOfBoundsException.class, () -> f.apply(in)).getMessage();
  }

  private static String text(String who, Object index, int at, String shape, int axis) {
    return String.format(
        "%s: indices must lie in [0, 2): index %s at position %d of %s for axis %d of f32[2, 2];"
            + " correct or clip the indices",
        who, index, at, shape, axis);
  }

  @Test
  void indicesAreNamedAsTheyWereGiven() {
    for (int bad : new int[] {9, 2, -1, -7, 1 << 29}) {
      same(
          text("take", bad, 2, "[3]", 1),
          Fn.of((x, i) -> x.take(i, 1)),
          X,
          ids(dims(3), 0, 1, bad));
      same(text("take", bad, 0, "[]", 0), Fn.of((x, i) -> x.take(i, -2)), X, ids(dims(), bad));
      same(
          text("take_along_axis", bad, 1, "[2, 1]", 1),
          Fn.of((x, i) -> x.takeAlongAxis(i, 1)),
          X,
          ids(dims(2, 1), 0, bad));
      same(
          text("take_along_axis", bad, 1, "[1, 3]", 1),
          Fn.of((x, i) -> x.takeAlongAxis(i, 1)),
          X,
          ids(dims(1, 3), 0, bad, 1));
      same(
          text("put_along_axis", bad, 3, "[2, 2]", 0),
          Fn.of((x, i) -> x.putAlongAxis(Scatter.SET, 0, i, x)),
          X,
          ids(dims(2, 2), 0, 1, 0, bad));
    }
    for (int bad : new int[] {9, 2, -1, -7, 1 << 28}) {
      same(
          text("gather_nd", bad, 3, "[2, 2]", 1),
          Fn.of((x, i) -> x.gatherNd(i)),
          X,
          ids(dims(2, 2), 0, 1, 1, bad));
      same(
          text("gather_nd", bad, 0, "[1, 2]", 0),
          Fn.of((x, i) -> x.gatherNd(i)),
          X,
          ids(dims(1, 2), bad, 5));
      same(
          text("scatter_nd", bad, 1, "[2]", 1),
          Fn.of((x, i) -> x.scatterNd(Scatter.ADD, i, Tensor.scalar(DType.F32, 1))),
          X,
          ids(dims(2), 1, bad));
    }
  }

  @Test
  void indicesFarOffAreAsTheLastThatIsToldApart() {
    Fn take = Fn.of((x, i) -> x.take(i, 1));
    String high = text("take", "1073741825 or more", 0, "[1]", 1);
    String low = text("take", "-1073741824 or less", 0, "[1]", 1);
    same(high, take, X, ids(dims(1), Integer.MAX_VALUE));
    same(low, take, X, ids(dims(1), Integer.MIN_VALUE));
    String nd = text("gather_nd", "536870913 or more", 0, "[2]", 0);
    same(nd, Fn.of((x, i) -> x.gatherNd(i)), X, ids(dims(2), Integer.MAX_VALUE, 0));
  }

  @Test
  void gradientsAndBatchesSayTheSame() {
    Tensor bad = ids(dims(2), 0, 9);
    Fn take = Fn.of((x, i) -> x.take(i, 1));
    same(text("take", 9, 1, "[2]", 1), Grad.grad(Fn.of((x, i) -> x.take(i, 1).sum()), 0), X, bad);
    Fn written = Fn.of((x, i) -> x.scatterNd(Scatter.MUL, i, Tensor.scalar(DType.F32, 2)).sum());
    same(text("scatter_nd", 9, 1, "[2]", 1), Grad.grad(written, 0), X, bad);
    Tensor xs = Tensor.zeros(DType.F32, 3, 2, 2);
    Tensor each = ids(dims(3, 2), 0, 1, 1, 0, 0, 9);
    same(text("take", 9, 1, "[2]", 1), Vmap.vmap(take), xs, each);
    same(text("take", 9, 1, "[2]", 1), Vmap.vmap(take, Arrays.asList(0, null)), xs, bad);
    same(text("take", 9, 1, "[2]", 1), Vmap.vmap(take, Arrays.asList(null, 0)), X, each);
    same(
        "gather: indices must lie in [0, 2): index 9 at position 1 of [2]; check the vocabulary or"
            + " clip the indices",
        Vmap.vmap(Fn.of((x, i) -> x.gather(i))),
        xs,
        each);
    same(
        "scatter: indices must lie in [0, 2): index 9 at position 1 of [2]; check the vocabulary or"
            + " clip the indices",
        Vmap.vmap(Fn.of((x, i) -> x.scatter(Scatter.SET, i, x))),
        xs,
        each);
  }

  @Test
  void otherTypesOfIndicesAreRefusedByName() {
    Tensor wrong = Tensor.zeros(DType.I64, 2, 2);
    Map<String, Fn> uses =
        Map.of(
            "take", Fn.of((x, i) -> x.take(i, 1)),
            "take_along_axis", Fn.of((x, i) -> x.takeAlongAxis(i, 1)),
            "put_along_axis", Fn.of((x, i) -> x.putAlongAxis(Scatter.SET, 1, i, x)),
            "gather_nd", Fn.of((x, i) -> x.gatherNd(i)),
            "scatter_nd", Fn.of((x, i) -> x.scatterNd(Scatter.SET, i, x)));
    uses.forEach(
        (who, f) -> {
          String text = who + ": indices must be i32: i64[2, 2]; cast them";
          for (Fn way : List.of(f, Jit.jit(f))) {
            assertEquals(
                text, assertThrows(ShapeException.class, () -> way.call(X, wrong)).getMessage());
          }
        });
  }

  /** A helper thread finds the last index; the user wants to know which line gave it. */
  @Test
  void theUsersLineIsInTheTrace() {
    Tensor table = Tensor.zeros(DType.F32, 10, 64);
    int[] ids = new int[4096];
    ids[4095] = 10;
    Tensor i = Tensor.of(ids, 4096);
    Fn f = Fn.of((x, at) -> x.gather(at));
    hasLine(assertThrows(IndexOutOfBoundsException.class, () -> f.call(table, i)));
    hasLine(assertThrows(IndexOutOfBoundsException.class, () -> Jit.jit(f).call(table, i)));
    CompileOptions two = CompileOptions.DEFAULT.withThreads(2);
    try (Program p = Backends.cpu().compile(Jit.graph(f, List.of(table.type(), i.type())), two);
        Allocator a = new Allocator("test");
        Execution e = p.newExecution(a)) {
      e.bindInput(0, table.buffer());
      e.bindInput(1, i.buffer());
      IndexOutOfBoundsException error = assertThrows(IndexOutOfBoundsException.class, e::run);
      hasLine(error);
      assertTrue(p.explain().contains("x2 threads"), p.explain());
      assertEquals("fragua-cpu", helper(error.getCause()));
    }
  }

  private static void hasLine(Throwable e) {
    assertTrue(
        Arrays.stream(e.getStackTrace())
            .anyMatch(s -> s.getMethodName().equals("theUsersLineIsInTheTrace")),
        () -> Arrays.toString(e.getStackTrace()));
  }

  /** The thread that a trace is of, told by its lowest frame. */
  private static String helper(Throwable e) {
    StackTraceElement[] s = e.getStackTrace();
    return s[s.length - 1].getClassName().contains("Pool$Helper") ? "fragua-cpu" : s[0].toString();
  }
}
