package io.fragua.examples.bench;

import io.fragua.nn.Activations;
import io.fragua.nn.BatchNorm;
import io.fragua.nn.Conv;
import io.fragua.nn.Dense;
import io.fragua.nn.Flatten;
import io.fragua.nn.GlobalAvgPool;
import io.fragua.nn.Layer;
import io.fragua.nn.MaxPool;
import io.fragua.nn.Padding;
import io.fragua.nn.Scope;
import io.fragua.nn.Sequential;
import io.fragua.tensor.Tensor;

/** Networks over images. */
final class ImageNetworks {
  private ImageNetworks() {}

  /**
   * ResNet-50 with the stride in the 3x3 convolutions ("v1.5"): images [N, side, side, 3] to logits
   * [N, classes].
   *
   * @source He et al., CVPR 2016, table 1; torchvision {@code resnet50}
   */
  static Layer resNet50(int classes) {
    int[] blocks = {3, 4, 6, 3};
    int width = 64;
    return (s, x) -> {
      Tensor y = conv(s, "stem", x, new Conv(width, 7, 7).withStrides(2, 2).withPadding(3, 3));
      y = new MaxPool(3, 3).withStrides(2, 2).withPadding(1, 1).apply(s, y.relu());
      for (int stage = 0; stage < blocks.length; stage++) {
        for (int b = 0; b < blocks[stage]; b++) {
          int stride = stage > 0 && b == 0 ? 2 : 1;
          Scope block = s.child("stage_" + stage + "_block_" + b);
          y = bottleneck(block, y, width << stage, stride, b == 0);
        }
      }
      return new Dense(classes).apply(s.child("head"), new GlobalAvgPool().apply(s, y));
    };
  }

  private static Tensor bottleneck(Scope s, Tensor x, int width, int stride, boolean project) {
    Tensor y = conv(s, "reduce", x, new Conv(width, 1, 1)).relu();
    Conv wide = new Conv(width, 3, 3).withStrides(stride, stride).withPadding(1, 1);
    y = conv(s, "wide", y, wide).relu();
    y = conv(s, "expand", y, new Conv(4 * width, 1, 1));
    Tensor around =
        project ? conv(s, "project", x, new Conv(4 * width, 1, 1).withStrides(stride, stride)) : x;
    return y.add(around).relu();
  }

  private static Tensor conv(Scope s, String name, Tensor x, Conv conv) {
    Scope part = s.child(name);
    return new BatchNorm().apply(part.child("norm"), conv.withoutBias().apply(part, x));
  }

  /** Digits [N, 28, 28, 1] to logits [N, 10]: two convolutions, a pool, two products. */
  static Layer smallCnn() {
    return new Sequential(
        new Conv(32, 3, 3).withPadding(Padding.VALID),
        Activations.get("relu"),
        new Conv(64, 3, 3).withPadding(Padding.VALID),
        Activations.get("relu"),
        new MaxPool(2, 2),
        new Flatten(),
        new Dense(128),
        Activations.get("relu"),
        new Dense(10));
  }
}
