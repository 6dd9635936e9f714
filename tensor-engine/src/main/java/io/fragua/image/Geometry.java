package io.fragua.image;

import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;

/** Moves pixels. Images are floating [N, H, W, C]; row 0 is the top. */
public final class Geometry {
  private Geometry() {}

  /**
   * Left and right exchanged.
   *
   * @source dm_pix {@code flip_left_right}
   */
  public static Tensor flipLeftRight(Tensor images) {
    Images.check("flip_left_right", images);
    return images.reverse(2);
  }

  /**
   * Top and bottom exchanged.
   *
   * @source dm_pix {@code flip_up_down}
   */
  public static Tensor flipUpDown(Tensor images) {
    Images.check("flip_up_down", images);
    return images.reverse(1);
  }

  /**
   * Quarter turns, counter-clockwise.
   *
   * @param turns any number; negative ones are clockwise
   * @source NumPy {@code rot90}
   */
  public static Tensor rot90(Tensor images, int turns) {
    Images.check("rot90", images);
    return switch (Math.floorMod(turns, 4)) {
      case 1 -> images.transpose(0, 2, 1, 3).reverse(1);
      case 2 -> images.reverse(1).reverse(2);
      case 3 -> images.transpose(0, 2, 1, 3).reverse(2);
      default -> images;
    };
  }

  /**
   * A part.
   *
   * @param top first row
   * @param left first column
   * @return [N, height, width, C]
   */
  public static Tensor crop(Tensor images, int top, int left, int height, int width) {
    Images.check("crop", images);
    Check.shape(
        top >= 0
            && left >= 0
            && height >= 0
            && width >= 0
            && (long) top + height <= images.shape().dim(1)
            && (long) left + width <= images.shape().dim(2),
        "crop: the part lies in the image: rows from %d, columns from %d, %d x %d of %s; correct"
            + " it, or pad first",
        top,
        left,
        height,
        width,
        images.type());
    return images.slice(1, top, top + height).slice(2, left, left + width);
  }

  /**
   * The middle; an axis that is not larger stays as it is.
   *
   * @return [N, min(H, height), min(W, width), C]
   * @source dm_pix {@code center_crop}
   */
  public static Tensor centerCrop(Tensor images, int height, int width) {
    Images.check("center_crop", images);
    sizes("center_crop", height, width);
    int h = images.shape().dim(1);
    int w = images.shape().dim(2);
    int top = Math.max(h / 2 - height / 2, 0);
    int left = Math.max(w / 2 - width / 2, 0);
    return crop(images, top, left, Math.min(height, h - top), Math.min(width, w - left));
  }

  /** A frame of one value around; sizes are not negative. */
  public static Tensor pad(Tensor images, int top, int bottom, int left, int right, double value) {
    Images.check("pad", images);
    Check.shape(
        top >= 0 && bottom >= 0 && left >= 0 && right >= 0,
        "pad: sizes are not negative: %d, %d, %d, %d; crop instead",
        top,
        bottom,
        left,
        right);
    return images.pad(1, top, bottom, value).pad(2, left, right, value);
  }

  /**
   * As large as asked for, with zeros around the image in the middle; an axis that is larger stays.
   *
   * @source dm_pix {@code pad_to_size}
   */
  public static Tensor padToSize(Tensor images, int height, int width) {
    Images.check("pad_to_size", images);
    sizes("pad_to_size", height, width);
    int dh = Math.max(height - images.shape().dim(1), 0);
    int dw = Math.max(width - images.shape().dim(2), 0);
    return pad(images, dh / 2, dh - dh / 2, dw / 2, dw - dw / 2, 0);
  }

  /**
   * Exactly as large as asked for: the middle of what is larger, zeros around what is smaller.
   *
   * @return [N, height, width, C]
   * @source dm_pix {@code resize_with_crop_or_pad}
   */
  public static Tensor resizeWithCropOrPad(Tensor images, int height, int width) {
    return padToSize(centerCrop(images, height, width), height, width);
  }

  private static void sizes(String who, int height, int width) {
    Check.shape(
        height >= 1 && width >= 1,
        "%s: sizes are positive: %d x %d; correct them",
        who,
        height,
        width);
  }

  /**
   * Turned around the middle, counter-clockwise, keeping the size; corners that come from outside
   * are 0.
   *
   * @source torchvision {@code rotate(interpolation=BILINEAR)}
   */
  public static Tensor rotate(Tensor images, double degrees) {
    Images.check("rotate", images);
    int n = images.shape().dim(0);
    Tensor angle = Tensor.scalar(wide(images), degrees).lift(images);
    return rotate(images, angle.broadcastTo(Shape.of(n)));
  }

  /**
   * As {@link #rotate(Tensor, double)}, with an angle for each image.
   *
   * @param degrees [N] of the images' dtype, or f32
   */
  public static Tensor rotate(Tensor images, Tensor degrees) {
    Images.check("rotate", images);
    Tensor a = Images.numbers("rotate", images, degrees).mul(Math.PI / 180);
    Tensor cos = a.cos().reshape(-1, 1, 1);
    Tensor sin = a.sin().reshape(-1, 1, 1);
    Shape s = images.shape();
    double my = (s.dim(1) - 1) / 2.0;
    double mx = (s.dim(2) - 1) / 2.0;
    Tensor y = grid(images, 1).sub(my);
    Tensor x = grid(images, 2).sub(mx);
    // where each pixel of the result comes from
    Tensor fromX = x.mul(cos).sub(y.mul(sin)).add(mx);
    Tensor fromY = x.mul(sin).add(y.mul(cos)).add(my);
    return sample(images, fromY, fromX, 0);
  }

