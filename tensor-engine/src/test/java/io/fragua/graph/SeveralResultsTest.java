package io.fragua.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.op.OpTable;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.ShapeException;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.transform.Checkpoint;
import io.fragua.transform.CustomVjp;
import io.fragua.transform.Fn;
import io.fragua.transform.Grad;
import io.fragua.transform.Jit;
import io.fragua.transform.Jvp;
import io.fragua.transform.Vjp;
import io.fragua.transform.Vmap;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Equations with several results, from tracing to running. */
class SeveralResultsTest {
  private static final Tensor X = Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 6);

  /** The square of the first part, the middle twice; the last part is not used. */
  private static List<Tensor> parts(List<Tensor> x) {
    List<Tensor> p = x.get(0).split(0, 2, 3, 1);
    return List.of(p.get(1).mul(2), p.get(0).square().sum());
  }

  private static Graph graph() {
    return Tracer.trace(List.of(new Graph.Input("x", X.type())), SeveralResultsTest::parts);
  }

  @Test
  void valuesAreNumberedResultByResult() {
    Graph g = graph();
    assertEquals(
        """
        graph (x %0: f32[6]) {
          %1 = constant f32[] {2.0}
          %2: f32[2], %3: f32[3], %4: f32[1] = split(%0) {axis=0, sizes=[2, 3, 1]}
          %5: f32[3] = broadcast_in_dim(%1) {dims=[], shape=[3]}
          %6: f32[3] = mul(%3, %5)
          %7: f32[2] = mul(%2, %2)
          %8: f32[] = reduce_sum(%7) {axes=[0]}
          return out0 %6, out1 %8
        }
        """,
        g.toString());
    assertEquals(9, g.values());
    for (int v = 2; v <= 4; v++) {
      assertEquals("split", g.definition(v).op().name());
      assertEquals(v - 2, g.result(v));
      assertEquals(g.definition(v).types().get(v - 2), g.type(v));
    }
    assertEquals("mul", g.definition(6).op().name());
    assertEquals(0, g.result(6));
    assertEquals(TensorType.of(DType.F32), g.type(8));
  }

  @Test
  void oneUseIsOneEquationInWhateverOrderItsResultsAreUsed() {
    Graph g =
        Tracer.trace(
            List.of(new Graph.Input("x", X.type())),
            in -> {
              List<Tensor> p = in.get(0).split(0, 1, 5);
              List<Tensor> other = in.get(0).split(0, 1, 5);
              return List.of(p.get(1), p.get(0).add(other.get(0)), p.get(1).neg());
            });
    assertEquals(2, g.equations().stream().filter(e -> e.op().name().equals("split")).count());
    List<Tensor> y = g.call(List.of(X));
    assertArrayEquals(new float[] {2, 3, 4, 5, 6}, y.get(0).toFloats());
    assertArrayEquals(new float[] {2}, y.get(1).toFloats());
    assertArrayEquals(new float[] {-2, -3, -4, -5, -6}, y.get(2).toFloats());
  }

  @Test
  void someResultsMayBeCaptured() {
    Fn f =
        x -> {
          List<Tensor> p = x.get(0).split(0, 3, 2, 1);
          Fn inner = Fn.of(t -> t.mul(p.get(2)).mul(p.get(0).sum()).sum());
          return List.of(Grad.grad(inner).call(p.get(1)).sum());
        };
    // both elements of the middle have the slope 6 * (1 + 2 + 3)
    assertEquals(72, f.call(X).item());
    assertEquals(72, Jit.jit(f).call(X).item());
    // 2 * last * sum(first)
    assertArrayEquals(new float[] {12, 12, 12, 0, 0, 12}, Grad.grad(f).call(X).toFloats());
  }

  @Test
  void gradientsOfSomeResultsAreEnough() {
    Fn f = x -> List.of(parts(x).get(1));
    assertArrayEquals(new float[] {2, 4, 0, 0, 0, 0}, Grad.grad(f).call(X).toFloats());
    Graph g = Jit.graph(Grad.grad(f), List.of(X.type()));
    assertEquals(1, g.equations().stream().filter(e -> e.op().name().equals("concat")).count());
  }

  @Test
  void transformsSeeAllResults() {
    Fn f = SeveralResultsTest::parts;
    Jvp forward = Jvp.jvp(f, List.of(X), List.of(Tensor.of(new float[] {1, 1, 1, 1, 1, 1}, 6)));
    assertArrayEquals(new float[] {2, 2, 2}, forward.tangents().get(0).toFloats());
    assertEquals(6, forward.tangents().get(1).item());
    Tensor two = Tensor.of(new float[] {1, 2, 3, 4, 5, 6, 6, 5, 4, 3, 2, 1}, 2, 6);
    List<Tensor> each = Vmap.vmap(f).apply(List.of(two));
    assertArrayEquals(new float[] {6, 8, 10, 8, 6, 4}, each.get(0).toFloats());
    assertArrayEquals(new float[] {5, 61}, each.get(1).toFloats());
    List<Tensor> g = List.of(Tensor.of(new float[] {1, 2, 3}, 3), Tensor.scalar(DType.F32, 1));
    float[] slope = {2, 4, 2, 4, 6, 0};
    for (Fn same :
        List.<Fn>of(
            f,
            Jit.jit(f),
            Checkpoint.checkpoint(f),
            CustomVjp.customVjp(f, (in, c) -> Vjp.vjp(f, in).pullBack().apply(c)))) {
      assertArrayEquals(slope, Vjp.vjp(same, X).pullBack().apply(g).get(0).toFloats());
      Fn compiled = Jit.jit(in -> Vjp.vjp(same, in.get(0)).pullBack().apply(in.subList(1, 3)));
      assertArrayEquals(slope, compiled.call(X, g.get(0), g.get(1)).toFloats());
    }
  }

  @Test
  void textsHaveAllResults() {
    Graph back = GraphJson.read(GraphJson.write(graph()));
    assertEquals(graph().toString(), back.toString());
    List<String[]> damaged =
        List.of(
            new String[] {
              "\"shape\" : [ 3 ]", "\"shape\" : [ 4 ]", "stated [f32[2], f32[4], f32[1]]"
            },
            new String[] {"\"results\"", "\"result\"", "\"dtype\" must be a text"},
            new String[] {"\"results\" : [ {", "\"results\" : [ 7, {", "\"dtype\" must be a text"});
    for (String[] d : damaged) {
      String text =
          GraphJson.write(graph()).replaceFirst(java.util.regex.Pattern.quote(d[0]), d[1]);
      String m =
          assertThrows(IllegalArgumentException.class, () -> GraphJson.read(text)).getMessage();
      assertTrue(m.contains(d[2]), m);
    }
  }

  @Test
  void oneResultIsNotTakenForAll() {
    Attrs a = Attrs.of("axis", 0).with("sizes", new int[] {2, 4});
    for (List<Tensor> in : List.of(List.of(X), List.of(Tensor.input(X.type())))) {
      String m =
          assertThrows(
                  IllegalArgumentException.class, () -> Tensor.apply(OpTable.get("split"), a, in))
              .getMessage();
      assertEquals(
          "split: one result is asked for, there are several: [f32[2], f32[4]]; ask for all", m);
    }
    assertThrows(IllegalArgumentException.class, () -> graph().equations().get(0).type());
  }

  @Test
  void piecesMustAddUp() {
    for (int[] sizes :
        new int[][] {{}, {5}, {7}, {7, -1}, {Integer.MAX_VALUE, Integer.MAX_VALUE}}) {
      String m = assertThrows(ShapeException.class, () -> X.split(0, sizes)).getMessage();
      assertTrue(m.startsWith("split: sizes must add up to that of the axis: ["), m);
    }
  }
}
