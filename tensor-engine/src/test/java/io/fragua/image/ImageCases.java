package io.fragua.image;

import com.fasterxml.jackson.databind.JsonNode;
import io.fragua.random.Key;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.testing.Golden;
import io.fragua.transform.Fn;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;

/** One row for each function of images; {@link ImageTest} checks every property of each. */
final class ImageCases {
  static final JsonNode GOLDEN = Golden.json("image.json");

  /**
   * A row of what is not random.
   *
   * @param name also in {@code golden/image.json}
   * @param f of the images and, if {@code each}, of one number for each image
   * @param smooth true if its gradient is compared with differences
   */
  record Case(String name, Fn f, Tensor each, boolean smooth) {
    @Override
    public String toString() {
      return name;
    }
  }

  /**
   * A row of what is random.
   *
   * @param f of key and images; results have the images in front
   */
  record Drawn(String name, BiFunction<Key, Tensor, Tensor> f) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static final Tensor STRENGTHS = Golden.floats(GOLDEN.get("strengths"), 2);
  private static final Tensor ANGLES = Golden.floats(GOLDEN.get("angles"), 2);
  private static final Tensor PLACES = Golden.floats(GOLDEN.get("coefficients"), 2, 6);
  private static final double[] MEAN = {0.5, 0.4, 0.3};
  private static final double[] STD = {0.2, 0.3, 0.25};

  static final List<Case> ALL =
      List.of(
          row("flip left right", Geometry::flipLeftRight),
          row("flip up down", Geometry::flipUpDown),
          row("rot90", x -> Geometry.rot90(x, 1)),
          row("rot90 thrice", x -> Geometry.rot90(x, -1)),
          row("crop", x -> Geometry.crop(x, 1, 2, 4, 2)),
          row("center crop", x -> Geometry.centerCrop(x, 4, 3)),
          row("pad", x -> Geometry.pad(x, 2, 0, 1, 3, 0.5)),
          row("resize with crop or pad", x -> Geometry.resizeWithCropOrPad(x, 4, 9)),
          resize("resize up nearest", 13, 7, Interpolation.NEAREST),
          resize("resize down nearest", 4, 3, Interpolation.NEAREST),
          resize("resize up bilinear", 13, 7, Interpolation.BILINEAR),
          resize("resize down bilinear", 4, 3, Interpolation.BILINEAR),
          row(
              "resize down bilinear aliased",
              x -> Filters.resize(x, 2, 2, Interpolation.BILINEAR, false)),
          resize("resize up bicubic", 13, 7, Interpolation.BICUBIC),
          resize("resize down bicubic", 3, 5, Interpolation.BICUBIC),
          resize("resize mixed lanczos", 4, 11, Interpolation.LANCZOS3),
          row("gaussian blur", x -> Filters.gaussianBlur(x, 5, 1.1)),
          row("gaussian blur of one", x -> Filters.gaussianBlur(x, 1, 0.5)),
          row("rotate", x -> Geometry.rotate(x, 30)),
          each("rotate each", ANGLES, (x, a) -> Geometry.rotate(x, a)),
          each("affine", PLACES, (x, a) -> Geometry.affine(x, a, 0.3)),
          row("brightness", x -> Color.brightness(x, -0.2)),
          each("brightness each", STRENGTHS, (x, a) -> Color.brightness(x, a)),
          row("contrast", x -> Color.contrast(x, 1.6)),
          each("contrast each", STRENGTHS, (x, a) -> Color.contrast(x, a)),
          row("saturation", x -> Color.saturation(x, 0.3)),
          each("saturation each", STRENGTHS, (x, a) -> Color.saturation(x, a)),
          row("hue", x -> Color.hue(x, 0.4)),
          each("hue each", STRENGTHS, (x, a) -> Color.hue(x, a.sub(1))),
          row("gamma", x -> Color.gamma(x, 2.2, 0.9)),
          row("grayscale", x -> Color.grayscale(x, 1)),
          row("grayscale of three", x -> Color.grayscale(x, 3)),
          row("solarize", x -> Color.solarize(x, 0.4)),
          row("invert", Color::invert),
          new Case("posterize", Fn.of(x -> Color.posterize(x, 3)), null, false),
          row("rgb to hsv", Color::rgbToHsv),
          row("hsv to rgb", Color::hsvToRgb),
          row("normalize", x -> Images.normalize(x, MEAN, STD)),
          new Case("bytes", Fn.of(ImageCases::throughBytes), null, false));

  static final List<Drawn> DRAWN =
      List.of(
          new Drawn("flip left right", (k, x) -> Augment.randomFlipLeftRight(k, x, 0.5)),
          new Drawn("flip up down", (k, x) -> Augment.randomFlipUpDown(k, x, 0.5)),
          new Drawn("apply", (k, x) -> Augment.randomApply(k, x, 0.5, Color::invert)),
          new Drawn("crop", (k, x) -> Augment.randomCrop(k, x, 5, 3)),
          new Drawn("resized crop", (k, x) -> Augment.randomResizedCrop(k, x, 4, 5, 0.2, 4 / 3.0)),
          new Drawn("rotate", (k, x) -> Augment.randomRotate(k, x, 45)),
          new Drawn("erasing", (k, x) -> Augment.randomErasing(k, x, 0.8, 0.1, 0.5, 2, 0.5)),
          new Drawn("cutout", (k, x) -> Augment.cutout(k, x, 3, 0)),
          new Drawn("brightness", (k, x) -> Augment.randomBrightness(k, x, 0.3)),
          new Drawn("color jitter", (k, x) -> Augment.colorJitter(k, x, 0.3, 0.4, 0.5, 0.2)),
          new Drawn("mixup", (k, x) -> Mix.mixup(k, x, labels(x), 0.7).images()),
          new Drawn("cutmix", (k, x) -> Mix.cutmix(k, x, labels(x), 1).images()));

  private ImageCases() {}

  private static Tensor throughBytes(Tensor x) {
    Tensor y = Images.fromBytes(Images.toBytes(x));
    return y.cast(x.dtype());
  }

  /** Labels that differ, so that a mixed one tells its shares. */
  static Tensor labels(Tensor x) {
    int n = x.shape().dim(0);
    return io.fragua.tensor.Movement.iota(DType.I32, io.fragua.tensor.Shape.of(n), 0)
        .oneHot(n, DType.F32);
  }

  private static Case row(String name, UnaryOperator<Tensor> f) {
    return new Case(name, Fn.of(f), null, true);
  }

  private static Case resize(String name, int h, int w, Interpolation by) {
    return row(name, x -> Filters.resize(x, h, w, by));
  }

  private static Case each(String name, Tensor each, BiFunction<Tensor, Tensor, Tensor> f) {
    return new Case(name, a -> List.of(f.apply(a.get(0), a.get(1))), each, true);
  }
}
