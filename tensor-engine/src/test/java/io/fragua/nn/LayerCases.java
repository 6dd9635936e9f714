package io.fragua.nn;

import static io.fragua.tensor.DType.F32;
import static io.fragua.tensor.DType.I32;

import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** One row for each layer and way to use it; {@link LayerTest} checks every property of each. */
final class LayerCases {
  /**
   * A row.
   *
   * @param name also in {@code golden/nn.json}, if {@code golden}
   * @param text what the layer prints
   * @param params names and types of its parameters, as {@link ParamTree} prints them
   * @param state the same of its state
   * @param output type of its result
   * @param golden compared with Flax
   */
  record Case(
      String name,
      Layer layer,
      String text,
      TensorType input,
      String params,
      String state,
      TensorType output,
      boolean training,
      boolean masked,
      boolean golden) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static final String NONE = "{}";

  /** The second row is padded after two positions. */
  private static final Tensor KEYS =
      Tensor.of(new int[] {1, 1, 1, 1, 1, 0}, 2, 1, 1, 3).cast(DType.BOOL);

  private static final String NORM_1 = "layer_norm_1.scale: f32[4], layer_norm_1.bias: f32[4]";
  private static final String PRODUCTS =
      "dense_0.kernel: f32[4, 5], dense_0.bias: f32[5], dense_1.kernel: f32[5, 4], dense_1.bias:"
          + " f32[4]";

