package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Movement;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import java.util.List;

/** Numbers that tell positions of a sequence apart. */
public final class Positions {
  private Positions() {}

  /**
   * Waves of D / 2 lengths: sin(p / base^(2 i / D)) in element 2 i, its cosine in element 2 i + 1.
   *
   * @param positions floating [...]; bf16 has whole numbers up to 256 alone, f16 up to 2048
   * @param size D, even
   * @param base 10000 in the paper
   * @return [..., D] of the positions' dtype; angles of half types are f32
   * @source Vaswani et al., NeurIPS 2017
   */
  public static Tensor sinusoidal(Tensor positions, int size, double base) {
    Tensor angle = angles("sinusoidal", positions, size, base).expandDims(-1);
    return Movement.concat(angle.shape().rank() - 1, List.of(angle.sin(), angle.cos()))
        .cast(positions.dtype())
        .reshape(positions.shape().concat(Shape.of(size)).dims());
  }

  /**
   * Rotary encoding: element i and element i + D / 2 turned by the angle p / base^(2 i / D), so
   * that the product of two turned vectors depends on the difference of their positions alone.
   *
   * @param x floating [..., T, D], D even
   * @param positions floating [T], not of a half type if T is large: see {@link #sinusoidal}
   * @param base 10000 in the paper
   * @return x's type
   * @source Su et al., "RoFormer", 2021, with the halves of GPT-NeoX and LLaMA
   */
  public static Tensor rotary(Tensor x, Tensor positions, double base) {
    Check.shape(
        x.shape().rank() >= 2
            && x.dtype().isFloating()
            && positions.shape().rank() == 1
            && positions.shape().dim(0) == x.shape().dim(-2),
        "rotary: takes floating [..., T, D] and positions [T]: %s with %s; reshape or cast them",
        x.type(),
        positions.type());
    int d = x.shape().dim(-1);
    Tensor angle = angles("rotary", positions, d, base);
    Tensor a = x.slice(-1, 0, d / 2);
    Tensor b = x.slice(-1, d / 2, d);
    Tensor cos = angle.cos().cast(x.dtype());
    Tensor sin = angle.sin().cast(x.dtype());
    return Movement.concat(
        x.shape().rank() - 1, List.of(a.mul(cos).sub(b.mul(sin)), b.mul(cos).add(a.mul(sin))));
  }

  private static Tensor angles(String who, Tensor positions, int size, double base) {
    Check.shape(
        size >= 2 && size % 2 == 0 && positions.dtype().isFloating() && base > 0,
        "%s: positions are floating, sizes even, the base above 0: %s, %d, %s; correct them",
        who,
        positions.type(),
        size,
        base);
    double[] slower = new double[size / 2];
    for (int i = 0; i < slower.length; i++) {
      slower[i] = Math.pow(base, -2.0 * i / size);
    }
    DType wide = positions.dtype().wide();
    return positions.cast(wide).expandDims(-1).mul(Tensor.of(slower, slower.length).cast(wide));
  }

  /** 0, 1, ... up to the number of x's second-last axis, f32 for half types, traced if x is. */
  static Tensor of(Tensor x) {
    Shape s = Shape.of(x.shape().dim(-2));
    return x.iotaLike(DType.I32, s, 0).cast(x.dtype().wide());
  }
}
