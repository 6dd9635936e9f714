package io.fragua.image;

import io.fragua.random.Key;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Random changes of a batch by a key: every image has its own draw, the same key gives the same
 * batch, eager or compiled. Images are floating [N, H, W, C].
 */
public final class Augment {
  private Augment() {}

  /**
   * Any change, for each image with probability {@code p}.
   *
   * @param change keeps the batch's type; computed for all images
   */
  public static Tensor randomApply(Key key, Tensor images, double p, UnaryOperator<Tensor> change) {
    Images.check("random_apply", images);
    Tensor changed = change.apply(images);
    Check.shape(
        changed.type().equals(images.type()),
        "random_apply: the change keeps the images' type: %s to %s; change all images instead",
        images.type(),
        changed.type());
    return Draws.chance("random_apply", key, images, p).select(changed, images);
  }

  /** {@link Geometry#flipLeftRight} with probability {@code p}. */
  public static Tensor randomFlipLeftRight(Key key, Tensor images, double p) {
    return randomApply(key, images, p, Geometry::flipLeftRight);
  }

  /** {@link Geometry#flipUpDown} with probability {@code p}. */
  public static Tensor randomFlipUpDown(Key key, Tensor images, double p) {
    return randomApply(key, images, p, Geometry::flipUpDown);
  }

  /**
   * A part of each image at a random place; for places over the border, pad first.
   *
   * @return [N, height, width, C]
   * @source dm_pix {@code random_crop}
   */
  public static Tensor randomCrop(Key key, Tensor images, int height, int width) {
    Images.check("random_crop", images);
    int h = images.shape().dim(1);
    int w = images.shape().dim(2);
    Check.shape(
        height >= 1 && width >= 1 && height <= h && width <= w,
        "random_crop: the part is not empty and not larger than the image: %d x %d of %s; pad"
            + " first, or correct it",
        height,
        width,
        images.type());
    List<Key> keys = key.lift(images).split(2);
    Shape to = Shape.of(images.shape().dim(0), height, width);
    return Geometry.at(
        images,
        from(Draws.below(keys.get(0), images, h - height + 1), to, 1),
        from(Draws.below(keys.get(1), images, w - width + 1), to, 2));
  }

  /** Numbers along an axis, from a start for each image. */
  private static Tensor from(Tensor start, Shape to, int axis) {
    return start.reshape(-1, 1, 1).add(start.iotaLike(DType.I32, to, axis));
  }

  /**
   * A part of each image of random size and form, scaled to one size: the usual way to train on
   * photographs. Sides may lie between pixels.
   *
   * @param least share of the image's area, in (0, 1], of the smallest part; 0.08 is usual
   * @param ratio most width / height, 1 or more, and 1 / ratio the least; 4 / 3 is usual
   * @return [N, height, width, C]
   * @source Szegedy et al., CVPR 2015; torchvision {@code RandomResizedCrop}, without its retries:
   *     a side that does not fit is the whole side
   */
  public static Tensor randomResizedCrop(
      Key key, Tensor images, int height, int width, double least, double ratio) {
    Images.check("random_resized_crop", images);
    Check.that(
        least > 0 && least <= 1 && ratio >= 1 && Double.isFinite(ratio),
        "random_resized_crop: the area lies in (0, 1], the ratio is 1 or more: %s, %s; correct"
            + " them",
        least,
        ratio);
    int h = images.shape().dim(1);
    int w = images.shape().dim(2);
    Check.shape(
        height >= 1 && width >= 1 && h >= 1 && w >= 1,
        "random_resized_crop: images and results have pixels: %s to %d x %d; correct the size",
        images.type(),
        height,
        width);
    List<Key> keys = key.lift(images).split(4);
    Tensor area = Draws.uniform(keys.get(0), images, least, 1).mul((double) h * w);
    double log = Math.log(ratio);
    Tensor form = Draws.uniform(keys.get(1), images, -log, log).exp();
    Tensor high = area.div(form).sqrt().minimum(h);
    Tensor wide = area.mul(form).sqrt().minimum(w);
    Tensor top = high.neg().add(h).mul(Draws.uniform(keys.get(2), images, 0, 1));
    Tensor left = wide.neg().add(w).mul(Draws.uniform(keys.get(3), images, 0, 1));
    Tensor rows = Filters.along(images, 1, part(top, high, h, height));
    return Filters.along(rows, 2, part(left, wide, w, width));
  }

  /** Straight weights [N, from, to] that scale a part of an axis, antialiased. */
  private static Tensor part(Tensor start, Tensor length, int from, int to) {
    Shape s = Shape.of(start.shape().dim(0), from, to);
    Tensor step = length.div(to).reshape(-1, 1, 1);
    Tensor result = start.iotaLike(DType.I32, s, 2).cast(start.dtype());
    Tensor pixel = start.iotaLike(DType.I32, s, 1).cast(start.dtype());
    Tensor at = result.add(0.5).mul(step).add(start.reshape(-1, 1, 1)).sub(0.5);
    Tensor inside = at.maximum(0).minimum(from - 1.0);
    Tensor w = inside.sub(pixel).abs().div(step.maximum(1)).neg().add(1).relu();
    return w.div(w.sumKeep(1));
  }

