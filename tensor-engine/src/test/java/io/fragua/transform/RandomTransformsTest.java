package io.fragua.transform;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.graph.Graph;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.Examples;
import io.fragua.testing.RandomProgram;
import io.fragua.testing.Runs;
import io.fragua.testing.Values;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Transforms of transforms of whole random programs, those in f64. */
class RandomTransformsTest {
  private static final int PROGRAMS = 300;

  /** A program, with a direction for its operands and a weight for its last result. */
  private record Use(int seed, Graph graph, List<Tensor> in, List<Tensor> direction, Tensor u) {
    /** The last result, always real, and its change along the direction. */
    List<Tensor> forward(List<Tensor> x) {
      int n = in.size();
      Jvp j = Jvp.jvp(this::last, x.subList(0, n), x.subList(n, 2 * n));
      return List.of(j.outputs().get(0), j.tangents().get(0));
    }

    List<Tensor> reverse(List<Tensor> x) {
      return Vjp.vjp(this::last, x.subList(0, in.size())).pullBack().apply(List.of(u));
    }

    List<Tensor> both() {
      List<Tensor> all = new ArrayList<>(in);
      all.addAll(direction);
      return all;
    }

    private List<Tensor> last(List<Tensor> x) {
      List<Tensor> r = graph.call(x);
      return r.subList(r.size() - 1, r.size());
    }
  }

  private static List<Use> uses() {
    List<Use> uses = new ArrayList<>();
    for (int seed = 0; seed < PROGRAMS; seed++) {
      RandomProgram p = new RandomProgram(seed);
      List<TensorType> out = p.graph().outputTypes();
      TensorType last = out.get(out.size() - 1);
      if (last.dtype() != DType.F64) {
        continue;
      }
      List<Tensor> direction = new ArrayList<>();
      for (Graph.Input i : p.graph().inputs()) {
        direction.add(Values.range(-1, 1).make(i.type(), seed + direction.size()));
      }
      Tensor u = Values.range(-1, 1).make(last, seed);
      uses.add(new Use(seed, p.graph(), p.inputs(), direction, u));
    }
    assertTrue(uses.size() >= PROGRAMS / 8, uses.size() + " programs in f64");
    return uses;
  }

  @Test
  void forwardAndReverseFitTogether() {
    List<String> wrong = new ArrayList<>();
    int moving = 0;
    for (Use p : uses()) {
      Tensor[] x = p.both().toArray(Tensor[]::new);
      double[] forward = dot(Runs.reference(p::forward, x).get(1), p.u());
      double[] reverse = {0, 0};
      List<Tensor> g = Runs.reference(p::reverse, p.in().toArray(Tensor[]::new));
      for (int i = 0; i < g.size(); i++) {
        if (g.get(i).dtype() == DType.F64) {
          double[] d = dot(g.get(i), p.direction().get(i));
          reverse[0] += d[0];
          reverse[1] += d[1];
        }
      }
      moving += forward[1] > 0 ? 1 : 0;
      double size = Math.max(forward[1], reverse[1]);
      if (!(Math.abs(forward[0] - reverse[0]) <= 1e-10 * (1 + size))) {
        wrong.add("seed " + p.seed() + ": " + forward[0] + " and " + reverse[0] + "\n" + p.graph());
      }
    }
    assertEquals("", String.join("\n", wrong));
    assertTrue(moving >= PROGRAMS / 12, "only " + moving + " programs have a derivative");
  }

  /** The product and the sum of the terms' magnitudes. */
  private static double[] dot(Tensor a, Tensor b) {
    double[] s = {0, 0};
    double[] x = a.toDoubles();
    double[] y = b.toDoubles();
    for (int i = 0; i < x.length; i++) {
      s[0] += x[i] * y[i];
      s[1] += Math.abs(x[i] * y[i]);
    }
    return s;
  }

  @Test
  void compiledMapsOfDirectionsEqualTheLoop() {
    List<String> wrong = new ArrayList<>();
    for (Use p : uses()) {
      int n = p.in().size();
      // three directions, from 0 to the direction itself, at one point
      List<Tensor> in = new ArrayList<>(p.in());
      List<Integer> axes = new ArrayList<>(Collections.nCopies(n, null));
      for (Tensor d : p.direction()) {
        in.add(Examples.stack(List.of(Grad.zeros(d), d, d), d.type(), -1));
        axes.add(-1);
      }
      List<Tensor> mapped = Jit.jit(Vmap.vmap(p::forward, axes)).apply(in);
      List<Tensor> one = Runs.reference(p::forward, p.both().toArray(Tensor[]::new));
      double scale = 1;
      for (double e : one.get(1).toDoubles()) {
        scale = Math.max(scale, Math.abs(e));
      }
      for (int r = 0; r < 2; r++) {
        for (int i = 0; i < 3; i++) {
          double[] actual = Examples.take(mapped.get(r), 0, i).toDoubles();
          double[] expected = one.get(r).toDoubles();
          for (int k = 0; k < actual.length; k++) {
            double e = r == 1 && i == 0 ? 0 : expected[k];
            if (!(Math.abs(e - actual[k]) <= 1e-9 * (1 + scale + Math.abs(e)))) {
              wrong.add("seed " + p.seed() + ", result " + r + ": " + actual[k] + " for " + e);
              break;
            }
          }
        }
      }
    }
    assertEquals("", String.join("\n", wrong));
  }
}
