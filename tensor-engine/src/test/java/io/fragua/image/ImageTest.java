package io.fragua.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.fragua.exec.Backends;
import io.fragua.random.Key;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.Golden;
import io.fragua.testing.GradCheck;
import io.fragua.testing.Runs;
import io.fragua.testing.Tolerance;
import io.fragua.testing.Values;
import io.fragua.transform.Fn;
import io.fragua.transform.Grad;
import io.fragua.transform.Jit;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every property of every row of {@link ImageCases}. */
class ImageTest {
  /** A few roundings of numbers up to 5. */
  private static final Tolerance CLOSE = new Tolerance(16, 32);

  /** Places are computed in f32 by both, in other orders. */
  private static final Tolerance PLACES = new Tolerance(64, 64);

  static Stream<ImageCases.Case> cases() {
    return ImageCases.ALL.stream();
  }

  static Stream<ImageCases.Drawn> drawn() {
    return ImageCases.DRAWN.stream();
  }

  private static Tensor tensor(JsonNode n) {
    return Golden.floats(n.get("values"), Golden.ints(n.get("shape")));
  }

  private static Tensor images() {
    return tensor(ImageCases.GOLDEN.get("x"));
  }

  private static List<Tensor> operands(ImageCases.Case c, Tensor x) {
    return c.each() == null ? List.of(x) : List.of(x, c.each().cast(x.dtype()));
  }

