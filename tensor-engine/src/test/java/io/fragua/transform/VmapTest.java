package io.fragua.transform;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.Backends;
import io.fragua.graph.Graph;
import io.fragua.random.Key;
import io.fragua.random.Random;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.Examples;
import io.fragua.testing.GradCheck;
import io.fragua.testing.RandomProgram;
import io.fragua.testing.Runs;
import io.fragua.testing.Tolerance;
import io.fragua.testing.Values;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@link Vmap} with the other transforms; the rows' rules are in {@code BatchTest}. */
class VmapTest {
  private static final Values ANY = Values.range(-1, 1);

  /** A loss of one example: weights, a row of features, a label. */
  private static final Fn LOSS =
      in -> {
        Tensor h = in.get(1).reshape(1, 3).matmul(in.get(0)).tanh();
        return List.of(h.logSoftmax(-1).reshape(4).gather(in.get(2)).neg());
      };

  private static final Tensor W = ANY.make(TensorType.of(DType.F64, 3, 4), 1);
  private static final Tensor X = ANY.make(TensorType.of(DType.F64, 5, 3), 2);
  private static final Tensor LABELS = Tensor.of(new int[] {0, 3, 1, 1, 2}, 5);
  private static final List<Integer> SHARED_WEIGHTS = Arrays.asList(null, 0, 0);

  private static Tensor[] all() {
    return new Tensor[] {W, X, LABELS};
  }

  private static List<Tensor> loop(Fn f, List<Integer> in, int n, Tensor... args) {
    List<TensorType> one = new ArrayList<>();
    for (int i = 0; i < args.length; i++) {
      Tensor t = args[i];
      one.add(in.get(i) == null ? t.type() : Examples.take(t, in.get(i), 0).type());
    }
    List<TensorType> results = Jit.graph(f, one).outputTypes();
    Fn run = x -> Runs.reference(f, x.toArray(Tensor[]::new));
    List<Integer> out = Collections.nCopies(results.size(), 0);
    return Examples.loop(run, List.of(args), in, out, n, results);
  }

  private static void same(List<Tensor> expected, List<Tensor> actual) {
    assertEquals(expected.size(), actual.size());
    for (int i = 0; i < expected.size(); i++) {
      assertEquals(null, new Tolerance(16, 16).difference(expected.get(i), actual.get(i)));
    }
  }

  @Test
  void gradientsOfEachExample() {
    Fn each = Grad.valueAndGrad(LOSS, 0, 1);
    List<Tensor> expected = loop(each, SHARED_WEIGHTS, 5, all());
    Fn mapped = Vmap.vmap(each, SHARED_WEIGHTS);
    assertEquals(Shape.of(5, 3, 4), expected.get(1).shape());
    same(expected, Runs.reference(mapped, all()));
    same(expected, mapped.apply(List.of(all())));
    same(expected, Jit.jit(mapped).apply(List.of(all())));
  }

  @Test
  void theGradientOfAMappedFunctionIsTheSumOverExamples() {
    Fn total = in -> List.of(Vmap.vmap(LOSS, SHARED_WEIGHTS).apply(in).get(0).sum());
    Tensor each = loop(Grad.grad(LOSS, 0), SHARED_WEIGHTS, 5, all()).get(0);
    same(
        Runs.reference(x -> List.of(x.get(0).sum(0)), each),
        Runs.reference(Grad.grad(total, 0), all()));
    assertEquals(null, GradCheck.first(total, List.of(all())));
    assertEquals(null, GradCheck.second(total, List.of(all())));
  }

  @Test
  void mapsNest() {
    Fn f = in -> List.of(in.get(0).mul(in.get(1)).sum(), in.get(0).max());
    Tensor a = ANY.make(TensorType.of(DType.F64, 2, 3), 3);
    Tensor b = ANY.make(TensorType.of(DType.F64, 3, 4), 4);
    Fn inner = Vmap.vmap(f, Arrays.asList(null, -1)); // all columns of b
    Fn outer = Vmap.vmap(inner, Arrays.asList(0, null)); // all rows of a
    List<Tensor> r = Runs.reference(outer, a, b);
    same(Runs.reference(in -> List.of(in.get(0).matmul(in.get(1))), a, b), r.subList(0, 1));
    assertEquals(Shape.of(2, 4), r.get(1).shape());
    same(loop(inner, Arrays.asList(0, null), 2, a, b), r);
  }

  @Test
  void compilesWithADirectionInside() {
    Fn f =
        in -> {
          Fn g = w -> LOSS.apply(List.of(w.get(0), in.get(0), in.get(1)));
          return Jvp.jvp(g, List.of(W), List.of(in.get(2))).tangents();
        };
    Tensor directions = ANY.make(TensorType.of(DType.F64, 5, 3, 4), 5);
    List<Integer> first = List.of(0, 0, 0);
    List<Tensor> expected = loop(f, first, 5, X, LABELS, directions);
    same(expected, Jit.jit(Vmap.vmap(f)).apply(List.of(X, LABELS, directions)));
  }

