package io.fragua.transform;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.Backends;
import io.fragua.graph.Graph;
import io.fragua.graph.GraphJson;
import io.fragua.tensor.DType;
import io.fragua.tensor.ShapeException;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.Examples;
import io.fragua.testing.GradCheck;
import io.fragua.testing.Runs;
import io.fragua.testing.Tolerance;
import io.fragua.testing.Values;
import io.fragua.transform.Control.Scan;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Branches and loops against the same written out in Java, under every transform. */
class ControlTest {
  /** A function with a loop or branch, the same without, and operands in f64. */
  private record Case(Fn loop, Fn plain, List<Tensor> in) {}

  private static Tensor f64(long seed, int... dims) {
    return Values.range(-1, 1).make(TensorType.of(DType.F64, dims), seed);
  }

  private static Tensor row(Tensor xs, int i) {
    return xs.slice(0, i, i + 1).reshape(xs.shape().without(0).dims());
  }

  private static Tensor stack(List<Tensor> rows) {
    return io.fragua.tensor.Movement.concat(0, rows.stream().map(r -> r.expandDims(0)).toList());
  }

  private static Fn written(Control.Step f, int carries, int length, boolean reverse) {
    return in -> {
      List<Tensor> carry = in.subList(0, carries);
      List<List<Tensor>> ys = new ArrayList<>(Collections.nCopies(length, null));
      for (int s = 0; s < length; s++) {
        int i = reverse ? length - 1 - s : s;
        Scan step =
            f.apply(carry, in.subList(carries, in.size()).stream().map(x -> row(x, i)).toList());
        carry = step.carry();
        ys.set(i, step.ys());
      }
      List<Tensor> out = new ArrayList<>(carry);
      for (int k = 0; k < ys.get(0).size(); k++) {
        int result = k;
        out.add(stack(ys.stream().map(y -> y.get(result)).toList()));
      }
      return out;
    };
  }

  private static Fn looped(Control.Step f, int carries, int length, boolean reverse) {
    return in -> {
      Scan s =
          Control.scan(f, in.subList(0, carries), in.subList(carries, in.size()), length, reverse);
      List<Tensor> out = new ArrayList<>(s.carry());
      out.addAll(s.ys());
      return out;
    };
  }

  private static void scan(
      Map<String, Case> all, String name, Control.Step f, int carries, int length, Tensor... in) {
    for (boolean reverse : new boolean[] {false, true}) {
      all.put(
          name + (reverse ? ", reversed" : ""),
          new Case(
              looped(f, carries, length, reverse),
              written(f, carries, length, reverse),
              List.of(in)));
    }
  }

