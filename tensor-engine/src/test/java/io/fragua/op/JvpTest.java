package io.fragua.op;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.fragua.exec.Backends;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.OpCase;
import io.fragua.testing.Runs;
import io.fragua.testing.Values;
import io.fragua.transform.Fn;
import io.fragua.transform.Jvp;
import io.fragua.transform.Vjp;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The two derivatives of every row fit together, {@code <u, J v> = <J' u, v>}, and the forward one
 * agrees with central differences, element by element.
 */
class JvpTest {
  private static final double STEP = 1e-5;

  @TestFactory
  Stream<DynamicTest> forwardAndReverseFitTogether() {
    return OpTable.rows().stream()
        .filter(Op::differentiable)
        .map(
            op ->
                DynamicTest.dynamicTest(
                    op.name(),
                    () -> {
                      List<OpCase> cases = GradientTest.differentiable(op);
                      assertFalse(cases.isEmpty());
                      List<String> wrong = new ArrayList<>();
                      for (OpCase c : cases) {
                        String d = check(c);
                        if (d != null) {
                          wrong.add(c + ": " + d);
                        }
                      }
                      assertEquals(List.of(), wrong);
                    }));
  }

  private static String check(OpCase c) {
    List<Tensor> x = c.inputs();
    int n = x.size();
    List<Tensor> u = new ArrayList<>();
    for (TensorType t : c.results()) {
      u.add(Values.range(-1, 1).make(t, 5 + 100 * u.size()));
    }
    int m = u.size();
    List<Tensor> v = new ArrayList<>();
    for (Tensor t : x) {
      v.add(Values.range(-1, 1).make(t.type(), 6 + v.size()));
    }
    Fn f = c.function();
    Fn both =
        in -> {
          List<Tensor> at = in.subList(0, n);
          Jvp forward = Jvp.jvp(f, at, in.subList(n, 2 * n));
          List<Tensor> out = new ArrayList<>(forward.outputs());
          out.addAll(forward.tangents());
          out.addAll(Vjp.vjp(f, at).pullBack().apply(in.subList(2 * n, 2 * n + m)));
          return out;
        };
    List<Tensor> in = new ArrayList<>(x);
    in.addAll(v);
    in.addAll(u);
    List<Tensor> r = Runs.reference(both, in.toArray(Tensor[]::new));
    double forward = 0;
    int elements = 1;
    for (int i = 0; i < m; i++) {
      if (u.get(i).dtype() == DType.F64) {
        forward += dot(r.get(m + i).toDoubles(), u.get(i).toDoubles());
        elements += (int) u.get(i).shape().size();
      }
    }
    double reverse = 0;
    double size = 1;
    for (int i = 0; i < n; i++) {
      if (x.get(i).dtype() == DType.F64) {
        reverse += dot(r.get(2 * m + i).toDoubles(), v.get(i).toDoubles());
        size += Math.abs(dot(r.get(2 * m + i).toDoubles(), v.get(i).toDoubles()));
      }
    }
    if (!(Math.abs(forward - reverse) <= 1e-12 * size * elements)) {
      return "<u, Jv> = " + forward + ", <J'u, v> = " + reverse;
    }
    List<Tensor> up = Runs.on(Backends.reference(), c.graph(), moved(x, v, STEP));
    List<Tensor> down = Runs.on(Backends.reference(), c.graph(), moved(x, v, -STEP));
    for (int k = 0; k < m; k++) {
      String d =
          u.get(k).dtype() == DType.F64 ? slopes(r.get(m + k), up.get(k), down.get(k)) : null;
      if (d != null) {
        return "result " + k + ", " + d;
      }
    }
    return null;
  }

  private static String slopes(Tensor tangents, Tensor above, Tensor below) {
    double[] tangent = tangents.toDoubles();
    double[] up = above.toDoubles();
    double[] down = below.toDoubles();
    for (int i = 0; i < tangent.length; i++) {
      double slope = (up[i] - down[i]) / (2 * STEP);
      if (!(Math.abs(slope - tangent[i]) <= 2e-8 * (1 + Math.abs(slope) * 8))) {
        return "element " + i + ": tangent " + tangent[i] + ", by differences " + slope;
      }
    }
    return null;
  }

  private static double dot(double[] a, double[] b) {
    double s = 0;
    for (int i = 0; i < a.length; i++) {
      s += a[i] * b[i];
    }
    return s;
  }

  private static List<Tensor> moved(List<Tensor> at, List<Tensor> along, double step) {
    List<Tensor> out = new ArrayList<>();
    for (int i = 0; i < at.size(); i++) {
      Tensor x = at.get(i);
      if (x.dtype() != DType.F64) {
        out.add(x);
        continue;
      }
      Buffer b = Buffer.collected(x.type().byteSize());
      double[] p = x.toDoubles();
      double[] d = along.get(i).toDoubles();
      for (int k = 0; k < p.length; k++) {
        b.putDouble(DType.F64, k, p[k] + step * d[k]);
      }
      out.add(Tensor.of(x.type(), b));
    }
    return out;
  }
}
