package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;

/**
 * Each position gathers values from others, weighed by softmax(query key / sqrt(D / heads)) in each
 * of some heads; concatenated heads go through one more product. As a layer, a sequence attends to
 * itself; {@link #attend} takes another one and a mask.
 *
 * <p>Shapes: x [B, T, D], result the same. Parameters: {@code query}, {@code key}, {@code value},
 * {@code out}, each a {@link Dense} of D units, Glorot's uniform with biases 0.
 *
 * @param heads divides D
 * @param dropout of weights while training, in [0, 1]
 * @param causal true if position t sees positions up to t alone
 * @source Vaswani et al., NeurIPS 2017; Flax {@code MultiHeadDotProductAttention}
 */
public record MultiHeadAttention(int heads, double dropout, boolean causal) implements Layer {
  /** Checks the settings. */
  public MultiHeadAttention {
    Check.that(heads >= 1, "multi_head_attention: needs at least one head: %d; correct it", heads);
    Check.that(
        dropout >= 0 && dropout <= 1,
        "multi_head_attention: a rate lies in [0, 1]: %s; correct it",
        dropout);
  }

  /** Without dropout, each position seeing all. */
  public MultiHeadAttention(int heads) {
    this(heads, 0, false);
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    return attend(s, x, x, null);
  }

  /**
   * One sequence attends to another.
   *
   * @param queries [B, T, D]
   * @param keyValues [B, S, E]
   * @param mask bool that broadcasts to [B, heads, T, S], true where a query sees a key; null if
   *     all do. For padded sequences [B, 1, 1, S]. A query that sees no key takes the mean of all.
   * @return [B, T, D]
   */
  public Tensor attend(Scope s, Tensor queries, Tensor keyValues, Tensor mask) {
    Shape q = queries.shape();
    Shape k = keyValues.shape();
    Check.shape(
        q.rank() == 3
            && k.rank() == 3
            && q.dim(0) == k.dim(0)
            && queries.dtype().isFloating()
            && queries.dtype() == keyValues.dtype(),
        "multi_head_attention: takes floating [B, T, D] and [B, S, E]: %s with %s; reshape or cast"
            + " them",
        queries.type(),
        keyValues.type());
    int d = q.dim(2);
    Check.shape(
        d % heads == 0,
        "multi_head_attention: heads must divide the last axis: %d heads of %s; choose another"
            + " number",
        heads,
        queries.type());
    Shape pairs = Shape.of(q.dim(0), heads, q.dim(1), k.dim(1));
    Check.shape(
        mask == null
            || mask.dtype() == DType.BOOL
                && Shape.broadcast("multi_head_attention", mask.shape(), pairs).equals(pairs),
        "multi_head_attention: the mask must be bool and broadcast to [B, heads, T, S] = %s: %s;"
            + " reshape or compare it",
        pairs,
        mask == null ? null : mask.type());
    Tensor query = split(dense(d).apply(s.child("query"), queries));
    Tensor key = split(dense(d).apply(s.child("key"), keyValues));
    Tensor value = split(dense(d).apply(s.child("value"), keyValues));
    // The smaller factor is scaled before the product, as Flax does.
    Tensor scores = query.mul(1 / Math.sqrt(Math.max(1, d / heads))).matmul(key.transpose());
    Tensor seen = seen(scores, mask);
    if (seen != null) {
      scores = seen.select(scores, Tensor.scalar(scores.dtype(), unseen(scores.dtype())));
    }
    Tensor weights = new Dropout(dropout).apply(s, scores.softmax(3));
    Tensor heard = weights.matmul(value).transpose(0, 2, 1, 3).reshape(q.dims());
    return dense(d).apply(s.child("out"), heard);
  }

  private static Dense dense(int units) {
    return new Dense(units, true, Initializers.glorotUniform(), Initializers.zeros());
  }

  /** [B, heads, T, D / heads] from [B, T, D]. */
  private Tensor split(Tensor x) {
    Shape t = x.shape();
    return x.reshape(t.dim(0), t.dim(1), heads, t.dim(2) / heads).transpose(0, 2, 1, 3);
  }

  private Tensor seen(Tensor scores, Tensor mask) {
    if (!causal) {
      return mask == null ? null : mask.lift(scores);
    }
    Shape pairs = scores.shape().slice(2, 4);
    Tensor past =
        scores.iotaLike(DType.I32, pairs, 0).greaterEqual(scores.iotaLike(DType.I32, pairs, 1));
    return mask == null ? past : past.and(mask);
  }

  /** Small enough for a weight of 0, and finite after the maximum is taken away. */
  private static double unseen(DType t) {
    return t == DType.F16 ? -3e4 : -1e30;
  }

  @Override
  public String toString() {
    return "MultiHeadAttention(" + heads + ", " + dropout + ", " + causal + ")";
  }
}