  @Test
  void keysAreMapped() {
    Key key = Key.of(7);
    List<Key> keys = key.split(4);
    Tensor words =
        Examples.stack(keys.stream().map(Key::tensor).toList(), TensorType.of(DType.I32, 2), 0);
    Fn draw = Fn.of(k -> Random.normal(new Key(k), Shape.of(3)));
    same(loop(draw, List.of(0), 4, words), Runs.reference(Vmap.vmap(draw), words));
  }

  @Test
  void whatIsSharedIsComputedOnce() {
    Fn f = in -> List.of(in.get(1).add(in.get(0).exp()), in.get(0).exp());
    Fn mapped = Vmap.vmap(f, Arrays.asList(null, 0), Arrays.asList(0, null));
    Graph g =
        Jit.graph(mapped, List.of(TensorType.of(DType.F32, 3), TensorType.of(DType.F32, 9, 3)));
    assertEquals(List.of(Shape.of(9, 3), Shape.of(3)), shapes(g));
    for (Graph.Equation e : g.equations()) {
      assertTrue(!e.op().name().equals("exp") || e.type().shape().rank() == 1, g::toString);
    }
    Tensor x = Runs.reference(Vmap.vmap(Fn.of(t -> Tensor.scalar(DType.F32, 2))), W).get(0);
    assertArrayEquals(new float[] {2, 2, 2}, x.toFloats());
  }

  @Test
  void aSharedMatrixIsOneProduct() {
    Fn f = in -> List.of(in.get(0).reshape(1, 3).matmul(in.get(1)).reshape(4));
    Graph g = Jit.graph(Vmap.vmap(f, Arrays.asList(0, null)), List.of(X.type(), W.type()));
    Graph.Equation product =
        g.equations().stream().filter(e -> e.op().name().equals("matmul")).findFirst().get();
    assertEquals(TensorType.of(DType.F64, 5, 4), product.type(), g::toString);
  }

