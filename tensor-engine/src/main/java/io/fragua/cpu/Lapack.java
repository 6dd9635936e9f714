package io.fragua.cpu;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.TensorType;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.netlib.blas.Dgemm;
import org.netlib.blas.Dtrsm;
import org.netlib.lapack.Dgeqrf;
import org.netlib.lapack.Dgesdd;
import org.netlib.lapack.Dgetrf;
import org.netlib.lapack.Dgetrs;
import org.netlib.lapack.Dlamch;
import org.netlib.lapack.Dorgqr;
import org.netlib.lapack.Dpotrf;
import org.netlib.lapack.Dsyevd;
import org.netlib.util.intW;

/**
 * Linear algebra by LAPACK, in the Java translation that Spark ships beneath netlib: matrix after
 * matrix, in f64 whatever the dtype, so that all backends and machines agree. Netlib itself is left
 * out: it looks for native libraries of the machine, whose answers differ. Thread-safe.
 *
 * <p>The translation keeps some routines' variables in static fields. Those that are called here do
 * not use such routines, but for {@code dlamch}, which fills its fields on the first call: that is
 * done when this class is loaded.
 */
final class Lapack {
  /** The rows that this class computes. */
  static final Set<String> ROWS =
      Set.of("cholesky", "triangular_solve", "solve", "lu", "qr", "eigh", "svd", "pinv");

  static {
    Dlamch.dlamch("E");
  }

  private Lapack() {}

  static void addTo(Map<String, ReferenceKernels.Kernel> kernels) {
    kernels.put("cholesky", Lapack::cholesky);
    kernels.put("triangular_solve", Lapack::triangularSolve);
    kernels.put("solve", Lapack::solve);
    kernels.put("lu", (ReferenceKernels.Kernel.Many) Lapack::lu);
    kernels.put("qr", (ReferenceKernels.Kernel.Many) Lapack::qr);
    kernels.put("eigh", (ReferenceKernels.Kernel.Many) Lapack::eigh);
    kernels.put("svd", (ReferenceKernels.Kernel.Many) Lapack::svd);
    kernels.put("pinv", Lapack::pinv);
  }

  /** Number of matrices, 0 if they have no elements. */
  private static int matrices(TensorType t) {
    Shape s = t.shape();
    return s.size() == 0 ? 0 : Math.toIntExact(s.slice(0, s.rank() - 2).size());
  }

  private static double[] read(TensorType t, Buffer x, int i, int size) {
    double[] a = new double[size];
    for (int k = 0; k < size; k++) {
      a[k] = x.getDouble(t.dtype(), (long) i * size + k);
    }
    return a;
  }

  private static void write(TensorType t, Buffer y, int i, double[] a, int size) {
    for (int k = 0; k < size; k++) {
      y.putDouble(t.dtype(), (long) i * size + k, a[k]);
    }
  }

  /** A matrix [m, n] by rows as LAPACK's by columns, or, with the sizes exchanged, back. */
  private static double[] turned(double[] a, int m, int n) {
    double[] b = new double[m * n];
    for (int r = 0; r < m; r++) {
      for (int c = 0; c < n; c++) {
        b[c * m + r] = a[r * n + c];
      }
    }
    return b;
  }

  private static boolean finite(double[] a) {
    return Arrays.stream(a).allMatch(Double::isFinite);
  }

  /** By rows, a lower triangle is LAPACK's upper one. */
  private static void cholesky(Attrs s, List<TensorType> in, Buffer[] x, TensorType out, Buffer y) {
    int n = out.shape().dim(-1);
    for (int i = 0; i < matrices(out); i++) {
      double[] a = read(out, x[0], i, n * n);
      intW info = new intW(0);
      Dpotrf.dpotrf("U", n, a, 0, n, info);
      for (int r = 0; r < n; r++) {
        for (int c = 0; c < n; c++) {
          a[r * n + c] = c > r ? 0 : info.val == 0 ? a[r * n + c] : Double.NaN;
        }
      }
      write(out, y, i, a, n * n);
    }
  }