  private static Map<String, Case> cases() {
    Map<String, Case> all = new TreeMap<>();
    scan(
        all,
        "running sum",
        (c, x) -> new Scan(List.of(c.get(0).add(x.get(0))), List.of(c.get(0).mul(x.get(0)))),
        1,
        4,
        f64(1, 3),
        f64(2, 4, 3));
    Tensor w = f64(3, 3, 3);
    scan(
        all,
        "recurrent",
        (c, x) -> {
          Tensor h = c.get(0).matmul(w).add(x.get(0)).tanh();
          return new Scan(List.of(h), List.of(h, h.square().sum()));
        },
        1,
        3,
        f64(4, 2, 3),
        f64(5, 3, 2, 3));
    scan(
        all,
        "two carries exchanged, one not used",
        (c, x) ->
            new Scan(List.of(c.get(1), c.get(0).sin(), c.get(2)), List.of(x.get(1).mul(x.get(0)))),
        3,
        3,
        f64(6, 2),
        f64(7, 2),
        f64(8, 2),
        f64(9, 3, 2),
        f64(10, 3, 2));
    scan(
        all,
        "no carry",
        (c, x) -> new Scan(List.of(), List.of(x.get(0).exp())),
        0,
        3,
        f64(1, 3, 2));
    scan(
        all,
        "ys that are operands",
        (c, x) -> new Scan(List.of(x.get(0)), List.of(c.get(0), x.get(0), x.get(0))),
        1,
        3,
        f64(11, 2),
        f64(12, 3, 2));
    Fn captured =
        in -> {
          Tensor m = in.get(1).tanh();
          return looped(
                  (c, x) -> {
                    Tensor h = c.get(0).matmul(m).mul(in.get(2)).add(x.get(0));
                    return new Scan(List.of(h), List.of(h.matmul(w)));
                  },
                  1,
                  3,
                  false)
              .apply(List.of(in.get(0), in.get(3)));
        };
    Fn plain =
        in -> {
          Tensor m = in.get(1).tanh();
          return written(
                  (c, x) -> {
                    Tensor h = c.get(0).matmul(m).mul(in.get(2)).add(x.get(0));
                    return new Scan(List.of(h), List.of(h.matmul(w)));
                  },
                  1,
                  3,
                  false)
              .apply(List.of(in.get(0), in.get(3)));
        };
    all.put(
        "captured",
        new Case(captured, plain, List.of(f64(1, 2, 3), f64(2, 3, 3), f64(3, 3), f64(4, 3, 2, 3))));
    all.put("nested", new Case(nested(true), nested(false), List.of(f64(1, 3), f64(2, 2, 4, 3))));
    for (double p : new double[] {-1, 1}) {
      Fn yes = t -> List.of(t.get(0).mul(t.get(1)), t.get(0).sum());
      Fn no = t -> List.of(t.get(1).sin(), t.get(1).square().sum());
      all.put(
          "cond " + p,
          new Case(
              t -> {
                Tensor c = t.get(2).sum().mul(0).add(p).greater(0);
                Tensor k = t.get(2).exp();
                Fn first = v -> yes.apply(List.of(v.get(0).mul(k), v.get(1)));
                return Control.cond(c, first, no, t.get(0), t.get(1));
              },
              t -> {
                Tensor k = t.get(2).exp();
                return p > 0 ? yes.apply(List.of(t.get(0).mul(k), t.get(1))) : no.apply(t);
              },
              List.of(f64(1, 3), f64(2, 3), f64(3, 3))));
    }
    all.put(
        "foriLoop",
        new Case(
            t -> Control.foriLoop(2, 5, (i, v) -> List.of(v.get(0).mul(i.cast(DType.F64))), t),
            t -> List.of(t.get(0).mul(24)),
            List.of(f64(1, 3))));
    all.put(
        "map",
        new Case(
            t -> Control.map(x -> List.of(x.get(0).square().sum()), t.get(0)),
            t -> List.of(t.get(0).square().sum(1)),
            List.of(f64(1, 4, 3))));
    return all;
  }

  /** A loop in a loop, with a branch in it. */
  private static Fn nested(boolean loop) {
    Control.Step inner =
        (c, x) -> {
          Tensor big = c.get(0).sum().greater(0);
          Tensor a = c.get(0).mul(x.get(0));
          Tensor b = c.get(0).sin().sub(x.get(0));
          Tensor h =
              loop
                  ? Control.cond(
                          big, t -> List.of(t.get(0).mul(x.get(0))), t -> List.of(b), c.get(0))
                      .get(0)
                  : big.select(a, b);
          return new Scan(List.of(h), List.of(h.sum()));
        };
    Control.Step outer =
        (c, x) -> {
          List<Tensor> r =
              (loop ? looped(inner, 1, 4, true) : written(inner, 1, 4, true))
                  .apply(List.of(c.get(0), x.get(0)));
          return new Scan(List.of(r.get(0)), List.of(r.get(1)));
        };
    return loop ? looped(outer, 1, 2, false) : written(outer, 1, 2, false);
  }

  private static void same(List<Tensor> expected, List<Tensor> actual, String who) {
    assertEquals(expected.size(), actual.size(), who);
    for (int i = 0; i < expected.size(); i++) {
      assertNull(new Tolerance(64, 64).difference(expected.get(i), actual.get(i)), who + " " + i);
    }
  }