  @Test
  void indicesOutsideAreFoundInEveryExample() {
    Fn f = in -> List.of(in.get(0).gather(in.get(1)));
    Tensor table = ANY.make(TensorType.of(DType.F32, 2, 3), 1);
    for (int bad : new int[] {3, -1, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
      for (int at = 0; at < 2; at++) {
        int[] ids = {0, 0};
        ids[at] = bad;
        assertThrows(
            IndexOutOfBoundsException.class,
            () -> Runs.reference(Vmap.vmap(f), table, Tensor.of(ids, 2)));
      }
    }
  }

  private static List<Shape> shapes(Graph g) {
    return g.outputTypes().stream().map(TensorType::shape).toList();
  }

  /** Whole programs, operands mapped in all ways, against the loop. */
  @Test
  void randomProgramsEqualTheLoop() {
    List<String> wrong = new ArrayList<>();
    int compared = 0;
    for (int seed = 0; seed < 400 && wrong.size() < 3; seed++) {
      RandomProgram p = new RandomProgram(seed);
      Graph g = p.graph();
      int n = 1 + seed % 3;
      List<Integer> axes = new ArrayList<>();
      List<Tensor> in = new ArrayList<>();
      for (int i = 0; i < g.inputs().size(); i++) {
        Tensor x = p.inputs().get(i);
        boolean shared = i > 0 && (seed >> i & 1) == 1;
        axes.add(shared ? null : (seed + i) % 2 == 0 ? Integer.valueOf(0) : Integer.valueOf(-1));
        in.add(shared ? x : Examples.stack(Collections.nCopies(n, x), x.type(), axes.get(i)));
      }
      // the examples differ: each is a part of the values of one tensor
      in.replaceAll(x -> varied(x, p));
      List<Integer> out = Collections.nCopies(g.outputs().size(), 0);
      Fn run = x -> Runs.on(Backends.reference(), g, x);
      List<Tensor> expected = Examples.loop(run, in, axes, out, n, g.outputTypes());
      List<Tensor> actual =
          Runs.reference(Vmap.vmap(g::call, axes, out), in.toArray(Tensor[]::new));
      for (int i = 0; i < expected.size(); i++) {
        compared++;
        String d = p.tolerances().get(i).difference(expected.get(i), actual.get(i));
        if (d != null) {
          wrong.add("seed " + seed + ", result " + i + ", axes " + axes + ": " + d + "\n" + g);
        }
      }
    }
    assertEquals("", String.join("\n", wrong));
    assertTrue(compared > 1000, compared + " results");
  }

  private static Tensor varied(Tensor x, RandomProgram p) {
    Values v = x.dtype() == DType.I32 ? Values.range(-20, 20) : Values.range(-2, 2);
    return v.make(x.type(), 99 + x.shape().rank());
  }

  @Test
  void refusesWhatCannotBeMapped() {
    Fn f = in -> List.of(in.get(0).add(in.get(1)));
    Tensor a = Tensor.zeros(DType.F32, 3, 2);
    Tensor b = Tensor.zeros(DType.F32, 4, 2);
    assertEquals(
        "vmap: mapped axes must have one size: axis 0 of f32[3, 2], operand 0, has 3, axis 0 of"
            + " f32[4, 2], operand 1, has 4; map other axes, or null for what all examples share",
        refusal(Vmap.vmap(f), a, b));
    assertEquals(
        "vmap: axis of an operand must lie in [-2, 2): axis 2 of f32[3, 2]; name an existing axis",
        refusal(Vmap.vmap(f, List.of(2, 0)), a, b));
    assertEquals(
        "vmap: axis of an operand must lie in [-0, 0): axis 0 of f32[]; name an existing axis",
        refusal(Vmap.vmap(Fn.of(Tensor::neg)), Tensor.scalar(DType.F32, 1)));
    assertEquals(
        "vmap: at least one operand must be mapped: inAxes [null, null]; name an axis, or call the"
            + " function itself",
        refusal(Vmap.vmap(f, Arrays.asList(null, null)), a, a));
    assertEquals(
        "vmap: inAxes must have an axis or null for each operand: [0] for 2 operands; add or remove"
            + " some",
        refusal(Vmap.vmap(f, List.of(0)), a, a));
    assertEquals(
        "vmap: outAxes must have an axis or null for each result: [0, 0] for 1 results; add or"
            + " remove some",
        refusal(Vmap.vmap(f, List.of(0, 0), List.of(0, 0)), a, a));
    assertEquals(
        "vmap: axis of a result with the mapped axis must lie in [-2, 2): axis -3 of f32[2]; name"
            + " an existing axis",
        refusal(Vmap.vmap(f, List.of(0, 0), List.of(-3)), a, a));
    assertEquals(
        "vmap: only a result that is the same for all examples may have no axis: result 0, f32[2],"
            + " is not; name its place in outAxes",
        refusal(Vmap.vmap(f, List.of(0, 0), Arrays.asList((Integer) null)), a, a));
    String inside = refusal(Vmap.vmap(f, List.of(0, 1)), Tensor.zeros(DType.F32, 2, 3), b);
    assertTrue(inside.startsWith("add: shapes must broadcast"), inside); // the user's own call
  }

  /** A loop is traced for the examples once a round, whatever is inside it. */
  @Test
  void loopsInLoopsAreMappedInTime() {
    Tensor x = Tensor.of(new double[] {1, 2}, 2);
    Fn shared = Fn.of(t -> nested(25, t, Tensor.scalar(DType.F64, 0)));
    Fn own = Fn.of(t -> nested(25, t, t));
    assertTimeoutPreemptively(
        Duration.ofSeconds(30),
        () -> {
          assertArrayEquals(new double[] {1, 2}, Vmap.vmap(shared).call(x).toDoubles());
          assertArrayEquals(new double[] {2, 4}, Vmap.vmap(own).call(x).toDoubles());
        });
  }

  private static Tensor nested(int depth, Tensor x, Tensor start) {
    Control.CountedStep body =
        (i, c) -> List.of(depth == 0 ? c.get(0).add(x) : nested(depth - 1, x, c.get(0)));
    return Control.foriLoop(0, 1, body, List.of(start)).get(0);
  }

  @Test
  void conditionalLoopsInLoopsAreMappedInTime() {
    Tensor x = Tensor.of(new double[] {1, 2}, 2);
    assertTimeoutPreemptively(
        Duration.ofSeconds(30),
        () ->
            assertArrayEquals(
                new double[] {2, 4}, Vmap.vmap(Fn.of(t -> once(25, t))).call(x).toDoubles()));
  }

  /** Twice x, in loops that all end after one round. */
  private static Tensor once(int depth, Tensor x) {
    return Control.whileLoop(
            c -> List.of(c.get(0).less(1)),
            c -> List.of(c.get(0).add(1), depth == 0 ? c.get(1).mul(2) : once(depth - 1, c.get(1))),
            List.of(Tensor.scalar(DType.I32, 0), x))
        .get(1);
  }

  private static String refusal(Fn f, Tensor... args) {
    return assertThrows(IllegalArgumentException.class, () -> f.apply(List.of(args))).getMessage();
  }
}
