package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;

/**
 * Each position gathers values from others, weighed by softmax(query key / sqrt(D / heads)) in each
 * of some heads; concatenated heads go through one more product. As a layer, a sequence attends to
 * itself; {@link #attend} takes another one and a mask, {@link #decode} the next positions alone,
 * {@link #remember} keeps what is the same at every step of another sequence.
 *
 * <p>Shapes: x [B, T, D], result the same. Parameters: {@code query}, {@code key}, {@code value},
 * {@code out}, each a {@link Dense} of D units, Glorot's uniform with biases 0.
 *
 * @param heads divides D
 * @param dropout of weights while training, in [0, 1]
 * @param causal true if position t sees positions up to t alone
 * @param rotary base of {@link Positions#rotary} for queries and keys, usually 10000; 0 for none
 * @source Vaswani et al., NeurIPS 2017; Flax {@code MultiHeadDotProductAttention}
 */
public record MultiHeadAttention(int heads, double dropout, boolean causal, double rotary)
    implements Layer {
  /** Checks the settings. */
  public MultiHeadAttention {
    Check.that(heads >= 1, "multi_head_attention: needs at least one head: %d; correct it", heads);
    Check.that(
        dropout >= 0 && dropout <= 1,
        "multi_head_attention: a rate lies in [0, 1]: %s; correct it",
        dropout);
    Check.that(
        rotary >= 0 && Double.isFinite(rotary),
        "multi_head_attention: a base is above 0, or 0 for none: %s; correct it",
        rotary);
  }

  /** Without rotary positions. */
  public MultiHeadAttention(int heads, double dropout, boolean causal) {
    this(heads, dropout, causal, 0);
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
    checkInputs(queries, keyValues);
    Shape q = queries.shape();
    Shape pairs = pairs(queries, keyValues.shape().dim(1));
    checkMask(mask, pairs);
    Tensor query = turned(part(s, "query", q.dim(2), queries), null);
    Tensor key = turned(part(s, "key", q.dim(2), keyValues), null);
    Tensor value = part(s, "value", q.dim(2), keyValues);
    Tensor seen = mask == null ? null : mask.lift(query);
    if (causal) {
      Shape p = pairs.slice(2, 4);
      Tensor past = query.iotaLike(DType.I32, p, 0).greaterEqual(query.iotaLike(DType.I32, p, 1));
      seen = seen == null ? past : past.and(seen);
    }
    return hear(s, query, key, value, seen);
  }

  private Shape pairs(Tensor queries, int keys) {
    return Shape.of(queries.shape().dim(0), heads, queries.shape().dim(1), keys);
  }

  private static void checkMask(Tensor mask, Shape pairs) {
    Check.shape(
        mask == null
            || mask.dtype() == DType.BOOL
                && Shape.broadcast("multi_head_attention", mask.shape(), pairs).equals(pairs),
        "multi_head_attention: the mask must be bool and broadcast to [B, heads, T, S] = %s: %s;"
            + " reshape or compare it",
        pairs,
        mask == null ? null : mask.type());
  }

  /**
   * Keys and values of another sequence, which {@link #attend(Scope, Tensor, AttentionCache,
   * Tensor)} takes: computed once for all steps of a decoder. In the function that attends, too,
   * only in a {@link Scope#shared} scope, for both ask for this layer's parameters.
   *
   * @param keyValues [B, S, E], for instance an encoder's result
   * @param units D of the queries
   * @return of capacity and length S
   * @throws IllegalArgumentException if this is causal or has rotary positions
   */
  public AttentionCache remember(Scope s, Tensor keyValues, int units) {
    checkUnplaced();
    Shape k = keyValues.shape();
    Check.shape(
        k.rank() == 3 && keyValues.dtype().isFloating() && units >= 1 && units % heads == 0,
        "multi_head_attention: remembers floating [B, S, E] for units that heads divide: %s, %d"
            + " units, %d heads; correct them",
        keyValues.type(),
        units,
        heads);
    return new AttentionCache(
        part(s, "key", units, keyValues),
        part(s, "value", units, keyValues),
        Tensor.scalar(DType.I32, k.dim(1)));
  }

  /**
   * As {@link #attend(Scope, Tensor, Tensor, Tensor)}, to a sequence that {@link #remember} has.
   *
   * @param queries [B, T, D], any positions
   * @throws IllegalArgumentException if this is causal or has rotary positions
   */
  public Tensor attend(Scope s, Tensor queries, AttentionCache memory, Tensor mask) {
    checkUnplaced();
    checkInputs(queries, queries);
    int d = queries.shape().dim(2);
    memory.checkFits(queries, heads, d / heads);
    checkMask(mask, pairs(queries, memory.capacity()));
    Tensor query = part(s, "query", d, queries);
    return hear(s, query, memory.keys(), memory.values(), mask == null ? null : mask.lift(query));
  }

  private void checkUnplaced() {
    Check.that(
        !causal && rotary == 0,
        "multi_head_attention: what is remembered has no positions: %s; take one that is not causal"
            + " and without rotary",
        this);
  }

  /** What {@link #decode} gives: the result, and the cache for the positions after it. */
  public record Decoded(Tensor output, AttentionCache cache) {}

  /**
   * The next positions of a sequence, one or several, attend to themselves and to all before, whose
   * keys and values are in the cache: the same numbers as a causal {@link #apply} of the whole
   * sequence, for the work of the new positions. Pure: the cache that is given stays as it is.
   *
   * @param x [B, T, D], positions {@code cache.length()} and after
   * @param cache of this layer; {@link AttentionCache#empty} before the first
   * @throws IllegalArgumentException if this is not causal, or there is no room in the cache
   * @throws IndexOutOfBoundsException when computed, if there is no room and the length is traced
   */
  public Decoded decode(Scope s, Tensor x, AttentionCache cache) {
    return decode(s, x, cache, null);
  }

  /**
   * As {@link #decode(Scope, Tensor, AttentionCache)}, with a mask beside causality: prompts of
   * different lengths are one batch if they are filled up before their first position, where no
   * query sees the filling.
   *
   * @param mask bool that broadcasts to [B, heads, T, capacity], true where a query sees a key; for
   *     filled-up prompts [B, 1, 1, capacity], the same at every step, true at all positions to
   *     come; null if all are seen. A query that sees no key takes the mean of all, of which there
   *     are more here than in a whole sequence
   */
  public Decoded decode(Scope s, Tensor x, AttentionCache cache, Tensor mask) {
    Check.that(causal, "multi_head_attention: only a causal one decodes: %s; make it causal", this);
    checkInputs(x, x);
    int d = x.shape().dim(2);
    cache.check(x, heads, d / heads);
    Shape all = pairs(x, cache.capacity());
    checkMask(mask, all);
    Tensor from = cache.length();
    Tensor query = turned(part(s, "query", d, x), from);
    AttentionCache next = cache.append(turned(part(s, "key", d, x), from), part(s, "value", d, x));
    Shape p = all.slice(2, 4);
    Tensor now = query.iotaLike(DType.I32, p, 0).add(from);
    Tensor past = now.greaterEqual(query.iotaLike(DType.I32, p, 1));
    Tensor seen = mask == null ? past : past.and(mask.lift(query));
    return new Decoded(hear(s, query, next.keys(), next.values(), seen), next);
  }

  private void checkInputs(Tensor queries, Tensor keyValues) {
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
    Check.shape(
        q.dim(2) % heads == 0,
        "multi_head_attention: heads must divide the last axis: %d heads of %s; choose another"
            + " number",
        heads,
        queries.type());
  }

  /** One of the products, split: [B, heads, T, D / heads] from [B, T, E]. */
  private Tensor part(Scope s, String name, int d, Tensor x) {
    Tensor y = s.apply(name, dense(d), x);
    Shape t = y.shape();
    return y.reshape(t.dim(0), t.dim(1), heads, d / heads).transpose(0, 2, 1, 3);
  }

  private static Dense dense(int units) {
    return new Dense(units, true, Initializers.glorotUniform(), Initializers.zeros());
  }

  /** With rotary positions from {@code start} on, null for 0. */
  private Tensor turned(Tensor x, Tensor start) {
    if (rotary == 0) {
      return x;
    }
    Tensor p = Positions.of(x);
    return Positions.rotary(x, start == null ? p : p.add(start.cast(p.dtype())), rotary);
  }

  /** Weighs values: [B, T, D] from queries and keys, bool {@code seen} or null. */
  private Tensor hear(Scope s, Tensor query, Tensor key, Tensor value, Tensor seen) {
    Shape q = query.shape();
    // The smaller factor is scaled before the product, as Flax does.
    Tensor scores = query.mul(1 / Math.sqrt(Math.max(1, q.dim(3)))).matmul(key.transpose());
    if (seen != null) {
      scores = seen.select(scores, Tensor.scalar(scores.dtype(), unseen(scores.dtype())));
    }
    Tensor weights = new Dropout(dropout).apply(s, scores.softmax(3));
    int d = heads * q.dim(3);
    Tensor heard = weights.matmul(value).transpose(0, 2, 1, 3).reshape(q.dim(0), q.dim(2), d);
    return s.apply("out", dense(d), heard);
  }

  /** Small enough for a weight of 0, and finite after the maximum is taken away. */
  private static double unseen(DType t) {
    return t == DType.F16 ? -3e4 : -1e30;
  }

  @Override
  public String toString() {
    return "MultiHeadAttention("
        + heads
        + ", "
        + dropout
        + ", "
        + causal
        + (rotary == 0 ? ")" : ", " + rotary + ")");
  }
}
