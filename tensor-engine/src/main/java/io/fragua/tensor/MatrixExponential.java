package io.fragua.tensor;

/**
 * The exponential of matrices. A matrix is halved until its 1-norm is at most theta, where Pade's
 * approximation of order 13 is exact to f64, and the result is squared as often. How often depends
 * on the numbers, so all squarings are written down and each matrix keeps those that it needs.
 */
final class MatrixExponential {
  private static final double THETA = 5.371920351148152;
  private static final int SQUARINGS = 16;

  /** Coefficients of the approximation's numerator, lowest first. */
  private static final double[] B = {
    64764752532480000d,
    32382376266240000d,
    7771770303897600d,
    1187353796428800d,
    129060195264000d,
    10559470521600d,
    670442572800d,
    33522128640d,
    1323241920d,
    40840800d,
    960960d,
    16380d,
    182d,
    1d
  };

  private MatrixExponential() {}

  static Tensor of(Tensor a, Tensor eye) {
    Tensor norm = a.abs().sum(-2).max(-1).stopGradient();
    // 0 for a small norm; the number of halvings otherwise
    Tensor halvings =
        norm.div(THETA).maximum(1).log().mul(1 / Math.log(2)).ceil().minimum(SQUARINGS);
    halvings = halvings.expandDims(-1).expandDims(-1);
    Tensor x = a.mul(halvings.mul(-Math.log(2)).exp());
    Tensor x2 = x.matmul(x);
    Tensor x4 = x2.matmul(x2);
    Tensor x6 = x2.matmul(x4);
    Tensor u =
        x.matmul(
            x6.matmul(sum(x6, B[13], x4, B[11], x2, B[9]))
                .add(sum(x6, B[7], x4, B[5], x2, B[3]))
                .add(eye.mul(B[1])));
    Tensor v =
        x6.matmul(sum(x6, B[12], x4, B[10], x2, B[8]))
            .add(sum(x6, B[6], x4, B[4], x2, B[2]))
            .add(eye.mul(B[0]));
    Tensor y = v.sub(u).solve(v.add(u));
    for (int i = 0; i < SQUARINGS; i++) {
      y = halvings.greater(i).select(y.matmul(y), y);
    }
    return y;
  }

  private static Tensor sum(Tensor a, double x, Tensor b, double y, Tensor c, double z) {
    return a.mul(x).add(b.mul(y)).add(c.mul(z));
  }
}
