package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;

/**
 * Channels become pixels: an image larger by a factor from a convolution with more features, a way
 * to enlarge images that is learnt. With factor r and two spatial axes, result element [n, h r + i,
 * w r + j, c] is x [n, h, w, c r r + i r + j]; so for one and three axes.
 *
 * <p>Shapes: x [N, spatial..., C r^spatial axes], result [N, r spatial..., C].
 *
 * @param factor r, at least 1
 * @source Shi et al., CVPR 2016; PyTorch {@code PixelShuffle}; ONNX DepthToSpace-13, mode CRD
 */
public record PixelShuffle(int factor) implements Layer {
  /** Checks the factor. */
  public PixelShuffle {
    Check.that(factor >= 1, "pixel_shuffle: factor must be at least 1: %d; correct it", factor);
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    Shape in = x.shape();
    int axes = in.rank() - 2;
    int pixels = axes < 1 || axes > 3 ? 0 : (int) Math.min(Math.pow(factor, axes), 1 << 30);
    Check.shape(
        pixels > 0 && in.dim(-1) % pixels == 0,
        "pixel_shuffle: input must be [N, one to three spatial axes, channels], channels a multiple"
            + " of %d for each spatial axis: %s; give the layer before it as many features",
        factor,
        x.type());
    // [N, H, W, C, r, r] to [N, H, r, W, r, C]
    Shape split = in.slice(0, axes + 1).concat(Shape.of(in.dim(-1) / pixels));
    int[] order = new int[2 * axes + 2];
    int[] out = in.dims();
    for (int i = 0; i < axes; i++) {
      split = split.concat(Shape.of(factor));
      order[1 + 2 * i] = 1 + i;
      order[2 + 2 * i] = axes + 2 + i;
      out[1 + i] = Check.size("pixel_shuffle", (long) in.dim(1 + i) * factor);
    }
    order[2 * axes + 1] = axes + 1;
    out[axes + 1] = in.dim(-1) / pixels;
    return x.reshape(split.dims()).transpose(order).reshape(out);
  }

  @Override
  public String toString() {
    return "PixelShuffle(" + factor + ")";
  }
}