  /** By rows, op(A) X = B is LAPACK's X' op(A)' = B'. */
  private static void triangularSolve(
      Attrs s, List<TensorType> in, Buffer[] x, TensorType out, Buffer y) {
    int n = out.shape().dim(-2);
    int m = out.shape().dim(-1);
    String triangle = s.integer("lower") == 1 ? "U" : "L";
    String op = s.integer("transpose") == 1 ? "T" : "N";
    String diagonal = s.integer("unit") == 1 ? "U" : "N";
    for (int i = 0; i < matrices(out); i++) {
      double[] a = read(in.get(0), x[0], i, n * n);
      double[] b = read(out, x[1], i, n * m);
      Dtrsm.dtrsm("R", triangle, op, diagonal, m, n, 1, a, 0, n, b, 0, m);
      write(out, y, i, b, n * m);
    }
  }

  private static void solve(Attrs s, List<TensorType> in, Buffer[] x, TensorType out, Buffer y) {
    int n = out.shape().dim(-2);
    int m = out.shape().dim(-1);
    for (int i = 0; i < matrices(out); i++) {
      double[] a = turned(read(in.get(0), x[0], i, n * n), n, n);
      double[] b = turned(read(out, x[1], i, n * m), n, m);
      int[] pivots = new int[n];
      intW info = new intW(0);
      Dgetrf.dgetrf(n, n, a, 0, n, pivots, 0, info);
      if (info.val > 0) { // singular
        Arrays.fill(b, Double.NaN);
      } else {
        Dgetrs.dgetrs("N", n, m, a, 0, n, pivots, 0, b, 0, n, info);
      }
      write(out, y, i, turned(b, m, n), n * m);
    }
  }

  private static void lu(
      Attrs s, List<TensorType> in, Buffer[] x, List<TensorType> out, Buffer[] y) {
    TensorType t = out.get(0);
    int n = t.shape().dim(-1);
    for (int i = 0; i < matrices(t); i++) {
      double[] a = turned(read(t, x[0], i, n * n), n, n);
      int[] pivots = new int[n];
      Dgetrf.dgetrf(n, n, a, 0, n, pivots, 0, new intW(0));
      write(t, y[0], i, turned(a, n, n), n * n);
      int[] rows = new int[n];
      Arrays.setAll(rows, k -> k);
      for (int k = 0; k < n; k++) {
        int p = pivots[k] - 1; // Fortran counts from 1
        y[1].putLong(DType.I32, (long) i * n + k, p);
        int row = rows[k];
        rows[k] = rows[p];
        rows[p] = row;
      }
      for (int k = 0; k < n; k++) {
        y[2].putLong(DType.I32, (long) i * n + k, rows[k]);
      }
    }
  }

  private static void qr(
      Attrs s, List<TensorType> in, Buffer[] x, List<TensorType> out, Buffer[] y) {
    int m = in.get(0).shape().dim(-2);
    int n = in.get(0).shape().dim(-1);
    int k = Math.min(m, n);
    for (int i = 0; i < matrices(in.get(0)); i++) {
      double[] a = turned(read(in.get(0), x[0], i, m * n), m, n);
      double[] tau = new double[k];
      double[] work = new double[Math.toIntExact(Math.max(1, 64L * n))]; // blocks of 64 columns
      Dgeqrf.dgeqrf(m, n, a, 0, m, tau, 0, work, 0, work.length, new intW(0));
      double[] r = new double[k * n];
      for (int row = 0; row < k; row++) {
        for (int c = row; c < n; c++) {
          r[row * n + c] = a[c * m + row];
        }
      }
      Dorgqr.dorgqr(m, k, k, a, 0, m, tau, 0, work, 0, work.length, new intW(0));
      write(out.get(0), y[0], i, turned(a, k, m), m * k);
      write(out.get(1), y[1], i, r, k * n);
    }
  }

  private static void eigh(
      Attrs s, List<TensorType> in, Buffer[] x, List<TensorType> out, Buffer[] y) {
    int n = in.get(0).shape().dim(-1);
    for (int i = 0; i < matrices(in.get(0)); i++) {
      double[] a = read(in.get(0), x[0], i, n * n);
      double[] w = new double[n];
      intW info = new intW(finite(a) ? 0 : 1);
      if (info.val == 0) {
        double[] work = new double[1 + 6 * n + 2 * n * n];
        int[] more = new int[3 + 5 * n];
        Dsyevd.dsyevd("V", "U", n, a, 0, n, w, 0, work, 0, work.length, more, 0, more.length, info);
      }
      if (info.val != 0) {
        Arrays.fill(w, Double.NaN);
        Arrays.fill(a, Double.NaN);
      }
      for (int v = 0; v < n; v++) {
        if (negative(a, v * n, 1, n)) {
          negate(a, v * n, 1, n);
        }
      }
      write(out.get(0), y[0], i, w, n);
      write(out.get(1), y[1], i, turned(a, n, n), n * n);
    }
  }

