package io.fragua.image;

import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import java.util.Arrays;

/** Conversion between bytes and the numbers that networks take. */
public final class Images {
  private Images() {}

  /**
   * Bytes 0 to 255 as f32 in [0, 1].
   *
   * @param bytes u8 [N, H, W, C]
   * @source torchvision {@code to_dtype(scale=True)}
   */
  public static Tensor fromBytes(Tensor bytes) {
    Check.shape(
        bytes.dtype() == DType.U8 && bytes.shape().rank() == 4,
        "from_bytes: images are u8 [N, H, W, C]: %s; cast or reshape them",
        bytes.type());
    return bytes.cast(DType.F32).mul(1 / 255.0);
  }

  /**
   * Numbers in [0, 1] as the nearest of 256 bytes; values outside are bounded to it. No gradient.
   *
   * @param images floating [N, H, W, C]
   */
  public static Tensor toBytes(Tensor images) {
    check("to_bytes", images);
    return images.maximum(0).minimum(1).mul(255).round().cast(DType.U8);
  }

  /**
   * (x - mean) / std for each channel.
   *
   * @param images floating [N, H, W, C]
   * @param mean C numbers, for instance 0.485, 0.456, 0.406
   * @param std C numbers above 0, for instance 0.229, 0.224, 0.225
   * @source torchvision {@code normalize}
   */
  public static Tensor normalize(Tensor images, double[] mean, double[] std) {
    int channels = check("normalize", images);
    Check.that(
        mean.length == channels
            && std.length == channels
            && Arrays.stream(std).allMatch(s -> s > 0 && Double.isFinite(s)),
        "normalize: needs a mean and a deviation above 0 for each channel: %s, %s for %s; correct"
            + " them",
        Arrays.toString(mean),
        Arrays.toString(std),
        images.type());
    double[] scale = new double[channels];
    double[] offset = new double[channels];
    for (int c = 0; c < channels; c++) {
      scale[c] = 1 / std[c];
      offset[c] = -mean[c] / std[c];
    }
    return images
        .mul(Tensor.of(scale, channels).cast(images.dtype()))
        .add(Tensor.of(offset, channels).cast(images.dtype()));
  }

  /** Refuses what is not floating [N, H, W, C]; gives C. */
  static int check(String who, Tensor x) {
    Check.shape(
        x.shape().rank() == 4 && x.dtype().isFloating(),
        "%s: images are floating [N, H, W, C]: %s; use Images.fromBytes, cast or reshape them",
        who,
        x.type());
    return x.shape().dim(3);
  }

  /** Refuses what is not floating [N, H, W, 3]. */
  static void colour(String who, Tensor x) {
    Check.shape(
        check(who, x) == 3,
        "%s: takes images of red, green and blue: %s; leave grey images out",
        who,
        x.type());
  }

  /**
   * True for numbers about images, such as places: of their dtype, or f32 if that is f16 or bf16.
   */
  static boolean fits(Tensor x, Tensor numbers) {
    return numbers.dtype() == x.dtype() || numbers.dtype() == x.dtype().wide();
  }

  /** One number an image, [N], refused if it is not of the right type; f32 for half types. */
  static Tensor numbers(String who, Tensor x, Tensor values) {
    Check.shape(
        values.shape().equals(Shape.of(x.shape().dim(0))) && fits(x, values),
        "%s: takes one number of the images' dtype for each image: %s for %s; reshape or cast it",
        who,
        values.type(),
        x.type());
    return values.cast(x.dtype().wide());
  }

  /** {@link #numbers} of the images' dtype, in a shape that broadcasts over its pixels. */
  static Tensor each(String who, Tensor x, Tensor values) {
    return numbers(who, x, values).cast(x.dtype()).reshape(x.shape().dim(0), 1, 1, 1);
  }
}