  @TestFactory
  Stream<DynamicTest> loopsEqualWhatIsWrittenOut() {
    return cases().entrySet().stream()
        .map(e -> DynamicTest.dynamicTest(e.getKey(), () -> check(e.getValue())));
  }

  private static void check(Case c) {
    Tensor[] in = c.in().toArray(Tensor[]::new);
    List<Tensor> expected = Runs.reference(c.plain(), in);
    same(expected, Runs.reference(c.loop(), in), "reference");
    same(expected, c.loop().apply(c.in()), "eager");
    same(expected, Jit.jit(c.loop()).apply(c.in()), "compiled");
    List<Tensor> cotangents = new ArrayList<>();
    expected.forEach(t -> cotangents.add(Values.range(-1, 1).make(t.type(), cotangents.size())));
    for (int part = 0; part <= expected.size(); part++) { // gradients of all, or of one result
      int only = part;
      Fn plain = x -> back(c.plain(), x, cotangents, only);
      Fn loop = x -> back(c.loop(), x, cotangents, only);
      List<Tensor> g = Runs.reference(plain, in);
      same(g, Runs.reference(loop, in), "gradient");
      same(g, Jit.jit(loop).apply(c.in()), "compiled gradient");
      same(g, loop.apply(c.in()), "eager gradient");
    }
    Fn jvp = x -> Jvp.jvp(c.loop(), x, c.in()).tangents();
    List<Tensor> t = Runs.reference(x -> Jvp.jvp(c.plain(), x, c.in()).tangents(), in);
    same(t, Runs.reference(jvp, in), "jvp");
    same(t, Jit.jit(jvp).apply(c.in()), "compiled jvp");
    assertNull(GradCheck.second(c.loop(), c.in()));
    Graph g = Jit.graph(x -> back(c.loop(), x, cotangents, 0), types(c.in()));
    Graph read = GraphJson.read(GraphJson.write(g));
    assertEquals(g, read);
    assertEquals(g.hashCode(), read.hashCode());
    assertEquals(g.toString(), read.toString());
    same(Runs.reference(g::call, in), Runs.on(Backends.cpu(), read, c.in()), "saved");
    batch(c, expected);
  }

  private static List<TensorType> types(List<Tensor> in) {
    return in.stream().map(Tensor::type).toList();
  }

  private static List<Tensor> back(Fn f, List<Tensor> x, List<Tensor> g, int only) {
    Vjp v = Vjp.vjp(all -> only == 0 ? f.apply(all) : List.of(f.apply(all).get(only - 1)), x);
    return v.pullBack().apply(only == 0 ? g : List.of(g.get(only - 1)));
  }

  /** Each operand mapped alone, and all of them. */
  private static void batch(Case c, List<Tensor> one) {
    int k = c.in().size();
    for (int m = 0; m <= k; m++) {
      List<Integer> axes = new ArrayList<>();
      List<Tensor> in = new ArrayList<>();
      for (int i = 0; i < k; i++) {
        boolean mapped = m == i || m == k;
        axes.add(mapped ? 0 : null);
        TensorType t = c.in().get(i).type();
        in.add(
            mapped
                ? Values.range(-1, 1)
                    .make(t.with(io.fragua.tensor.Shape.of(3).concat(t.shape())), i)
                : c.in().get(i));
      }
      List<Integer> out = Collections.nCopies(one.size(), 0);
      List<Tensor> expected = Examples.loop(c.plain(), in, axes, out, 3, types(one));
      Fn f = Vmap.vmap(c.loop(), axes);
      same(expected, Runs.reference(f, in.toArray(Tensor[]::new)), "vmap " + axes);
      same(expected, Jit.jit(f).apply(in), "compiled vmap " + axes);
      Fn g = Grad.grad(squares(f));
      List<Tensor> slopes =
          Runs.reference(Grad.grad(squares(Vmap.vmap(c.plain(), axes))), in.toArray(Tensor[]::new));
      same(slopes, Runs.reference(g, in.toArray(Tensor[]::new)), "gradient of vmap " + axes);
    }
  }

