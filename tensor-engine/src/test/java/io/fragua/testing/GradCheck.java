package io.fragua.testing;

import io.fragua.exec.Backends;
import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.transform.Fn;
import io.fragua.transform.Grad;
import io.fragua.transform.Jit;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Compares {@link Grad} with central differences along random directions, in f64 on the reference
 * backend. The function is made scalar by a random weighting of the elements of its f64 results, so
 * that every element of every operand takes part in one number.
 */
public final class GradCheck {
  private static final double STEP = 1e-5;

  private GradCheck() {}

  /**
   * Checks first derivatives with respect to all f64 operands.
   *
   * @return what disagrees, or null
   */
  public static String first(Fn f, List<Tensor> at) {
    return check(weighted(f, types(at)), at, 2e-8);
  }

  /** Checks second derivatives: the function is the gradient in a fixed random direction. */
  public static String second(Fn f, List<Tensor> at) {
    Fn scalar = weighted(f, types(at));
    int[] wrt = wrt(at);
    List<Tensor> direction = direction(at, new Random(7));
    Fn slope =
        x -> {
          List<Tensor> g = Grad.grad(scalar, wrt).apply(x);
          Tensor sum = null;
          for (int i = 0; i < wrt.length; i++) {
            Tensor part = g.get(i).mul(direction.get(wrt[i])).sum();
            sum = sum == null ? part : sum.add(part);
          }
          return List.of(sum);
        };
    return check(slope, at, 1e-7);
  }

  /** Positions of the operands that take part. */
  public static int[] wrt(List<Tensor> at) {
    return IntStream.range(0, at.size()).filter(i -> at.get(i).dtype() == DType.F64).toArray();
  }

  private static List<TensorType> types(List<Tensor> at) {
    return at.stream().map(Tensor::type).toList();
  }

  private static Fn weighted(Fn f, List<TensorType> types) {
    List<Tensor> weights = new ArrayList<>();
    for (TensorType t : Jit.graph(f, types).outputTypes()) {
      weights.add(t.dtype() == DType.F64 ? Values.range(-1, 1).make(t, 11 + weights.size()) : null);
    }
    return x -> {
      List<Tensor> y = f.apply(x);
      Tensor sum = null;
      for (int i = 0; i < y.size(); i++) {
        if (weights.get(i) != null) {
          Tensor part = y.get(i).mul(weights.get(i)).sum();
          sum = sum == null ? part : sum.add(part);
        }
      }
      return List.of(sum);
    };
  }

  private static String check(Fn scalar, List<Tensor> at, double tolerance) {
    int[] wrt = wrt(at);
    Graph value = Jit.graph(scalar, types(at));
    Graph gradient = Jit.graph(Grad.grad(scalar, wrt), types(at));
    List<Tensor> g = Runs.on(Backends.reference(), gradient, at);
    for (int i = 0; i < wrt.length; i++) {
      if (!g.get(i).type().equals(at.get(wrt[i]).type())) {
        return "gradient of operand " + wrt[i] + " has type " + g.get(i).type();
      }
    }
    Random random = new Random(3);
    for (int trial = 0; trial < 2; trial++) {
      List<Tensor> v = direction(at, random);
      double slope = 0;
      double size = 1;
      for (int i = 0; i < wrt.length; i++) {
        double[] a = g.get(i).toDoubles();
        double[] b = v.get(wrt[i]).toDoubles();
        for (int k = 0; k < a.length; k++) {
          slope += a[k] * b[k];
          size += Math.abs(a[k] * b[k]);
        }
      }
      double up = Runs.on(Backends.reference(), value, moved(at, v, STEP)).get(0).item();
      double down = Runs.on(Backends.reference(), value, moved(at, v, -STEP)).get(0).item();
      double difference = (up - down) / (2 * STEP);
      if (!(Math.abs(difference - slope) <= tolerance * size)) {
        return String.format(
            "slope by gradient %.12g, by differences %.12g (size %.3g)", slope, difference, size);
      }
    }
    return null;
  }

  private static List<Tensor> direction(List<Tensor> at, Random random) {
    return at.stream().map(t -> Values.range(-1, 1).make(t.type(), random.nextLong())).toList();
  }

  private static List<Tensor> moved(List<Tensor> at, List<Tensor> v, double step) {
    List<Tensor> out = new ArrayList<>();
    for (int i = 0; i < at.size(); i++) {
      Tensor x = at.get(i);
      if (x.dtype() != DType.F64) {
        out.add(x);
        continue;
      }
      Buffer b = Buffer.collected(x.type().byteSize());
      double[] p = x.toDoubles();
      double[] d = v.get(i).toDoubles();
      for (int k = 0; k < p.length; k++) {
        b.putDouble(DType.F64, k, p[k] + step * d[k]);
      }
      out.add(Tensor.of(x.type(), b));
    }
    return out;
  }
}
