package io.fragua.nn;

import static io.fragua.nn.LayerCases.f32;
import static io.fragua.nn.LayerCases.row;

import io.fragua.tensor.TensorType;
import java.util.List;

/** Rows of {@link LayerCases} over images: convolutions, pools, norms of channels. */
final class WindowLayerCases {
  private WindowLayerCases() {}

  static List<LayerCases.Case> all() {
    return List.of(
        conv(
                "conv",
                new Conv(4, 3, 3),
                "Conv(4, [3, 3], strides [1, 1], padding SAME, dilations [1, 1], groups 1, bias)",
                f32(2, 5, 4, 3),
                "{kernel: f32[3, 3, 3, 4], bias: f32[4]}",
                f32(2, 5, 4, 4))
            .golden(),
        conv(
                "conv 1d",
                new Conv(2, 3).withStrides(2).withPadding(Padding.VALID),
                "Conv(2, [3], strides [2], padding VALID, dilations [1], groups 1, bias)",
                f32(2, 8, 3),
                "{kernel: f32[3, 3, 2], bias: f32[2]}",
                f32(2, 3, 2))
            .golden(),
        conv(
                "conv 3d",
                new Conv(2, 2, 1, 2).withStrides(1, 2, 2),
                "Conv(2, [2, 1, 2], strides [1, 2, 2], padding SAME, dilations [1, 1, 1], groups 1,"
                    + " bias)",
                f32(1, 3, 4, 5, 2),
                "{kernel: f32[2, 1, 2, 2, 2], bias: f32[2]}",
                f32(1, 3, 2, 3, 2))
            .golden(),
        conv(
                "conv in groups",
                new Conv(4, 3, 2).withGroups(2).withDilations(2, 1).withoutBias(),
                "Conv(4, [3, 2], strides [1, 1], padding SAME, dilations [2, 1], groups 2)",
                f32(2, 6, 4, 6),
                "{kernel: f32[3, 2, 3, 4]}",
                f32(2, 6, 4, 4))
            .golden(),
        conv(
                "conv padded",
                new Conv(3, 3, 3).withPadding(1, 2).withKernelInit(Initializers.heNormal()),
                "Conv(3, [3, 3], strides [1, 1], padding [1, 2] and [1, 2], dilations [1, 1],"
                    + " groups 1, bias)",
                f32(1, 4, 4, 2),
                "{kernel: f32[3, 3, 2, 3], bias: f32[3]}",
                f32(1, 4, 6, 3))
            .golden(),
        conv(
                "conv transpose",
                new ConvTranspose(3, 3, 3).withStrides(2, 2),
                "ConvTranspose(3, [3, 3], strides [2, 2], padding SAME, dilations [1, 1], bias)",
                f32(2, 3, 4, 2),
                "{kernel: f32[3, 3, 2, 3], bias: f32[3]}",
                f32(2, 6, 8, 3))
            .golden(),
        conv(
                "conv transpose valid",
                new ConvTranspose(2, 3, 2).withStrides(2, 3).withPadding(Padding.VALID),
                "ConvTranspose(2, [3, 2], strides [2, 3], padding VALID, dilations [1, 1], bias)",
                f32(1, 3, 2, 2),
                "{kernel: f32[3, 2, 2, 2], bias: f32[2]}",
                f32(1, 7, 6, 2))
            .golden(),
        conv(
                "conv transpose 1d",
                new ConvTranspose(2, 4).withStrides(2).withDilations(2).withoutBias(),
                "ConvTranspose(2, [4], strides [2], padding SAME, dilations [2])",
                f32(2, 5, 3),
                "{kernel: f32[4, 3, 2]}",
                f32(2, 10, 2))
            .golden(),
        conv(
                "conv transpose padded",
                new ConvTranspose(2, 3, 3).withStrides(2, 1).withPadding(2, 1),
                "ConvTranspose(2, [3, 3], strides [2, 1], padding [2, 1] and [2, 1], dilations [1,"
                    + " 1], bias)",
                f32(1, 3, 4, 2),
                "{kernel: f32[3, 3, 2, 2], bias: f32[2]}",
                f32(1, 7, 4, 2))
            .golden(),
        conv(
                "conv transpose in groups",
                new ConvTranspose(6, 3, 2).withStrides(2, 1).withPadding(1, 1).withGroups(2),
                "ConvTranspose(6, [3, 2], strides [2, 1], padding [1, 1] and [1, 1], dilations [1,"
                    + " 1], groups 2, bias)",
                f32(2, 3, 4, 4),
                "{kernel: f32[3, 2, 4, 3], bias: f32[6]}",
                f32(2, 5, 5, 6))
            .golden(),
        conv(
                "conv transpose longer",
                new ConvTranspose(3, 3, 3)
                    .withStrides(2, 3)
                    .withPadding(1, 2)
                    .withOutputPadding(1, 2),
                "ConvTranspose(3, [3, 3], strides [2, 3], padding [1, 2] and [2, 4], dilations [1,"
                    + " 1], bias)",
                f32(1, 3, 4, 2),
                "{kernel: f32[3, 3, 2, 3], bias: f32[3]}",
                f32(1, 6, 14, 3))
            .golden(),
        row(
                "max pool",
                new MaxPool(2, 2),
                "MaxPool([2, 2], strides [2, 2], padding VALID)",
                f32(2, 5, 4, 3))
            .gives(f32(2, 2, 2, 3))
            .golden(),
        row(
                "max pool same",
                new MaxPool(3, 3).withStrides(2, 2).withPadding(Padding.SAME),
                "MaxPool([3, 3], strides [2, 2], padding SAME)",
                f32(2, 5, 4, 3))
            .gives(f32(2, 3, 2, 3))
            .golden(),
        row(
                "max pool padded",
                new MaxPool(3).withStrides(2).withPadding(1),
                "MaxPool([3], strides [2], padding [1] and [1])",
                f32(2, 6, 3))
            .gives(f32(2, 3, 3))
            .done(),
        row(
                "avg pool",
                new AvgPool(3, 2).withStrides(2, 1).withPadding(Padding.SAME),
                "AvgPool([3, 2], strides [2, 1], padding SAME)",
                f32(2, 5, 4, 3))
            .gives(f32(2, 3, 4, 3))
            .golden(),
        row(
                "avg pool of elements",
                new AvgPool(3, 3).withStrides(2, 2).withPadding(1, 1).withoutPadding(),
                "AvgPool([3, 3], strides [2, 2], padding [1, 1] and [1, 1], not counted)",
                f32(2, 5, 4, 3))
            .gives(f32(2, 3, 2, 3))
            .golden(),
        row(
                "adaptive avg pool",
                new AdaptiveAvgPool(2, 3),
                "AdaptiveAvgPool([2, 3])",
                f32(1, 4, 5, 2))
            .gives(f32(1, 2, 3, 2))
            .done(),
        row(
                "adaptive max pool",
                new AdaptiveMaxPool(3, 2),
                "AdaptiveMaxPool([3, 2])",
                f32(1, 4, 4, 2))
            .gives(f32(1, 3, 2, 2))
            .done(),
        row("global avg pool", new GlobalAvgPool(), "GlobalAvgPool()", f32(2, 3, 4, 5))
            .gives(f32(2, 5))
            .done(),
        row("global max pool", new GlobalMaxPool(), "GlobalMaxPool()", f32(2, 3, 5))
            .gives(f32(2, 5))
            .done(),
        row("pixel shuffle", new PixelShuffle(2), "PixelShuffle(2)", f32(2, 3, 4, 12))
            .gives(f32(2, 6, 8, 3))
            .golden(),
        row("pixel shuffle 1d", new PixelShuffle(3), "PixelShuffle(3)", f32(2, 4, 6))
            .gives(f32(2, 12, 2))
            .done(),
        row("flatten", new Flatten(), "Flatten()", f32(2, 3, 4, 5)).gives(f32(2, 60)).done(),
        row("batch norm on images", new BatchNorm(), "BatchNorm(0.9, 1.0E-5)", f32(2, 3, 4, 5))
            .params("{scale: f32[5], bias: f32[5]}")
            .state("{mean: f32[5], var: f32[5]}")
            .training()
            .gives(f32(2, 3, 4, 5))
            .golden(),
        row(
                "conv and batch norm",
                new Sequential(
                    new Conv(9, 3, 3).withoutBias(), new BatchNorm(), Activations.get("relu")),
                null,
                f32(2, 5, 4, 3))
            .params(
                "{conv_0.kernel: f32[3, 3, 3, 9], batch_norm_0.scale: f32[9], batch_norm_0.bias:"
                    + " f32[9]}")
            .state("{batch_norm_0.mean: f32[9], batch_norm_0.var: f32[9]}")
            .gives(f32(2, 5, 4, 9))
            .done());
  }

  private static LayerCases.Row conv(
      String name, Layer layer, String text, TensorType input, String params, TensorType output) {
    return row(name, layer, text, input).params(params).gives(output);
  }
}