  private static Fn squares(Fn f) {
    return x -> {
      Tensor sum = null;
      for (Tensor y : f.apply(x)) {
        sum = sum == null ? y.square().sum() : sum.add(y.square().sum());
      }
      return List.of(sum);
    };
  }

  /** Collatz: how many steps to 1. */
  private static List<Tensor> collatz(List<Tensor> x) {
    Tensor one = Tensor.scalar(DType.I32, 1);
    return Control.whileLoop(
        v -> List.of(v.get(0).notEqual(one)),
        v -> {
          Tensor n = v.get(0);
          Tensor odd = n.and(one).equal(one);
          return List.of(odd.select(n.mul(3).add(1), n.div(2)), v.get(1).add(1));
        },
        List.of(x.get(0), x.get(0).mul(0)));
  }

  @Test
  void loopsGoOnUntilTheConditionFails() {
    int[] starts = {1, 2, 3, 7, 27};
    int[] steps = {0, 1, 7, 16, 111};
    for (int i = 0; i < starts.length; i++) {
      Tensor n = Tensor.of(new int[] {starts[i]});
      assertEquals(steps[i], collatz(List.of(n)).get(1).item());
      assertEquals(steps[i], Jit.jit(ControlTest::collatz).apply(List.of(n)).get(1).item());
      assertEquals(steps[i], Runs.reference(ControlTest::collatz, n).get(1).item());
    }
    Fn each = Vmap.vmap(ControlTest::collatz);
    Tensor all = Tensor.of(starts, 5);
    assertArrayEquals(steps, Runs.reference(each, all).get(1).toInts());
    assertArrayEquals(steps, Jit.jit(each).apply(List.of(all)).get(1).toInts());
    // the number of steps is the same for all examples
    Fn powers =
        Fn.of(
            (x, n) ->
                Control.whileLoop(
                        v -> List.of(v.get(0).less(n)),
                        v -> List.of(v.get(0).add(1), v.get(1).mul(x)),
                        List.of(Tensor.scalar(DType.I32, 0), Tensor.scalar(DType.F64, 1)))
                    .get(1));
    Tensor bases = Tensor.of(new double[] {2, 3, -1}, 3);
    Fn mapped = Vmap.vmap(powers, Arrays.asList(0, null));
    Tensor five = Tensor.scalar(DType.I32, 5);
    assertArrayEquals(new double[] {32, 243, -1}, Jit.jit(mapped).call(bases, five).toDoubles());
    Fn both = Vmap.vmap(powers, Arrays.asList(0, 0));
    Tensor n = Tensor.of(new int[] {0, 2, 3}, 3);
    assertArrayEquals(new double[] {1, 9, -1}, Jit.jit(both).call(bases, n).toDoubles());
    assertArrayEquals(new double[] {1, 9, -1}, Runs.eval(both, bases, n).toDoubles());
  }

  @Test
  void gradientsOfLoopsWithoutEndAreRefused() {
    Fn f =
        Fn.of(
            x ->
                Control.whileLoop(
                        v -> List.of(v.get(0).less(10)), v -> List.of(v.get(0).mul(2)), List.of(x))
                    .get(0));
    Tensor one = Tensor.scalar(DType.F64, 1);
    assertEquals(16, f.call(one).item());
    String m =
        assertThrows(IllegalArgumentException.class, () -> Grad.grad(f).call(one)).getMessage();
    assertTrue(m.startsWith("while_loop: has no derivative, for the number of its steps"), m);
    // counting alone has no gradient to lose
    Fn counted =
        Fn.of(x -> x.mul(collatz(List.of(Tensor.of(new int[] {7}))).get(1).cast(DType.F64)));
    assertEquals(16, Grad.grad(counted).call(one).item());
    Fn stopped = Fn.of(x -> x.mul(f.call(x.stopGradient())));
    assertEquals(16, Grad.grad(stopped).call(one).item());
  }