  /** The type of coordinates: bf16 has whole numbers up to 256 alone. */
  static DType wide(Tensor images) {
    return images.dtype().wide();
  }

  /** Row (axis 1) or column (axis 2) numbers, [1, H, W]. */
  private static Tensor grid(Tensor images, int axis) {
    Shape s = images.shape();
    return images.iotaLike(DType.I32, Shape.of(1, s.dim(1), s.dim(2)), axis).cast(wide(images));
  }

  /**
   * Every image moved, turned, scaled and sheared: pixel (x, y) of the result comes from (a x + b y
   * + c, d x + e y + f), x to the right and y down.
   *
   * @param coefficients [N, 6]: a to f, of the images' dtype, or f32
   * @param fill for what comes from outside
   */
  public static Tensor affine(Tensor images, Tensor coefficients, double fill) {
    Images.check("affine", images);
    int n = images.shape().dim(0);
    Check.shape(
        coefficients.shape().equals(Shape.of(n, 6)) && Images.fits(images, coefficients),
        "affine: takes six coefficients of the images' dtype for each: %s for %s; reshape or cast"
            + " them",
        coefficients.type(),
        images.type());
    Tensor[] c = new Tensor[6];
    for (int i = 0; i < 6; i++) {
      c[i] = coefficients.slice(1, i, i + 1).reshape(n, 1, 1).cast(wide(images));
    }
    Tensor y = grid(images, 1);
    Tensor x = grid(images, 2);
    return sample(
        images,
        c[3].mul(x).add(c[4].mul(y)).add(c[5]),
        c[0].mul(x).add(c[1].mul(y)).add(c[2]),
        fill);
  }

  /**
   * Values at any places, each of the four pixels around weighed by nearness; differentiable by
   * pixels and places.
   *
   * @param rows [N, h, w], of the images' dtype or, where that cannot tell places apart, f32; 0 is
   *     the middle of the top row
   * @param columns [N, h, w]
   * @param fill the value of all pixels outside
   * @return [N, h, w, C]
   * @source PyTorch {@code grid_sample}; SciPy {@code map_coordinates(order=1, mode="constant")}
   */
  public static Tensor sample(Tensor images, Tensor rows, Tensor columns, double fill) {
    int channels = Images.check("sample", images);
    Check.shape(
        rows.type().equals(columns.type())
            && rows.shape().rank() == 3
            && rows.shape().dim(0) == images.shape().dim(0)
            && Images.fits(images, rows),
        "sample: places are two [N, h, w] of the images' dtype: %s, %s for %s; reshape or cast"
            + " them",
        rows.type(),
        columns.type(),
        images.type());
    Shape to = rows.shape();
    if (images.shape().dim(1) == 0 || images.shape().dim(2) == 0 || images.shape().dim(0) == 0) {
      return Tensor.scalar(images.dtype(), fill)
          .lift(images)
          .broadcastTo(to.concat(Shape.of(channels)));
    }
    Tensor sum = null;
    for (int dy = 0; dy < 2; dy++) {
      for (int dx = 0; dx < 2; dx++) {
        Tensor y = rows.floor().add(dy);
        Tensor x = columns.floor().add(dx);
        Tensor near = one(rows.sub(y).abs()).mul(one(columns.sub(x).abs()));
        Tensor value = pixel(images, y, x, fill).cast(near.dtype()).mul(near.expandDims(3));
        sum = sum == null ? value : sum.add(value);
      }
    }
    return sum.cast(images.dtype());
  }

  private static Tensor one(Tensor distance) {
    return distance.neg().add(1);
  }

  private static Tensor pixel(Tensor images, Tensor y, Tensor x, double fill) {
    Shape s = images.shape();
    Tensor inside = within(y, s.dim(1)).and(within(x, s.dim(2)));
    Tensor row = y.maximum(0).minimum(s.dim(1) - 1.0).cast(DType.I32);
    Tensor column = x.maximum(0).minimum(s.dim(2) - 1.0).cast(DType.I32);
    return inside
        .expandDims(3)
        .select(at(images, row, column), Tensor.scalar(images.dtype(), fill));
  }

  private static Tensor within(Tensor v, int size) {
    return v.greater(-0.5).and(v.less(size - 0.5));
  }

  /** Pixels by row and column, i32 [N, h, w] inside the image; [N, h, w, C]. */
  static Tensor at(Tensor images, Tensor row, Tensor column) {
    Shape s = images.shape();
    Tensor image = images.iotaLike(DType.I32, row.shape(), 0);
    Tensor id = image.mul(s.dim(1)).add(row).mul(s.dim(2)).add(column);
    return images.reshape(s.dim(0) * s.dim(1) * s.dim(2), s.dim(3)).gather(id);
  }
}
