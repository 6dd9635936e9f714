package io.fragua.nn;

import io.fragua.tensor.Tensor;

/**
 * Causal self-attention, attention to another sequence, then two products with an activation
 * between, each with a residual connection and layer normalization, as in {@link
 * TransformerEncoderLayer}. As a layer there is no other sequence and no attention to it, which is
 * a block of a language model; {@link #decode(Scope, Tensor, Tensor, Tensor, Tensor)} takes the
 * encoder's result, and step by step {@link #remember} what is kept of it.
 *
 * <p>Shapes: x [B, T, D], result the same. Parameters: {@code attention}, {@code layer_norm_0},
 * with another sequence {@code cross_attention} and {@code layer_norm_1}, then {@code dense_0}
 * (hidden units), {@code dense_1} (D units) and {@code layer_norm_2}.
 *
 * @param heads divides D
 * @param hidden units between the two products
 * @param activation between them
 * @param dropout while training, in [0, 1]: of attention weights, after the activation, and before
 *     each sum
 * @param normFirst true to normalize what goes into attention and products
 * @param rotary base of rotary positions in the self-attention; 0 for none
 * @param epsilon of the layer norms: 1e-6, as Flax's, unless set; PyTorch's is 1e-5
 * @source Vaswani et al., NeurIPS 2017; PyTorch {@code TransformerDecoderLayer}
 */
public record TransformerDecoderLayer(
    int heads,
    int hidden,
    Activation activation,
    double dropout,
    boolean normFirst,
    double rotary,
    double epsilon)
    implements Layer {
  /** Checks the settings. */
  public TransformerDecoderLayer {
    Sublayers.check("transformer_decoder_layer", heads, hidden, activation, dropout, epsilon);
  }

  /** With epsilon 1e-6. */
  public TransformerDecoderLayer(
      int heads,
      int hidden,
      Activation activation,
      double dropout,
      boolean normFirst,
      double rotary) {
    this(heads, hidden, activation, dropout, normFirst, rotary, Sublayers.EPSILON);
  }

  /**
   * As PyTorch's defaults, but for epsilon: relu, dropout 0.1, normalization after the sums, no
   * positions.
   */
  public TransformerDecoderLayer(int heads, int hidden) {
    this(heads, hidden, Activations.get("relu"), 0.1, false, 0);
  }

  /** Another epsilon of the layer norms. */
  public TransformerDecoderLayer withEpsilon(double e) {
    return new TransformerDecoderLayer(heads, hidden, activation, dropout, normFirst, rotary, e);
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    return decode(s, x, null, null, null);
  }

  /**
   * As {@link #apply}, with another sequence.
   *
   * @param memory [B, S, E]; null for none
   * @param mask of x, beside causality, as in {@link MultiHeadAttention#attend}
   * @param memoryMask the same of the other sequence
   */
  public Tensor decode(Scope s, Tensor x, Tensor memory, Tensor mask, Tensor memoryMask) {
    MultiHeadAttention self = self();
    Sublayers parts = parts();
    Tensor y =
        parts.around(
            s,
            "layer_norm_0",
            x,
            t -> s.apply("attention", self, t, c -> self.attend(c, t, t, mask)));
    if (memory != null) {
      MultiHeadAttention other = cross();
      y =
          parts.around(
              s,
              "layer_norm_1",
              y,
              t ->
                  s.apply(
                      "cross_attention", other, t, c -> other.attend(c, t, memory, memoryMask)));
    }
    return parts.around(s, "layer_norm_2", y, t -> parts.products(s, t));
  }

  /**
   * The next positions alone, without another sequence; see {@link MultiHeadAttention#decode}.
   *
   * @param x [B, T, D], the positions after those in the cache
   */
  public MultiHeadAttention.Decoded decode(Scope s, Tensor x, AttentionCache cache) {
    return decode(s, x, cache, null, null, null);
  }

  /**
   * The next positions alone, the same numbers as {@link #decode(Scope, Tensor, Tensor, Tensor,
   * Tensor)} of the whole sequence with the same masks.
   *
   * @param x [B, T, D], the positions after those in the cache
   * @param cache of the self-attention
   * @param memory what {@link #remember} gave for the other sequence; null for none
   * @param mask of x and what came before, beside causality, as in {@link
   *     MultiHeadAttention#decode(Scope, Tensor, AttentionCache, Tensor)}; null for none
   * @param memoryMask of the other sequence, as in {@link MultiHeadAttention#attend}; null for none
   */
  public MultiHeadAttention.Decoded decode(
      Scope s,
      Tensor x,
      AttentionCache cache,
      AttentionCache memory,
      Tensor mask,
      Tensor memoryMask) {
    Sublayers parts = parts();
    AttentionCache[] next = new AttentionCache[1];
    Tensor y =
        parts.around(
            s,
            "layer_norm_0",
            x,
            t -> {
              MultiHeadAttention.Decoded d = self().decode(s.child("attention"), t, cache, mask);
              next[0] = d.cache();
              return d.output();
            });
    if (memory != null) {
      y =
          parts.around(
              s,
              "layer_norm_1",
              y,
              t -> cross().attend(s.child("cross_attention"), t, memory, memoryMask));
    }
    Tensor z = parts.around(s, "layer_norm_2", y, t -> parts.products(s, t));
    return new MultiHeadAttention.Decoded(z, next[0]);
  }

  /**
   * What the attention to another sequence needs of it at every step, computed once; see {@link
   * MultiHeadAttention#remember}.
   *
   * @param memory [B, S, E], for instance an encoder's result
   * @param units D of this layer
   */
  public AttentionCache remember(Scope s, Tensor memory, int units) {
    return cross().remember(s.child("cross_attention"), memory, units);
  }

  private MultiHeadAttention cross() {
    return new MultiHeadAttention(heads, dropout, false);
  }

  private MultiHeadAttention self() {
    return new MultiHeadAttention(heads, dropout, true, rotary);
  }

  private Sublayers parts() {
    return new Sublayers(hidden, activation, dropout, normFirst, epsilon);
  }

  @Override
  public String toString() {
    return "TransformerDecoderLayer("
        + heads
        + ", "
        + hidden
        + ", "
        + activation
        + ", "
        + dropout
        + ", "
        + normFirst
        + (rotary == 0 ? "" : ", " + rotary)
        + Sublayers.text(epsilon);
  }
}