  private static final List<Case> LAYERS =
      List.of(
          row("dense", new Dense(4), "Dense(4)", f32(5, 3))
              .params("{kernel: f32[3, 4], bias: f32[4]}")
              .gives(f32(5, 4))
              .golden(),
          row("dense without bias", new Dense(4, false), "Dense(4, false)", f32(5, 3))
              .params("{kernel: f32[3, 4]}")
              .gives(f32(5, 4))
              .golden(),
          row("dense on [B, T, D]", new Dense(2), "Dense(2)", f32(2, 3, 4))
              .params("{kernel: f32[4, 2], bias: f32[2]}")
              .gives(f32(2, 3, 2))
              .golden(),
          row("dense on nothing", new Dense(2), "Dense(2)", f32(0, 4))
              .params("{kernel: f32[4, 2], bias: f32[2]}")
              .gives(f32(0, 2))
              .done(),
          row(
                  "dense by other initial values",
                  new Dense(3, true, Initializers.heNormal(), Initializers.zeros()),
                  "Dense(3)",
                  f32(2, 2))
              .params("{kernel: f32[2, 3], bias: f32[3]}")
              .gives(f32(2, 3))
              .done(),
          row("embedding", new Embedding(6, 3), "Embedding(6, 3)", TensorType.of(I32, 2, 2))
              .params("{embedding: f32[6, 3]}")
              .gives(f32(2, 2, 3))
              .golden(),
          row("layer norm", new LayerNorm(), "LayerNorm(1.0E-6)", f32(4, 6))
              .params("{scale: f32[6], bias: f32[6]}")
              .gives(f32(4, 6))
              .golden(),
          batchNorm("batch norm", new BatchNorm(), f32(5, 3)).training().golden(),
          batchNorm("batch norm on [B, T, C]", new BatchNorm(0.7, 1e-5), f32(3, 4, 2))
              .training()
              .golden(),
          batchNorm("batch norm inference", new BatchNorm(), f32(5, 3)).golden(),
          batchNorm("batch norm masked", new BatchNorm(), f32(5, 3)).training().masked().golden(),
          batchNorm("batch norm masked on [B, T, C]", new BatchNorm(), f32(5, 2, 3))
              .training()
              .masked()
              .golden(),
          row("dropout", new Dropout(0.4), "Dropout(0.4)", f32(6, 7))
              .training()
              .gives(f32(6, 7))
              .done(),
          row("dropout of all", new Dropout(1), "Dropout(1.0)", f32(2, 3))
              .training()
              .gives(f32(2, 3))
              .done(),
          row("dropout inference", new Dropout(0.4), "Dropout(0.4)", f32(6, 7))
              .gives(f32(6, 7))
              .done(),
          row("activation", Activations.get("gelu"), "gelu", f32(3, 5)).gives(f32(3, 5)).done(),
          row("a layer of the user", new Scaled(), "Scaled()", f32(3, 5))
              .params("{factor: f32[5]}")
              .gives(f32(3, 5))
              .done(),
          row(
                  "two alike",
                  new Sequential(new Dense(3), new Dense(3)),
                  "Sequential(\n  Dense(3),\n  Dense(3))",
                  f32(2, 3))
              .params(
                  "{dense_0.kernel: f32[3, 3], dense_0.bias: f32[3], dense_1.kernel: f32[3, 3],"
                      + " dense_1.bias: f32[3]}")
              .gives(f32(2, 3))
              .done(),
          row(
                  "sequential",
                  new Sequential(
                      new Dense(8, false),
                      new BatchNorm(),
                      Activations.get("relu"),
                      new Dropout(0.2),
                      new Dense(1),
                      (s, x) -> x.reshape(x.shape().dim(0))),
                  null,
                  f32(6, 4))
              .params(
                  "{dense_0.kernel: f32[4, 8], batch_norm_0.scale: f32[8], batch_norm_0.bias:"
                      + " f32[8], dense_1.kernel: f32[8, 1], dense_1.bias: f32[1]}")
              .state("{batch_norm_0.mean: f32[8], batch_norm_0.var: f32[8]}")
              .training()
              .masked()
              .gives(f32(6))
              .done(),
          row("rms norm", new RmsNorm(), "RmsNorm(1.0E-6)", f32(4, 6))
              .params("{scale: f32[6]}")
              .gives(f32(4, 6))
              .golden(),
          norm("group norm", new GroupNorm(2), "GroupNorm(2, 1.0E-6)", f32(3, 4, 6)),
          norm("group norm on [B, C]", new GroupNorm(3, 1e-3), "GroupNorm(3, 0.001)", f32(3, 6)),
          norm("instance norm", new InstanceNorm(), "InstanceNorm(1.0E-6)", f32(2, 5, 3)),
          row(
                  "layer norm without affine",
                  new LayerNorm().withoutAffine(),
                  "LayerNorm(1.0E-6, false)",
                  f32(4, 6))
              .gives(f32(4, 6))
              .golden(),
          row(
                  "rms norm without affine",
                  new RmsNorm().withoutAffine(),
                  "RmsNorm(1.0E-6, false)",
                  f32(4, 6))
              .gives(f32(4, 6))
              .golden(),
          row(
                  "group norm without affine",
                  new GroupNorm(2).withoutAffine(),
                  "GroupNorm(2, 1.0E-6, false)",
                  f32(3, 4, 6))
              .gives(f32(3, 4, 6))
              .golden(),
          row(
                  "instance norm without affine",
                  new InstanceNorm().withoutAffine(),
                  "InstanceNorm(1.0E-6, false)",
                  f32(2, 5, 3))
              .gives(f32(2, 5, 3))
              .golden(),
          row(
                  "batch norm without affine",
                  new BatchNorm().withoutAffine(),
                  "BatchNorm(0.9, 1.0E-5, false)",
                  f32(5, 3))
              .state("{mean: f32[3], var: f32[3]}")
              .training()
              .gives(f32(5, 3))
              .golden(),
          row("residual", new Residual(new Dense(3)), "Residual(Dense(3))", f32(2, 3))
              .params("{kernel: f32[3, 3], bias: f32[3]}")
              .gives(f32(2, 3))
              .golden(),
          row("remat", new Remat(new Dense(3)), "Remat(Dense(3))", f32(2, 3))
              .params("{kernel: f32[3, 3], bias: f32[3]}")
              .gives(f32(2, 3))
              .training()
              .done(),
          attention(
                  "attention",
                  new MultiHeadAttention(2),
                  "MultiHeadAttention(2, 0.0, false)",
                  f32(2, 3, 4))
              .golden(),
          attention(
                  "attention causal",
                  new MultiHeadAttention(1, 0, true),
                  "MultiHeadAttention(1, 0.0, true)",
                  f32(2, 4, 3))
              .golden(),
          attention(
                  "attention padded",
                  (s, x) -> new MultiHeadAttention(2).attend(s, x, x, KEYS),
                  null,
                  f32(2, 3, 4))
              .golden(),
          attention(
                  "attention to others",
                  (s, x) -> new MultiHeadAttention(2).attend(s, x, x.slice(1, 1, 3), null),
                  null,
                  f32(2, 3, 4))
              .golden(),
          attention(
                  "attention with dropout",
                  new MultiHeadAttention(2, 0.5, true),
                  "MultiHeadAttention(2, 0.5, true)",
                  f32(2, 3, 4))
              .training()
              .done(),
          attention(
                  "attention of nothing",
                  new MultiHeadAttention(2),
                  "MultiHeadAttention(2, 0.0, false)",
                  f32(0, 3, 4))
              .done(),
          transformer(
                  "transformer encoder",
                  new TransformerEncoderLayer(2, 5, Activations.get("relu"), 0, false),
                  "TransformerEncoderLayer(2, 5, relu, 0.0, false)")
              .golden(),
          transformer(
                  "transformer encoder, norm first",
                  new TransformerEncoderLayer(2, 5, Activations.get("gelu"), 0, true),
                  "TransformerEncoderLayer(2, 5, gelu, 0.0, true)")
              .golden(),
          transformer(
                  "transformer encoder with dropout",
                  new TransformerEncoderLayer(2, 5),
                  "TransformerEncoderLayer(2, 5, relu, 0.1, false)")
              .training()
              .done(),
          transformer(
                  "transformer encoder, epsilon",
                  new TransformerEncoderLayer(2, 5, Activations.get("relu"), 0, false)
                      .withEpsilon(0.1),
                  "TransformerEncoderLayer(2, 5, relu, 0.0, false, epsilon 0.1)")
              .golden(),
          decoder("transformer decoder", false, 1e-6),
          decoder("transformer decoder, norm first", true, 1e-6),
          decoder("transformer decoder, epsilon", true, 0.1),
          row(
                  "transformer decoder alone",
                  new TransformerDecoderLayer(2, 5),
                  "TransformerDecoderLayer(2, 5, relu, 0.1, false)",
                  f32(2, 3, 4))
              .params(
                  "{"
                      + attentionParams("attention.", 4)
                      + ", "
                      + norm(0)
                      + ", "
                      + PRODUCTS
                      + ", "
                      + norm(2)
                      + "}")
              .training()
              .gives(f32(2, 3, 4))
              .done(),
          attention(
                  "attention rotary",
                  new MultiHeadAttention(2, 0, true, 10000),
                  "MultiHeadAttention(2, 0.0, true, 10000.0)",
                  f32(2, 3, 8))
              .golden(),
          row("prelu", new PRelu(), "PRelu()", f32(3, 5))
              .params("{negative_slope: f32[]}")
              .gives(f32(3, 5))
              .golden(),
          row("gated dense", new GatedDense(4), "GatedDense(4, silu, false)", f32(3, 5))
              .params("{gate.kernel: f32[5, 4], value.kernel: f32[5, 4]}")
              .gives(f32(3, 4))
              .golden(),
          row(
                  "sinusoidal positions",
                  new SinusoidalPositions(),
                  "SinusoidalPositions()",
                  f32(2, 3, 6))
              .gives(f32(2, 3, 6))
              .golden(),
          row("learned positions", new LearnedPositions(5), "LearnedPositions(5)", f32(2, 3, 4))
              .params("{embedding: f32[5, 4]}")
              .gives(f32(2, 3, 4))
              .golden(),
          spectral("spectral norm", new SpectralNorm(new Dense(4))).training().golden(),
          spectral("spectral norm inference", new SpectralNorm(new Dense(4), 3, 1e-3)).golden(),
          spectral("spectral norm converged", new SpectralNorm(new Dense(4), 100, 0)).done(),
          row("spectral norm of conv", new SpectralNorm(new Conv(2, 3)), null, f32(2, 5, 3))
              .params("{kernel: f32[3, 3, 2], bias: f32[2]}")
              .state("{kernel_u: f32[1, 2], kernel_sigma: f32[]}")
              .training()
              .gives(f32(2, 5, 2))
              .golden(),
          row("weight norm", new WeightNorm(new Dense(4)), "WeightNorm(Dense(4))", f32(5, 3))
              .params("{kernel: f32[3, 4], kernel_scale: f32[4], bias: f32[4]}")
              .gives(f32(5, 4))
              .golden(),
          row("weight norm of conv", new WeightNorm(new Conv(2, 3)), null, f32(2, 5, 3))
              .params("{kernel: f32[3, 3, 2], kernel_scale: f32[2], bias: f32[2]}")
              .gives(f32(2, 5, 2))
              .golden());