  @Test
  void oneBranchIsRun() {
    // the other would never end
    Fn forever =
        x -> Control.whileLoop(v -> List.of(v.get(0).equal(v.get(0))), v -> v, List.of(x.get(0)));
    Fn f = x -> Control.cond(x.get(0).greater(0), t -> List.of(t.get(0).neg()), forever, x.get(0));
    assertEquals(-2, f.call(Tensor.scalar(DType.F32, 2)).item());
    assertEquals(-2, Jit.jit(f).call(Tensor.scalar(DType.F32, 2)).item());
  }

  @Test
  void noStepsGiveTheStart() {
    Fn f =
        x ->
            looped(
                    (c, r) -> new Scan(List.of(c.get(0).add(r.get(0))), List.of(c.get(0))),
                    1,
                    0,
                    false)
                .apply(x);
    List<Tensor> in = List.of(f64(1, 3), f64(1, 0, 3));
    for (Fn g : List.<Fn>of(f, Jit.jit(f), x -> Runs.reference(f, x.toArray(Tensor[]::new)))) {
      assertArrayEquals(in.get(0).toDoubles(), g.apply(in).get(0).toDoubles());
      assertEquals(TensorType.of(DType.F64, 0, 3), g.apply(in).get(1).type());
    }
    Tensor slope = Jit.jit(Grad.grad(x -> List.of(f.apply(x).get(0).sum()), 0)).apply(in).get(0);
    assertArrayEquals(new double[] {1, 1, 1}, slope.toDoubles());
  }

  @Test
  void errorsAreTheUsers() {
    Tensor x = Tensor.zeros(DType.F32, 4, 3);
    Tensor h = Tensor.zeros(DType.F32, 3);
    Map<String, org.junit.jupiter.api.function.Executable> wrong = new TreeMap<>();
    wrong.put(
        "scan: a step must keep the types of the carry: [f32[3]] become [f64[3]]; cast or reshape",
        () ->
            Control.scan(
                (c, r) -> new Scan(List.of(c.get(0).cast(DType.F64)), List.of()),
                List.of(h),
                List.of(x)));
    wrong.put(
        "scan: a step must keep the types of the carry: [f32[3]] become []; cast or reshape",
        () -> Control.scan((c, r) -> new Scan(List.of(), r), List.of(h), List.of(x)));
    wrong.put(
        "scan: what is scanned over must have one row a step: f32[3] for 4 steps",
        () -> Control.scan((c, r) -> new Scan(c, r), List.of(), List.of(x, h)));
    wrong.put(
        "scan: what is scanned over must have one row a step: f32[]; give it",
        () -> Control.scan((c, r) -> new Scan(c, r), List.of(h), List.of(h.sum())));
    wrong.put(
        "scan: length must be given when nothing is scanned over",
        () -> Control.scan((c, r) -> new Scan(c, r), List.of(h), List.of()));
    wrong.put(
        "scan: length must not be negative: -1",
        () -> Control.scan((c, r) -> new Scan(c, r), List.of(h), List.of(), -1, false));
    wrong.put(
        "scan: a step must give something",
        () -> Control.scan((c, r) -> new Scan(c, List.of()), List.of(), List.of(x)));
    wrong.put(
        "cond: the condition must be a bool scalar: bool[3]; compare or reduce it",
        () -> Control.cond(h.greater(0), a -> a, a -> a, h));
    wrong.put(
        "cond: both functions must give the same types: [f32[3]] and [f32[]]; cast",
        () -> Control.cond(h.sum().greater(0), a -> a, a -> List.of(h.sum()), h));
    wrong.put(
        "while_loop: the condition must be one bool scalar: [bool[3]]",
        () -> Control.whileLoop(v -> List.of(v.get(0).greater(0)), v -> v, List.of(h)));
    wrong.put(
        "while_loop: a step must keep the types of the values: [f32[3]] become [f32[]]",
        () ->
            Control.whileLoop(
                v -> List.of(v.get(0).sum().greater(0)), v -> List.of(v.get(0).sum()), List.of(h)));
    wrong.forEach(
        (text, call) -> {
          String m = assertThrows(ShapeException.class, call).getMessage();
          assertTrue(m.startsWith(text), m);
        });
  }
}
