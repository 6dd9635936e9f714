package io.fragua.image;

import io.fragua.tensor.Check;
import io.fragua.tensor.Movement;
import io.fragua.tensor.Tensor;
import java.util.List;

/**
 * Changes colours. Images are floating [N, H, W, C], most of them RGB with values in [0, 1];
 * results are not clipped. A strength is one number for all images, or [N], of the images' dtype or
 * f32, with one for each.
 *
 * @source dm_pix; TensorFlow {@code tf.image}
 */
public final class Color {
  private Color() {}

  /** x + delta. */
  public static Tensor brightness(Tensor images, double delta) {
    Images.check("brightness", images);
    return images.add(delta);
  }

  /** As {@link #brightness(Tensor, double)}. */
  public static Tensor brightness(Tensor images, Tensor delta) {
    Images.check("brightness", images);
    return images.add(Images.each("brightness", images, delta));
  }

  /** factor (x - mean) + mean, the mean of each channel of each image. */
  public static Tensor contrast(Tensor images, double factor) {
    Images.check("contrast", images);
    return contrasted(images, Tensor.scalar(images.dtype(), factor));
  }

  /** As {@link #contrast(Tensor, double)}. */
  public static Tensor contrast(Tensor images, Tensor factor) {
    Images.check("contrast", images);
    return contrasted(images, Images.each("contrast", images, factor));
  }

  private static Tensor contrasted(Tensor x, Tensor factor) {
    Tensor mean = x.mean(1, 2).expandDims(1).expandDims(1);
    return x.sub(mean).mul(factor).add(mean);
  }

  /** Saturation times a factor, bounded to [0, 1]; 0 gives the value (the largest channel). */
  public static Tensor saturation(Tensor images, double factor) {
    return saturated(images, Tensor.scalar(images.dtype(), factor));
  }

  /** As {@link #saturation(Tensor, double)}. */
  public static Tensor saturation(Tensor images, Tensor factor) {
    Images.colour("saturation", images);
    return saturated(images, Images.each("saturation", images, factor));
  }

  private static Tensor saturated(Tensor images, Tensor factor) {
    Images.colour("saturation", images);
    Tensor[] hsv = toHsv(images);
    return toRgb(hsv[0], hsv[1].mul(factor).maximum(0).minimum(1), hsv[2]);
  }

  /** Hue moved around the circle of colours, whose length is 1. */
  public static Tensor hue(Tensor images, double delta) {
    return moved(images, Tensor.scalar(images.dtype(), delta));
  }

  /** As {@link #hue(Tensor, double)}. */
  public static Tensor hue(Tensor images, Tensor delta) {
    Images.colour("hue", images);
    return moved(images, Images.each("hue", images, delta));
  }

  private static Tensor moved(Tensor images, Tensor delta) {
    Images.colour("hue", images);
    Tensor[] hsv = toHsv(images);
    return toRgb(hsv[0].add(delta), hsv[1], hsv[2]);
  }

  /**
   * gain x^gamma, x bounded to [0, 1]. The slope at 0 is infinite for gamma below 1.
   *
   * @param gamma above 0
   */
  public static Tensor gamma(Tensor images, double gamma, double gain) {
    Images.check("gamma", images);
    Check.that(gamma > 0 && Double.isFinite(gamma), "gamma: is above 0: %s; correct it", gamma);
    return images.maximum(0).minimum(1).pow(gamma).mul(gain);
  }

  /**
   * 0.2989 red + 0.587 green + 0.114 blue.
   *
   * @param channels 1, or 3 for three equal ones
   * @return [N, H, W, channels]
   */
  public static Tensor grayscale(Tensor images, int channels) {
    Images.colour("grayscale", images);
    Check.that(
        channels == 1 || channels == 3,
        "grayscale: gives one or three channels: %d; correct it",
        channels);
    Tensor grey =
        channel(images, 0)
            .mul(0.2989)
            .add(channel(images, 1).mul(0.5870))
            .add(channel(images, 2).mul(0.1140));
    return channels == 1 ? grey : grey.broadcastTo(images.shape());
  }

