package io.fragua.nn;

import io.fragua.tensor.Tensor;

/**
 * Self-attention, then two products with an activation between, each with a residual connection and
 * layer normalization: y = norm(x + attention(x)), z = norm(y + dense(activation(dense(y)))); with
 * {@code normFirst} y = x + attention(norm(x)), z = y + dense(activation(dense(norm(y)))).
 *
 * <p>Shapes: x [B, T, D], result the same. Parameters: {@code attention} (a {@link
 * MultiHeadAttention}), {@code layer_norm_0}, {@code layer_norm_1}, {@code dense_0} (hidden units),
 * {@code dense_1} (D units).
 *
 * @param heads divides D
 * @param hidden units between the two products
 * @param activation between them
 * @param dropout while training, in [0, 1]: of attention weights, after the activation, and before
 *     each sum
 * @param normFirst true to normalize what goes into attention and products, which trains more
 *     steadily, false for the paper's order
 * @param epsilon of the layer norms: 1e-6, as Flax's, unless set; PyTorch's is 1e-5
 * @source Vaswani et al., NeurIPS 2017; Xiong et al., ICML 2020 (normFirst); PyTorch {@code
 *     TransformerEncoderLayer}
 */
public record TransformerEncoderLayer(
    int heads, int hidden, Activation activation, double dropout, boolean normFirst, double epsilon)
    implements Layer {
  /** Checks the settings. */
  public TransformerEncoderLayer {
    Sublayers.check("transformer_encoder_layer", heads, hidden, activation, dropout, epsilon);
  }

  /** With epsilon 1e-6. */
  public TransformerEncoderLayer(
      int heads, int hidden, Activation activation, double dropout, boolean normFirst) {
    this(heads, hidden, activation, dropout, normFirst, Sublayers.EPSILON);
  }

  /** As PyTorch's defaults, but for epsilon: relu, dropout 0.1, normalization after the sums. */
  public TransformerEncoderLayer(int heads, int hidden) {
    this(heads, hidden, Activations.get("relu"), 0.1, false);
  }

  /** Another epsilon of the layer norms. */
  public TransformerEncoderLayer withEpsilon(double e) {
    return new TransformerEncoderLayer(heads, hidden, activation, dropout, normFirst, e);
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    return encode(s, x, null);
  }

  /**
   * As {@link #apply}, with a mask.
   *
   * @param mask as in {@link MultiHeadAttention#attend}
   */
  public Tensor encode(Scope s, Tensor x, Tensor mask) {
    MultiHeadAttention attention = new MultiHeadAttention(heads, dropout, false);
    Sublayers parts = new Sublayers(hidden, activation, dropout, normFirst, epsilon);
    Tensor y =
        parts.around(
            s,
            "layer_norm_0",
            x,
            t -> s.apply("attention", attention, t, c -> attention.attend(c, t, t, mask)));
    return parts.around(s, "layer_norm_1", y, t -> parts.products(s, t));
  }

  @Override
  public String toString() {
    return "TransformerEncoderLayer("
        + heads
        + ", "
        + hidden
        + ", "
        + activation
        + ", "
        + dropout
        + ", "
        + normFirst
        + Sublayers.text(epsilon);
  }
}
