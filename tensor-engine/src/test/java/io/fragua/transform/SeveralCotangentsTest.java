package io.fragua.transform;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.fragua.graph.Graph;
import io.fragua.tensor.Body;
import io.fragua.tensor.Tensor;
import io.fragua.testing.GradCheck;
import io.fragua.testing.Runs;
import io.fragua.testing.Tolerance;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A function with several results is gone back from once, with the gradients of all of them. */
class SeveralCotangentsTest {
  private static final Tensor X = Tensor.of(new double[] {0.1, 0.2, 0.3}, 3);
  private static final Tensor Y = Tensor.of(new double[] {0.4, 0.5, -0.6}, 3);
  private static final Tolerance CLOSE = new Tolerance(8, 8);

  /** The cotangents of every call of the pull-back. */
  private final List<List<Tensor>> calls = new ArrayList<>();

  private static List<Tensor> three(List<Tensor> in) {
    Tensor t = in.get(0).mul(in.get(1)).tanh();
    return List.of(t.square(), t.sum(), t.exp().mul(in.get(0)));
  }

  private final Fn own =
      CustomVjp.customVjp(
          SeveralCotangentsTest::three,
          (in, g) -> {
            calls.add(g);
            return Vjp.vjp(SeveralCotangentsTest::three, in).pullBack().apply(g);
          });

  private static final Fn FORGETTING = Checkpoint.checkpoint(SeveralCotangentsTest::three);

  /** A number from all three results. */
  private static Fn loss(Fn f) {
    return in -> {
      List<Tensor> r = f.apply(in);
      return List.of(r.get(0).mul(r.get(2)).sum().add(r.get(1).square()));
    };
  }

  private static final Fn PLAIN = loss(SeveralCotangentsTest::three);

  private static Graph graph(Fn f, Tensor... in) {
    return Jit.graph(f, Arrays.stream(in).map(Tensor::type).toList());
  }

  /** How many equations use a row, also in the bodies of loops. */
  private static long uses(Graph g, String op) {
    return g.equations().stream()
        .mapToLong(
            e -> {
              Body body = e.op().name().equals("scan") ? e.attrs().body("body") : null;
              return (e.op().name().equals(op) ? 1 : 0)
                  + (body == null ? 0 : uses((Graph) body, op));
            })
        .sum();
  }

  private static void assertSame(Fn plain, Fn f, Tensor... in) {
    List<Tensor> expected = Runs.reference(plain, in);
    List<Tensor> found = Runs.reference(f, in);
    for (int i = 0; i < expected.size(); i++) {
      assertEquals(null, CLOSE.difference(expected.get(i), found.get(i)), "result " + i);
    }
  }

  @Test
  void thePullBackIsCalledOnce() {
    Graph g = graph(Grad.valueAndGrad(loss(own)), X, Y);
    assertEquals(1, calls.size());
    assertEquals(2, uses(g, "tanh"), g.toString()); // of the function and of the pull-back
    assertSame(Grad.valueAndGrad(PLAIN), Grad.valueAndGrad(loss(own)), X, Y);
  }

  @Test
  void whatIsForgottenIsComputedAgainOnce() {
    Graph g = graph(Grad.valueAndGrad(loss(FORGETTING)), X, Y);
    assertEquals(2, uses(g, "tanh"), g.toString());
    assertSame(Grad.valueAndGrad(PLAIN), Grad.valueAndGrad(loss(FORGETTING)), X, Y);
  }

  @Test
  void aResultThatIsNotUsedHasZeros() {
    Fn second = in -> List.of(own.apply(in).get(1));
    Tensor gradient = Grad.grad(second, 0).call(X, Y);
    List<Tensor> cotangents = calls.get(0);
    assertArrayEquals(new double[3], cotangents.get(0).toDoubles());
    assertEquals(1, cotangents.get(1).item());
    assertArrayEquals(new double[3], cotangents.get(2).toDoubles());
    Tensor expected = Grad.grad(in -> List.of(three(in).get(1)), 0).call(X, Y);
    assertEquals(null, CLOSE.difference(expected, gradient));
    // what is forgotten for the others is not even evaluated
    Graph g = graph(Grad.grad(in -> List.of(FORGETTING.apply(in).get(1)), 0), X, Y);
    assertEquals(0, uses(g, "exp"), g.toString());
  }