  /**
   * 1 - x where x is at least the threshold, else x.
   *
   * @source torchvision {@code solarize}
   */
  public static Tensor solarize(Tensor images, double threshold) {
    Images.check("solarize", images);
    Tensor least = Tensor.scalar(images.dtype(), threshold);
    return images.greaterEqual(least).select(invert(images), images);
  }

  /** 1 - x. */
  public static Tensor invert(Tensor images) {
    Images.check("invert", images);
    return images.neg().add(1);
  }

  /**
   * The value of all but the upper bits of a byte taken away: 2^bits steps from 0. No gradient.
   *
   * @param bits 1 to 8
   * @source torchvision {@code posterize}, of x rounded down to a byte
   */
  public static Tensor posterize(Tensor images, int bits) {
    Images.check("posterize", images);
    Check.that(bits >= 1 && bits <= 8, "posterize: keeps 1 to 8 bits: %d; correct it", bits);
    double step = 1 << (8 - bits);
    // a byte's own value, divided and multiplied, may lie just below it
    Tensor bytes = images.maximum(0).minimum(1).mul(255).add(1e-3);
    return bytes.div(step).floor().mul(step / 255);
  }

  /**
   * Hue, saturation and value of RGB, each in [0, 1] for colours in [0, 1]; the hue of grey is 0.
   *
   * @return [N, H, W, 3]
   */
  public static Tensor rgbToHsv(Tensor images) {
    Images.colour("rgb_to_hsv", images);
    return Movement.concat(3, List.of(toHsv(images)));
  }

  /**
   * The inverse of {@link #rgbToHsv}; hues wrap.
   *
   * @return [N, H, W, 3]
   */
  public static Tensor hsvToRgb(Tensor images) {
    Images.colour("hsv_to_rgb", images);
    return toRgb(channel(images, 0), channel(images, 1), channel(images, 2));
  }

  private static Tensor channel(Tensor x, int c) {
    return x.slice(3, c, c + 1);
  }

  private static Tensor[] toHsv(Tensor x) {
    Tensor red = channel(x, 0);
    Tensor green = channel(x, 1);
    Tensor blue = channel(x, 2);
    Tensor value = red.maximum(green).maximum(blue);
    Tensor range = value.sub(red.minimum(green).minimum(blue));
    Tensor zero = Tensor.scalar(x.dtype(), 0);
    Tensor one = Tensor.scalar(x.dtype(), 1);
    Tensor bright = value.greater(0);
    Tensor coloured = range.greater(0);
    // The branch not taken must stay finite for its derivative.
    Tensor saturation = bright.select(range.div(bright.select(value, one)), zero);
    Tensor sixth = coloured.select(range, one).mul(6);
    Tensor hue =
        value
            .equal(green)
            .select(blue.sub(red).div(sixth).add(2 / 6.0), red.sub(green).div(sixth).add(4 / 6.0));
    hue = value.equal(red).select(green.sub(blue).div(sixth), hue);
    hue = coloured.select(hue, zero);
    hue = hue.less(0).select(hue.add(1), hue);
    return new Tensor[] {hue, saturation, value};
  }

  private static Tensor toRgb(Tensor hue, Tensor saturation, Tensor value) {
    Tensor at = hue.sub(hue.floor()).mul(6);
    Tensor white = saturation.neg().add(1);
    Tensor red = bounded(at.sub(3).abs().sub(1));
    Tensor green = bounded(at.sub(2).abs().neg().add(2));
    Tensor blue = bounded(at.sub(4).abs().neg().add(2));
    return Movement.concat(
        3,
        List.of(
            value.mul(white.add(saturation.mul(red))),
            value.mul(white.add(saturation.mul(green))),
            value.mul(white.add(saturation.mul(blue)))));
  }

  private static Tensor bounded(Tensor x) {
    return x.maximum(0).minimum(1);
  }
}
