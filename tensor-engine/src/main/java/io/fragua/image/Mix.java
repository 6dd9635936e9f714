package io.fragua.image;

import io.fragua.random.Key;
import io.fragua.tensor.Check;
import io.fragua.tensor.Movement;
import io.fragua.tensor.Tensor;
import java.util.List;

/**
 * Mixes each image of a batch, and its label, with the one before it (the first with the last), by
 * a share from Beta(alpha, alpha) of its own. Batches should be in random order.
 */
public final class Mix {
  private Mix() {}

  /**
   * A mixed batch.
   *
   * @param images of the batch's type
   * @param labels of the labels' type
   */
  public record Mixed(Tensor images, Tensor labels) {}

  /**
   * s x + (1 - s) x', for images and labels.
   *
   * @param images floating [N, H, W, C]
   * @param labels floating [N, K], for instance {@code ids.oneHot(K, F32)}
   * @param alpha above 0; 0.2 is usual
   * @source Zhang et al., ICLR 2018; torchvision {@code MixUp}, which has one share a batch
   */
  public static Mixed mixup(Key key, Tensor images, Tensor labels, double alpha) {
    check("mixup", images, labels, alpha);
    Tensor share = Draws.beta(key, images, alpha);
    return new Mixed(
        mixed(images, previous(images), share.reshape(-1, 1, 1, 1).cast(images.dtype())),
        mixed(labels, share));
  }

  /**
   * A rectangle of about (1 - s) of the area is the other image's; labels are mixed by the area
   * that it has.
   *
   * @param images floating [N, H, W, C]
   * @param labels floating [N, K]
   * @param alpha above 0; 1 is usual
   * @source Yun et al., ICCV 2019; torchvision {@code CutMix}, which has one rectangle a batch
   */
  public static Mixed cutmix(Key key, Tensor images, Tensor labels, double alpha) {
    check("cutmix", images, labels, alpha);
    int h = images.shape().dim(1);
    int w = images.shape().dim(2);
    List<Key> keys = key.lift(images).split(3);
    Tensor side = Draws.beta(keys.get(0), images, alpha).neg().add(1).sqrt();
    Tensor row = Draws.below(keys.get(1), images, Math.max(1, h)).cast(side.dtype());
    Tensor column = Draws.below(keys.get(2), images, Math.max(1, w)).cast(side.dtype());
    Tensor high = side.mul(h / 2.0).floor();
    Tensor wide = side.mul(w / 2.0).floor();
    Tensor top = row.sub(high).maximum(0);
    Tensor bottom = row.add(high).minimum(h);
    Tensor left = column.sub(wide).maximum(0);
    Tensor right = column.add(wide).minimum(w);
    Tensor box = Augment.box(images, top, bottom, left, right);
    Tensor area = bottom.sub(top).mul(right.sub(left)).div(Math.max(1.0, (double) h * w));
    return new Mixed(box.select(previous(images), images), mixed(labels, area.neg().add(1)));
  }

  private static Tensor mixed(Tensor labels, Tensor share) {
    return mixed(labels, previous(labels), share.reshape(-1, 1).cast(labels.dtype()));
  }

  private static Tensor mixed(Tensor a, Tensor b, Tensor share) {
    return a.mul(share).add(b.mul(share.neg().add(1)));
  }

  private static Tensor previous(Tensor x) {
    int n = x.shape().dim(0);
    return n < 2 ? x : Movement.concat(0, List.of(x.slice(0, n - 1, n), x.slice(0, 0, n - 1)));
  }

  private static void check(String who, Tensor images, Tensor labels, double alpha) {
    Images.check(who, images);
    Check.shape(
        labels.shape().rank() == 2
            && labels.dtype().isFloating()
            && labels.shape().dim(0) == images.shape().dim(0),
        "%s: labels are floating [N, K], a distribution for each image: %s for %s; use oneHot",
        who,
        labels.type(),
        images.type());
    Check.that(
        alpha > 0 && Double.isFinite(alpha), "%s: alpha is above 0: %s; correct it", who, alpha);
  }
}