  /** U [m, k], the singular values [k] and V' [k, n] by rows; NaN where LAPACK has no answer. */
  private record Factors(double[] u, double[] values, double[] vh) {}

  private static void svd(
      Attrs s, List<TensorType> in, Buffer[] x, List<TensorType> out, Buffer[] y) {
    int m = in.get(0).shape().dim(-2);
    int n = in.get(0).shape().dim(-1);
    int k = Math.min(m, n);
    for (int i = 0; i < matrices(in.get(0)); i++) {
      Factors f = factors(read(in.get(0), x[0], i, m * n), m, n);
      for (int v = 0; v < k; v++) {
        if (negative(f.u, v, k, m)) {
          negate(f.u, v, k, m);
          negate(f.vh, v * n, 1, n);
        }
      }
      write(out.get(0), y[0], i, f.u, m * k);
      write(out.get(1), y[1], i, f.values, k);
      write(out.get(2), y[2], i, f.vh, k * n);
    }
  }

  /** By rows, A = U S V' is LAPACK's A' = V S U'. */
  private static Factors factors(double[] a, int m, int n) {
    int k = Math.min(m, n);
    double[] u = new double[m * k];
    double[] values = new double[k];
    double[] vh = new double[k * n];
    intW info = new intW(finite(a) ? 0 : 1);
    if (info.val == 0) {
      int[] more = new int[8 * k];
      double[] size = new double[1];
      Dgesdd.dgesdd("S", n, m, a, 0, n, values, 0, vh, 0, n, u, 0, k, size, 0, -1, more, 0, info);
      double[] work = new double[(int) size[0]];
      Dgesdd.dgesdd(
          "S", n, m, a, 0, n, values, 0, vh, 0, n, u, 0, k, work, 0, work.length, more, 0, info);
    }
    if (info.val != 0) {
      Arrays.fill(u, Double.NaN);
      Arrays.fill(values, Double.NaN);
      Arrays.fill(vh, Double.NaN);
    }
    return new Factors(u, values, vh);
  }

  /** V S^-1 U' of the singular values that count; by rows it is LAPACK's U S^-1 V'. */
  private static void pinv(Attrs s, List<TensorType> in, Buffer[] x, TensorType out, Buffer y) {
    int m = in.get(0).shape().dim(-2);
    int n = in.get(0).shape().dim(-1);
    int k = Math.min(m, n);
    for (int i = 0; i < matrices(out); i++) {
      Factors f = factors(read(in.get(0), x[0], i, m * n), m, n);
      double least = s.real("rcond") * f.values[0];
      int rank = 0;
      while (rank < k && f.values[rank] > least) {
        for (int c = 0; c < n; c++) {
          f.vh[rank * n + c] /= f.values[rank];
        }
        rank++;
      }
      double[] p = new double[n * m];
      Arrays.fill(p, Double.isNaN(least) ? Double.NaN : 0);
      Dgemm.dgemm("T", "T", m, n, rank, 1, f.u, 0, k, f.vh, 0, n, 1, p, 0, m);
      write(out, y, i, p, n * m);
    }
  }

  /**
   * True if the first large component of a vector is negative; large is more than half of the
   * largest, so that components of equal size do not decide by their last bits.
   */
  private static boolean negative(double[] a, int from, int step, int n) {
    double largest = 0;
    for (int k = 0; k < n; k++) {
      largest = Math.max(largest, Math.abs(a[from + k * step]));
    }
    for (int k = 0; k < n; k++) {
      double v = a[from + k * step];
      if (Math.abs(v) > largest / 2) {
        return v < 0;
      }
    }
    return false;
  }

  private static void negate(double[] a, int from, int step, int n) {
    for (int k = 0; k < n; k++) {
      a[from + k * step] = -a[from + k * step];
    }
  }
}