  @Test
  void transformsOfItCallItOnceToo() {
    List<Integer> axes = Arrays.asList(0, null);
    Tensor xs = Tensor.of(new double[] {0.1, 0.2, 0.3, -0.4, 0.5, 0.6}, 2, 3);
    for (Fn f : List.of(own, FORGETTING)) {
      Fn each = Vmap.vmap(Grad.grad(loss(f)), axes);
      assertSame(Vmap.vmap(Grad.grad(PLAIN), axes), each, xs, Y);
      Fn inside = in -> List.of(Vmap.vmap(loss(f), axes).apply(in).get(0).sum());
      Fn plain = in -> List.of(Vmap.vmap(PLAIN, axes).apply(in).get(0).sum());
      assertSame(Grad.grad(plain), Grad.grad(inside), xs, Y);
      for (Fn g : List.of(each, Grad.grad(inside))) {
        calls.clear();
        Graph both = graph(g, xs, Y);
        assertEquals(f == own ? 1 : 0, calls.size());
        assertEquals(2, uses(both, "tanh"), both.toString());
      }
      Fn along = in -> Jvp.jvp(loss(f), in, List.of(Y, X)).tangents();
      assertSame(in -> Jvp.jvp(PLAIN, in, List.of(Y, X)).tangents(), along, X, Y);
      assertEquals(null, GradCheck.second(loss(f), List.of(X, Y)));
      calls.clear();
      graph(Grad.grad(in -> List.of(Grad.grad(loss(f), 0).apply(in).get(0).sum())), X, Y);
      assertEquals(f == own ? 2 : 0, calls.size()); // first order, and through the results
    }
  }

  /** A step has a number and a row, gives three results, and is gone back from in the loop. */
  @Test
  void aStepOfALoopCallsItOnce() {
    Fn plain = in -> List.of(loop(SeveralCotangentsTest::three, in));
    for (Fn f : List.of(own, FORGETTING)) {
      Fn looped = in -> List.of(loop(f, in));
      assertSame(Grad.valueAndGrad(plain), Grad.valueAndGrad(looped), X, Y);
      long more = uses(graph(Grad.grad(looped), X, Y), "tanh");
      long once = uses(graph(Grad.grad(in -> List.of(loop(first(f), in))), X, Y), "tanh");
      assertEquals(once, more);
    }
  }

  /** The same with one result that has a gradient. */
  private static Fn first(Fn f) {
    return in -> {
      List<Tensor> r = f.apply(in);
      return List.of(r.get(0), r.get(1).stopGradient(), r.get(2).stopGradient());
    };
  }

  private static Tensor loop(Fn f, List<Tensor> in) {
    return Control.scan(
            (carry, x) -> {
              List<Tensor> r = f.apply(List.of(carry.get(0), in.get(1)));
              Tensor next = r.get(0).add(r.get(1)).add(r.get(2));
              return new Control.Scan(List.of(next), List.of());
            },
            List.of(in.get(0)),
            List.of(),
            4,
            false)
        .carry()
        .get(0)
        .sum();
  }

  @Test
  void eagerGradientsCallItOnce() {
    Tensor x = X.requiresGrad();
    loss(own).call(x, Y).backward();
    assertEquals(1, calls.size());
    Tensor expected = Grad.grad(PLAIN).apply(List.of(X, Y)).get(0);
    assertEquals(null, CLOSE.difference(expected, x.grad()));
    // also where the function was traced before
    x.zeroGrad();
    calls.clear();
    Grad.valueAndGrad(loss(own), 0).apply(List.of(x, Y)).get(0).backward();
    assertEquals(2, calls.size(), "by grad, and by backward");
    assertEquals(null, CLOSE.difference(expected, x.grad()));
  }

  @Test
  void aFunctionMayBeCalledTwiceOnOnePoint() {
    Graph g = graph(loss(own), X, Y);
    Fn onOnePoint = in -> List.of(g.call(in).get(0).add(g.call(in).get(0).square()));
    Fn both = in -> List.of(PLAIN.apply(in).get(0).add(PLAIN.apply(in).get(0).square()));
    assertSame(Grad.grad(both), Grad.grad(onOnePoint), X, Y);
    Tensor x = X.requiresGrad();
    onOnePoint.call(x, Y).backward();
    Tensor sum = Grad.grad(both).apply(List.of(X, Y)).get(0);
    assertEquals(null, CLOSE.difference(sum, x.grad()));
  }
}