  static final List<Case> ALL =
      Stream.of(LAYERS, WindowLayerCases.all(), RecurrentLayerCases.all())
          .flatMap(List::stream)
          .toList();

  private LayerCases() {}

  /** A user's own layer. */
  private record Scaled() implements Layer {
    @Override
    public Tensor apply(Scope s, Tensor x) {
      return x.mul(s.param("factor", Shape.of(x.shape().dim(-1)), Initializers.normal(0.1)));
    }

    @Override
    public String toString() {
      return "Scaled()";
    }
  }

  static TensorType f32(int... dims) {
    return TensorType.of(F32, dims);
  }

  static Row row(String name, Layer layer, String text, TensorType input) {
    return new Row(name, layer, text, input);
  }

  private static Row batchNorm(String name, BatchNorm layer, TensorType input) {
    String c = "f32[" + input.shape().dim(-1) + "]";
    return row(name, layer, "BatchNorm(" + layer.momentum() + ", 1.0E-5)", input)
        .params("{scale: " + c + ", bias: " + c + "}")
        .state("{mean: " + c + ", var: " + c + "}")
        .gives(input);
  }

  private static Row spectral(String name, SpectralNorm layer) {
    return row(name, layer, "SpectralNorm(Dense(4), " + layer.steps() + ")", f32(5, 3))
        .params("{kernel: f32[3, 4], bias: f32[4]}")
        .state("{kernel_u: f32[1, 4], kernel_sigma: f32[]}")
        .gives(f32(5, 4));
  }