  /** {@link Geometry#rotate} by angles in [-degrees, degrees). */
  public static Tensor randomRotate(Key key, Tensor images, double degrees) {
    Images.check("random_rotate", images);
    bound("random_rotate", degrees);
    return Geometry.rotate(images, Draws.uniform(key, images, -degrees, degrees));
  }

  /**
   * A rectangle of each image replaced, with probability {@code p}; it lies inside the image.
   *
   * @param least share of the image's area of the smallest, in (0, most]; 0.02 in the paper
   * @param most of the largest, at most 1; 0.33 in torchvision
   * @param ratio most height / width, and 1 / ratio the least; 3.3 in the paper
   * @param value in the rectangle
   * @source Zhong et al., AAAI 2020; torchvision {@code RandomErasing}, without its retries
   */
  public static Tensor randomErasing(
      Key key, Tensor images, double p, double least, double most, double ratio, double value) {
    Images.check("random_erasing", images);
    Check.that(
        least > 0 && least <= most && most <= 1 && ratio >= 1 && Double.isFinite(ratio),
        "random_erasing: shares ascend in (0, 1], the ratio is 1 or more: %s, %s, %s; correct them",
        least,
        most,
        ratio);
    int h = images.shape().dim(1);
    int w = images.shape().dim(2);
    List<Key> keys = key.lift(images).split(5);
    Tensor area = Draws.uniform(keys.get(0), images, least, most).mul((double) h * w);
    double log = Math.log(ratio);
    Tensor form = Draws.uniform(keys.get(1), images, -log, log).exp();
    Tensor high = area.mul(form).sqrt().round().maximum(1).minimum(h);
    Tensor wide = area.div(form).sqrt().round().maximum(1).minimum(w);
    Tensor top = high.neg().add(h + 1.0).mul(Draws.uniform(keys.get(2), images, 0, 1)).floor();
    Tensor left = wide.neg().add(w + 1.0).mul(Draws.uniform(keys.get(3), images, 0, 1)).floor();
    Tensor box = box(images, top, top.add(high), left, left.add(wide));
    return Draws.chance("random_erasing", keys.get(4), images, p)
        .and(box)
        .select(Tensor.scalar(images.dtype(), value), images);
  }

  /**
   * A square of each image replaced; its middle is any pixel, so that it may reach over the border.
   *
   * @param size of a side
   * @source DeVries and Taylor, 2017
   */
  public static Tensor cutout(Key key, Tensor images, int size, double value) {
    Images.check("cutout", images);
    Check.that(size >= 1, "cutout: the size is positive: %d; correct it", size);
    List<Key> keys = key.lift(images).split(2);
    Tensor top = edge(keys.get(0), images, 1, size);
    Tensor left = edge(keys.get(1), images, 2, size);
    return box(images, top, top.add(size), left, left.add(size))
        .select(Tensor.scalar(images.dtype(), value), images);
  }

  private static Tensor edge(Key key, Tensor images, int axis, int size) {
    return Draws.below(key, images, Math.max(1, images.shape().dim(axis)))
        .cast(Geometry.wide(images))
        .sub(size / 2);
  }

  /** bool [N, H, W, 1]: pixels with top up to, not with, bottom, and left up to right; each [N]. */
  static Tensor box(Tensor images, Tensor top, Tensor bottom, Tensor left, Tensor right) {
    Shape s = images.shape().with(3, 1);
    return within(images, s, 1, top, bottom).and(within(images, s, 2, left, right));
  }

  private static Tensor within(Tensor images, Shape s, int axis, Tensor from, Tensor to) {
    Tensor at = images.iotaLike(DType.I32, s, axis).cast(Geometry.wide(images));
    return at.greaterEqual(from.reshape(-1, 1, 1, 1)).and(at.less(to.reshape(-1, 1, 1, 1)));
  }

  /** {@link Color#brightness} by deltas in [-most, most). */
  public static Tensor randomBrightness(Key key, Tensor images, double most) {
    bound("random_brightness", most);
    Images.check("random_brightness", images);
    return Color.brightness(images, Draws.uniform(key, images, -most, most));
  }

  /**
   * Brightness, contrast, saturation and hue of each image, in an order of its own: a delta in
   * [-brightness, brightness), factors within 1 - s and 1 + s of contrast and saturation, a hue
   * moved by [-hue, hue). What has strength 0 is left out.
   *
   * @param contrast in [0, 1]
   * @param saturation in [0, 1]
   * @param hue in [0, 0.5]
   * @source torchvision {@code ColorJitter} with dm_pix's formulas
   */
  public static Tensor colorJitter(
      Key key, Tensor images, double brightness, double contrast, double saturation, double hue) {
    Images.colour("color_jitter", images);
    bound("color_jitter", brightness);
    Check.that(
        contrast >= 0
            && contrast <= 1
            && saturation >= 0
            && saturation <= 1
            && hue >= 0
            && hue <= 0.5,
        "color_jitter: contrast and saturation lie in [0, 1], hue in [0, 0.5]: %s, %s, %s; correct"
            + " them",
        contrast,
        saturation,
        hue);
    return Jitter.apply(key.lift(images), images, brightness, contrast, saturation, hue);
  }

  private static void bound(String who, double most) {
    Check.that(
        most >= 0 && Double.isFinite(most),
        "%s: the bound is finite and not negative: %s; correct it",
        who,
        most);
  }
}
