package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import java.util.List;

/**
 * Keys and values of the positions that a causal attention has seen, so that the next one costs
 * only itself. Its size is fixed, so that one program serves every step. Immutable: {@link
 * MultiHeadAttention#decode} gives another one. Also those of a whole other sequence, as {@link
 * MultiHeadAttention#remember} gives them.
 *
 * @param keys [B, heads, capacity, D / heads]; what lies behind the length has weight 0 and must be
 *     finite
 * @param values the same
 * @param length how many positions there are, i32 scalar
 */
public record AttentionCache(Tensor keys, Tensor values, Tensor length) {
  /** Checks the types. */
  public AttentionCache {
    Check.shape(
        keys.type().equals(values.type())
            && keys.shape().rank() == 4
            && length.shape().rank() == 0
            && length.dtype() == DType.I32,
        "attention_cache: takes two [B, heads, capacity, D / heads] and an i32 scalar: %s, %s, %s;"
            + " make it by empty",
        keys.type(),
        values.type(),
        length.type());
  }

  /**
   * Of no positions yet.
   *
   * @param capacity most positions
   * @param size of a head: D / heads
   */
  public static AttentionCache empty(int batch, int heads, int capacity, int size, DType dtype) {
    Check.that(
        capacity >= 1, "attention_cache: needs room for one position: %d; correct it", capacity);
    Tensor none = Tensor.zeros(dtype, batch, heads, capacity, size);
    return new AttentionCache(none, none, Tensor.scalar(DType.I32, 0));
  }

  /** Keys, values and length, to pass through a function of tensors. */
  public List<Tensor> leaves() {
    return List.of(keys, values, length);
  }

  /** The cache of these {@link #leaves}. */
  public static AttentionCache of(List<Tensor> leaves) {
    Check.that(
        leaves.size() == 3,
        "attention_cache: has three tensors: %d given; pass those of leaves()",
        leaves.size());
    return new AttentionCache(leaves.get(0), leaves.get(1), leaves.get(2));
  }

  /** Most positions. */
  public int capacity() {
    return keys.shape().dim(2);
  }

  /** That it is of this batch and these heads. */
  void checkFits(Tensor x, int heads, int size) {
    Shape k = keys.shape();
    Check.shape(
        k.equals(Shape.of(x.shape().dim(0), heads, k.dim(2), size)) && keys.dtype() == x.dtype(),
        "attention_cache: belongs to another layer or batch: %s for %s with %d heads of %d; make"
            + " one by empty",
        keys.type(),
        x.type(),
        heads,
        size);
  }

  /** As {@link #checkFits}, and has room for x. */
  void check(Tensor x, int heads, int size) {
    checkFits(x, heads, size);
    Shape k = keys.shape();
    Check.that(
        x.shape().dim(1) <= k.dim(2)
            && (length.isTraced() || length.item() + x.shape().dim(1) <= k.dim(2)),
        "attention_cache: there is no room: %s positions and %d more of %d; make a larger one",
        length.isTraced() ? "some" : (int) length.item(),
        x.shape().dim(1),
        k.dim(2));
  }

  /** With more positions, [B, heads, T, D / heads], behind those that are there. */
  AttentionCache append(Tensor moreKeys, Tensor moreValues) {
    int more = moreKeys.shape().dim(2);
    // a piece that does not fit would be moved to where it does, over what is there
    String error =
        "attention_cache: there is no room: {index} positions and %d more of %d; make a larger one";
    Tensor from = Inside.of(String.format(error, more, capacity()), length, capacity() - more + 1);
    return new AttentionCache(
        keys.dynamicUpdateSlice(2, from, moreKeys),
        values.dynamicUpdateSlice(2, from, moreValues),
        from.add(Tensor.scalar(DType.I32, more)));
  }
}