  private static Case norm(String name, Layer layer, String text, TensorType input) {
    String c = "f32[" + input.shape().dim(-1) + "]";
    return row(name, layer, text, input)
        .params("{scale: " + c + ", bias: " + c + "}")
        .gives(input)
        .golden();
  }

  private static Row attention(String name, Layer layer, String text, TensorType input) {
    return row(name, layer, text, input)
        .params("{" + attentionParams("", input.shape().dim(-1)) + "}")
        .gives(input);
  }

  private static String attentionParams(String prefix, int d) {
    return Stream.of("query", "key", "value", "out")
        .map(n -> prefix + n)
        .map(n -> n + ".kernel: f32[" + d + ", " + d + "], " + n + ".bias: f32[" + d + "]")
        .collect(Collectors.joining(", "));
  }

  private static Case decoder(String name, boolean normFirst, double epsilon) {
    TransformerDecoderLayer layer =
        new TransformerDecoderLayer(2, 5, Activations.get("relu"), 0, normFirst, 0)
            .withEpsilon(epsilon);
    List<String> parts =
        normFirst
            ? List.of(norm(0), attentionParams("attention.", 4), norm(1))
            : List.of(attentionParams("attention.", 4), norm(0));
    List<String> more =
        normFirst
            ? List.of(attentionParams("cross_attention.", 4), norm(2), PRODUCTS)
            : List.of(attentionParams("cross_attention.", 4), norm(1), PRODUCTS, norm(2));
    return row(
            name,
            (s, x) -> layer.decode(s, x, x.slice(1, 1, 3).mul(2).sub(1), null, null),
            null,
            f32(2, 3, 4))
        .params(
            Stream.concat(parts.stream(), more.stream())
                .collect(Collectors.joining(", ", "{", "}")))
        .gives(f32(2, 3, 4))
        .golden();
  }

  private static String norm(int i) {
    return NORM_1.replace("norm_1", "norm_" + i);
  }

  private static Row transformer(String name, TransformerEncoderLayer layer, String text) {
    String norm0 = "layer_norm_0.scale: f32[4], layer_norm_0.bias: f32[4]";
    String attention = attentionParams("attention.", 4);
    return row(name, layer, text, f32(2, 3, 4))
        .params(
            "{"
                + (layer.normFirst() ? norm0 + ", " + attention : attention + ", " + norm0)
                + (layer.normFirst()
                    ? ", " + NORM_1 + ", " + PRODUCTS
                    : ", " + PRODUCTS + ", " + NORM_1)
                + "}")
        .gives(f32(2, 3, 4));
  }

  /** Spells a row. */
  static final class Row {
    private final String name;
    private final Layer layer;
    private final String text;
    private final TensorType input;
    private String params = NONE;
    private String state = NONE;
    private TensorType output;
    private boolean training;
    private boolean masked;

    Row(String name, Layer layer, String text, TensorType input) {
      this.name = name;
      this.layer = layer;
      this.text = text;
      this.input = input;
    }

    Row params(String p) {
      params = p;
      return this;
    }

    Row state(String s) {
      state = s;
      return this;
    }

    Row gives(TensorType t) {
      output = t;
      return this;
    }

    Row training() {
      training = true;
      return this;
    }

    Row masked() {
      masked = true;
      return this;
    }

    Case golden() {
      return new Case(name, layer, text, input, params, state, output, training, masked, true);
    }

    Case done() {
      return new Case(name, layer, text, input, params, state, output, training, masked, false);
    }
  }
}