  @Test
  void everyGoldenCaseIsCompared() {
    assertEquals(
        Golden.members(ImageCases.GOLDEN.get("cases")).keySet(),
        cases().map(ImageCases.Case::name).collect(Collectors.toSet()));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void valuesAreThePeers(ImageCases.Case c) {
    Tolerance t = c.name().startsWith("rotate") || c.name().equals("affine") ? PLACES : CLOSE;
    Tensor expected = tensor(ImageCases.GOLDEN.get("cases").get(c.name()));
    List<Tensor> in = operands(c, images());
    List<TensorType> types = in.stream().map(Tensor::type).toList();
    assertNull(t.difference(expected, c.f().apply(in).get(0)), "eager");
    for (var b : List.of(Backends.reference(), Backends.cpu())) {
      assertNull(t.difference(expected, Runs.on(b, Jit.graph(c.f(), types), in).get(0)), b.name());
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void gradientsAreDifferences(ImageCases.Case c) {
    Tensor x = Values.range(0.05, 0.95).make(TensorType.of(DType.F64, 2, 6, 5, 3), 8);
    if (c.smooth()) {
      List<Tensor> at = operands(c, x);
      // off the places where a slope jumps
      List<Tensor> moved = at.size() == 1 ? at : List.of(at.get(0), at.get(1).add(0.0137));
      assertNull(GradCheck.first(c.f(), moved));
    }
    // colours where a branch is taken: finite, too
    List<Tensor> in = operands(c, images());
    Fn sum = a -> List.of(c.f().apply(a).get(0).sum());
    for (float v : Grad.grad(sum, 0).apply(in).get(0).toFloats()) {
      assertTrue(Float.isFinite(v), "gradient " + v);
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void everyImageIsItsOwn(ImageCases.Case c) {
    Tensor x = images();
    Tensor all = c.f().apply(operands(c, x)).get(0);
    for (int i = 0; i < 2; i++) {
      int n = i;
      List<Tensor> one = operands(c, x).stream().map(t -> t.slice(0, n, n + 1)).toList();
      assertNull(CLOSE.difference(all.slice(0, i, i + 1), c.f().apply(one).get(0)), "image " + i);
    }
    List<Tensor> none = operands(c, x).stream().map(t -> t.slice(0, 0, 0)).toList();
    assertEquals(all.shape().with(0, 0), c.f().apply(none).get(0).shape());
  }

  private static Tensor many(int n) {
    return Values.range(0, 1).make(TensorType.of(DType.F32, n, 6, 5, 3), 4);
  }

  private static Fn function(ImageCases.Drawn d) {
    return a -> List.of(d.f().apply(new Key(a.get(0)), a.get(1)));
  }

  @ParameterizedTest
  @MethodSource("drawn")
  void theKeyDecides(ImageCases.Drawn d) {
    Tensor x = many(8);
    List<Tensor> in = List.of(Key.of(1).tensor(), x);
    Tensor eager = d.f().apply(Key.of(1), x);
    List<TensorType> types = in.stream().map(Tensor::type).toList();
    for (var b : List.of(Backends.reference(), Backends.cpu())) {
      Tensor y = Runs.on(b, Jit.graph(function(d), types), in).get(0);
      assertNull(PLACES.difference(eager, y), b.name());
    }
    assertNull(Tolerance.BITS.difference(eager, d.f().apply(Key.of(1), x)));
    assertNotNull(Tolerance.BITS.difference(eager, d.f().apply(Key.of(2), x)));
    // a key that is captured, as an augmentation in a training step has it
    Fn captured = Fn.of(t -> d.f().apply(Key.of(1), t));
    assertNull(PLACES.difference(eager, Jit.jit(captured).call(x)));
    assertEquals(0, d.f().apply(Key.of(1), many(0)).shape().dim(0));
  }

  @ParameterizedTest
  @MethodSource("drawn")
  void imagesDifferInWhatTheyGet(ImageCases.Drawn d) {
    Tensor one = many(2).slice(0, 0, 1);
    Tensor y = d.f().apply(Key.of(1), repeated(one, 16));
    if (d.name().equals("mixup") || d.name().equals("cutmix")) {
      y = d.f().apply(Key.of(1), many(16)).sub(many(16)); // mixing an image with itself is nothing
    }
    int different = 0;
    for (int i = 1; i < 16; i++) {
      boolean same = CLOSE.difference(y.slice(0, 0, 1), y.slice(0, i, i + 1)) == null;
      different += same ? 0 : 1;
    }
    assertTrue(different >= 4, "only " + different + " of 15 differ from the first");
  }

  private static Tensor repeated(Tensor one, int n) {
    return io.fragua.tensor.Movement.concat(
        0, new ArrayList<>(java.util.Collections.nCopies(n, one)));
  }

  @ParameterizedTest
  @MethodSource("drawn")
  void randomChangesHaveGradients(ImageCases.Drawn d) {
    Tensor x = Values.range(0.05, 0.95).make(TensorType.of(DType.F64, 3, 6, 5, 3), 8);
    assertNull(GradCheck.first(Fn.of(t -> d.f().apply(Key.of(3), t)), List.of(x)));
  }

  private static double mean(Tensor t) {
    return t.cast(DType.F64).mean().item();
  }

  @Test
  void chancesAndSizesAreAsAskedFor() {
    int n = 4000;
    Tensor x = Tensor.full(TensorType.of(DType.F32, n, 6, 5, 3), 1);
    Tensor applied = Augment.randomApply(Key.of(0), x, 0.3, Color::invert);
    assertEquals(0.7, mean(applied), 5 * Math.sqrt(0.21 / n));
    // erased areas lie between the bounds, the mean in their middle, as long as they fit
    Tensor erased = Augment.randomErasing(Key.of(1), x, 1, 0.2, 0.4, 1.01, 0);
    Tensor shares = erased.mean(1, 2, 3).neg().add(1);
    assertTrue(shares.min().item() >= 3 / 30.0 && shares.max().item() <= 16 / 30.0);
    assertEquals(0.3, mean(shares), 0.02);
    // a square of three over a border of six by five: 2.67 and 2.6 rows and columns are inside
    Tensor cut = Augment.cutout(Key.of(2), x, 3, 0);
    assertEquals(1 - (16 / 6.0) * (13 / 5.0) / 30, mean(cut), 0.005);
    assertTrue(cut.mean(1, 2, 3).max().item() <= 1 - 4 / 30.0 + 1e-6);
  }

  @Test
  void everyPlaceIsCropped() {
    int n = 3000;
    Tensor one = Tensor.of(new float[] {0, 1, 2, 3, 4, 5}, 1, 2, 3, 1);
    float[] first = Augment.randomCrop(Key.of(0), repeated(one, n), 1, 2).slice(2, 0, 1).toFloats();
    int[] seen = new int[6];
    for (float v : first) {
      seen[(int) v]++;
    }
    for (int place : new int[] {0, 1, 3, 4}) {
      assertEquals(n / 4.0, seen[place], 5 * Math.sqrt(n * 3 / 16.0));
    }
  }

  @Test
  void jitterStaysInItsBoundsAndLeavesOutStrengthZero() {
    int n = 2000;
    Tensor x = repeated(many(1), n);
    Tensor delta = Augment.colorJitter(Key.of(5), x, 0.3, 0, 0, 0).sub(x).mean(1, 2, 3);
    assertEquals(0, mean(delta), 5 * 0.3 / Math.sqrt(3.0 * n));
    assertTrue(delta.max().item() < 0.3 && delta.max().item() > 0.29);
    assertNull(CLOSE.difference(x, Augment.colorJitter(Key.of(5), x, 0, 0, 0, 0)));
    Tensor all = Augment.colorJitter(Key.of(5), x, 0.3, 0.4, 0.5, 0.2);
    assertTrue(all.sub(x).abs().mean(1, 2, 3).min().item() > 1e-4);
  }

  @Test
  void bothOrdersOfTwoChangesAreEquallyLikely() {
    int n = 400;
    Tensor x = many(n);
    Tensor y = Augment.colorJitter(Key.of(5), x, 0, 0.4, 0.5, 0);
    List<Key> keys = Key.of(5).split(8);
    Tensor b = Draws.uniform(keys.get(1), x, 0.6, 1.4);
    Tensor s = Draws.uniform(keys.get(2), x, 0.5, 1.5);
    Tensor first = Color.saturation(Color.contrast(x, b), s).sub(y).abs().max(1, 2, 3);
    Tensor second = Color.contrast(Color.saturation(x, s), b).sub(y).abs().max(1, 2, 3);
    assertTrue(first.minimum(second).max().item() < 1e-5);
    assertEquals(0.5, mean(first.less(1e-5).cast(DType.F32)), 5 * 0.5 / Math.sqrt(n));
  }

  /** The mean of a gamma number's logarithm is digamma(alpha), its variance trigamma(alpha). */
  @Test
  void gammaNumbersHaveTheirLogarithm() {
    int n = 200000;
    Tensor x = Tensor.zeros(DType.F32, n, 1, 1, 1);
    double[][] known = {{0.5, -1.963510026, 4.934802201}, {1, -0.577215665, 1.644934067}};
    for (double[] k : known) {
      Tensor log = Draws.logGamma(Key.of(11), x, k[0]);
      assertEquals(k[1], mean(log), 4.5 * Math.sqrt(k[2] / n), "alpha " + k[0]);
      assertEquals(k[2], mean(log.sub(k[1]).square()), 0.04 * k[2]);
    }
  }

  /** Mean 1/2 and variance 1 / (4 (2 alpha + 1)) of Beta(alpha, alpha), also for tiny alpha. */
  @Test
  void sharesAreBeta() {
    int n = 20000;
    Tensor x = Tensor.zeros(DType.F32, n, 1, 1, 1);
    for (double alpha : new double[] {0.02, 0.2, 1, 3}) {
      Tensor s = Draws.beta(Key.of(7), x, alpha);
      double variance = 1 / (4 * (2 * alpha + 1));
      assertEquals(0.5, mean(s), 5 * Math.sqrt(variance / n), "alpha " + alpha);
      assertEquals(variance, mean(s.sub(0.5).square()), 0.02 * variance + 0.002);
      assertTrue(s.min().item() >= 0 && s.max().item() <= 1);
    }
  }

  @Test
  void labelsAreMixedAsTheImagesAre() {
    int n = 50;
    Tensor ids = io.fragua.tensor.Movement.iota(DType.I32, io.fragua.tensor.Shape.of(n), 0);
    Tensor x = ids.cast(DType.F32).reshape(n, 1, 1, 1);
    Tensor flat = x.broadcastTo(io.fragua.tensor.Shape.of(n, 6, 5, 3));
    Tensor labels = ids.oneHot(n, DType.F32);
    for (Mix.Mixed m :
        List.of(Mix.mixup(Key.of(0), flat, labels, 0.5), Mix.cutmix(Key.of(0), flat, labels, 1))) {
      // an image of one value has this mean, whatever was mixed in
      Tensor expected = m.labels().mul(ids.cast(DType.F32).reshape(1, n)).sum(1);
      assertNull(new Tolerance(64, 64 * 50).difference(expected, m.images().mean(1, 2, 3)));
      assertNull(CLOSE.difference(Tensor.full(TensorType.of(DType.F32, n), 1), m.labels().sum(1)));
      assertTrue(m.labels().max(1).min().item() < 0.99, "nothing was mixed");
    }
  }

  @Test
  void aWholeResizedCropIsTheImage() {
    Tensor x = many(3);
    Tensor y = Augment.randomResizedCrop(Key.of(0), x, 6, 5, 1, 1);
    // a form of 1 does not fit 6 x 5: the long side is cut to sqrt(30)
    assertEquals(x.shape(), y.shape());
    Tensor square = x.slice(1, 0, 5);
    assertNull(CLOSE.difference(square, Augment.randomResizedCrop(Key.of(0), square, 5, 5, 1, 1)));
  }

  /** bf16 has only even numbers above 256, so places are f32: every column is its own. */
  @ParameterizedTest
  @EnumSource(names = {"F16", "BF16"})
  void placesOfHalfTypesAreF32(DType half) {
    int w = half == DType.F16 ? 2500 : 400;
    Tensor x = Values.range(0, 1).make(TensorType.of(DType.F32, 2, 3, w, 1), 1).cast(half);
    Tensor coefficients = Tensor.of(new float[] {-1, 0, w - 1, 0, 1, 0, 1, 0, 1, 0, 1, 0}, 2, 6);
    Key key = Key.of(3);
    List<UnaryOperator<Tensor>> all =
        List.of(
            t -> Geometry.rotate(t, 3),
            t -> Geometry.affine(t, coefficients, 0),
            t -> Augment.randomCrop(key, t, 2, 5),
            t -> Augment.randomRotate(key, t, 3),
            t -> Augment.randomResizedCrop(key, t, 3, 10, 0.1, 2),
            t -> Augment.randomErasing(key, t, 1, 0.1, 0.5, 3, 0),
            t -> Augment.cutout(key, t, 3, 0),
            t -> Mix.mixup(key, t, Tensor.zeros(DType.F32, 2, 2), 1).images(),
            t -> Mix.cutmix(key, t, Tensor.zeros(DType.F32, 2, 2), 1).images());
    Tolerance close = new Tolerance(4, 2);
    for (int i = 0; i < all.size(); i++) {
      Tensor expected = all.get(i).apply(x.cast(DType.F32)).cast(half);
      assertNull(close.difference(expected, all.get(i).apply(x)), "change " + i);
    }
    Tensor turned = Geometry.affine(x, coefficients, 0).slice(0, 0, 1);
    assertNull(Tolerance.EQUAL.difference(x.slice(0, 0, 1).reverse(2), turned));
    Tensor rows = Tensor.zeros(DType.F32, 2, 1, 1);
    assertNull(
        Tolerance.EQUAL.difference(
            x.slice(1, 0, 1).slice(2, 257, 258), Geometry.sample(x, rows, rows.add(257), 0)));
  }

  @Test
  void wrongUseIsExplained() {
    Tensor x = Tensor.zeros(DType.F32, 2, 4, 4, 3);
    Tensor grey = Tensor.zeros(DType.F32, 2, 4, 4, 1);
    Tensor bytes = Tensor.zeros(DType.U8, 2, 4, 4, 3);
    error(
        "flip_left_right: images are floating [N, H, W, C]: u8[2, 4, 4, 3]; use Images.fromBytes,"
            + " cast or reshape them",
        () -> Geometry.flipLeftRight(bytes));
    error(
        "from_bytes: images are u8 [N, H, W, C]: f32[2, 4, 4, 3]; cast or reshape them",
        () -> Images.fromBytes(x));
    error(
        "hue: takes images of red, green and blue: f32[2, 4, 4, 1]; leave grey images out",
        () -> Color.hue(grey, 0.1));
    error(
        "crop: the part lies in the image: rows from 2, columns from 0, 3 x 4 of f32[2, 4, 4, 3];"
            + " correct it, or pad first",
        () -> Geometry.crop(x, 2, 0, 3, 4));
    error(
        "brightness: takes one number of the images' dtype for each image: f32[3] for f32[2, 4, 4,"
            + " 3]; reshape or cast it",
        () -> Color.brightness(x, Tensor.zeros(DType.F32, 3)));
    error(
        "gaussian_blur: the size is odd and its half below height and width: 4 for f32[2, 4, 4,"
            + " 3]; correct it",
        () -> Filters.gaussianBlur(x, 4, 1));
    error(
        "random_crop: the part is not empty and not larger than the image: 5 x 4 of f32[2, 4, 4,"
            + " 3]; pad first, or correct it",
        () -> Augment.randomCrop(Key.of(0), x, 5, 4));
    error(
        "random_apply: a probability lies in [0, 1]: 1.5; correct it",
        () -> Augment.randomFlipUpDown(Key.of(0), x, 1.5));
    error(
        "mixup: labels are floating [N, K], a distribution for each image: i32[2] for f32[2, 4, 4,"
            + " 3]; use oneHot",
        () -> Mix.mixup(Key.of(0), x, Tensor.of(new int[2], 2), 1));
    error(
        "resize: images and results have pixels: f32[2, 4, 4, 3] to 0 x 3; correct the size",
        () -> Filters.resize(x, 0, 3, Interpolation.NEAREST));
    error(
        "normalize: needs a mean and a deviation above 0 for each channel: [0.0], [1.0] for"
            + " f32[2, 4, 4, 3]; correct them",
        () -> Images.normalize(x, new double[] {0}, new double[] {1}));
  }

  private static void error(String message, Executable wrong) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, wrong).getMessage());
  }

  /** An image whose matrices would have 10^10 elements. */
  @Test
  void longImagesNeedNoMatrix() {
    int n = 100_000;
    Tensor x = Tensor.full(TensorType.of(DType.F32, 1, 2, n, 1), 3);
    for (Interpolation by : Interpolation.values()) {
      for (int to : new int[] {n / 7, n + 1}) {
        Tensor y = Filters.resize(x, 2, to, by);
        assertEquals(3, y.min().item(), 1e-5, by + " to " + to);
        assertEquals(3, y.max().item(), 1e-5, by + " to " + to);
      }
    }
    Tensor blurred = Filters.gaussianBlur(x.reshape(1, n, 2, 1), 3, 1);
    assertEquals(3, blurred.max().item(), 1e-5);
  }
}
