package io.fragua.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.fragua.random.Key;
import io.fragua.tensor.DType;
import io.fragua.tensor.Movement;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.Tolerance;
import io.fragua.testing.Values;
import io.fragua.transform.Fn;
import io.fragua.transform.Jit;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Decoding with a cache, position by position, against the whole sequence at once. */
class DecodeTest {
  private static final Tolerance CLOSE = new Tolerance(64, 64);
  private static final Tensor X = Values.range(-1, 1).make(TensorType.of(DType.F32, 2, 7, 8), 3);

  private static AttentionCache empty() {
    return AttentionCache.empty(2, 2, 9, 4, DType.F32);
  }

  /** A layer that decodes. */
  private interface Decoder {
    MultiHeadAttention.Decoded decode(Scope s, Tensor x, AttentionCache cache);
  }

  private static Fn step(MultiHeadAttention layer, Network.Variables v) {
    return step(v, layer::decode);
  }

  private static Fn step(Network.Variables v, Decoder decoder) {
    return a ->
        Network.call(
            (s, in) -> {
              MultiHeadAttention.Decoded d =
                  decoder.decode(s, in.get(0), AttentionCache.of(in.subList(1, 4)));
              List<Tensor> out = new ArrayList<>(List.of(d.output()));
              out.addAll(d.cache().leaves());
              return out;
            },
            v,
            a);
  }

  /** A prompt of some positions, then one at a time, through one function. */
  private static Tensor decoded(Fn step, int prompt) {
    List<Tensor> parts = new ArrayList<>();
    AttentionCache cache = empty();
    for (int at = 0; at < 7; ) {
      int to = at == 0 ? prompt : at + 1;
      List<Tensor> in = new ArrayList<>(List.of(X.slice(1, at, to)));
      in.addAll(cache.leaves());
      List<Tensor> out = step.apply(in);
      parts.add(out.get(0));
      cache = AttentionCache.of(out.subList(1, 4));
      at = to;
      assertEquals(at, cache.length().item());
    }
    return Movement.concat(1, parts);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 10000})
  void stepsAreTheWholeSequence(double rotary) {
    MultiHeadAttention layer = new MultiHeadAttention(2, 0, true, rotary);
    Network.Body body = Network.of(layer);
    Network.Variables v = Network.init(body, List.of(X.type()), Key.of(4));
    Tensor whole = Network.apply(body, v, List.of(X), false, null, null).output();
    Fn step = step(layer, v);
    for (int prompt : new int[] {1, 3, 7}) {
      assertNull(CLOSE.difference(whole, decoded(step, prompt)), "prompt of " + prompt);
      assertNull(CLOSE.difference(whole, decoded(Jit.jit(step), prompt)), "compiled");
    }
  }

  @Test
  void aBlockDecodesAsItReads() {
    TransformerDecoderLayer layer =
        new TransformerDecoderLayer(2, 5, Activations.get("gelu"), 0, true, 10000);
    Network.Body body = Network.of(layer);
    Network.Variables v = Network.init(body, List.of(X.type()), Key.of(4));
    Tensor whole = Network.apply(body, v, List.of(X), false, null, null).output();
    Fn step = step(v, layer::decode);
    assertNull(CLOSE.difference(whole, decoded(step, 2)));
  }

  /** Prompts of 7 and 4 positions: before the second one three are filling. */
  private static Tensor unfilled(int size) {
    Tensor at = Tensor.scalar(DType.I32, 0).iotaLike(DType.I32, Shape.of(1, 1, 1, size), 3);
    return at.greaterEqual(Tensor.of(new int[] {0, 3}, 2, 1, 1, 1));
  }

  /** Rows and positions that are no filling; a query within it sees nothing of use. */
  private static Tensor real(Tensor y) {
    return Movement.concat(
        0, List.of(y.slice(0, 0, 1).slice(1, 3, 7), y.slice(0, 1, 2).slice(1, 3, 7)));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 10000})
  void promptsOfDifferentLengthsAreOneBatch(double rotary) {
    MultiHeadAttention layer = new MultiHeadAttention(2, 0, true, rotary);
    Network.Body body = (s, in) -> layer.attend(s, in.get(0), in.get(0), unfilled(7));
    Network.Variables v = Network.init(body, List.of(X.type()), Key.of(4));
    Tensor whole = Network.apply(body, v, List.of(X), false, null, null).output();
    Fn step = step(v, (s, x, cache) -> layer.decode(s, x, cache, unfilled(9)));
    for (int prompt : new int[] {1, 3, 7}) {
      assertNull(CLOSE.difference(real(whole), real(decoded(step, prompt))), "prompt of " + prompt);
      assertNull(CLOSE.difference(real(whole), real(decoded(Jit.jit(step), prompt))), "compiled");
    }
    // alone, the shorter one gives the same, up to the positions' begin, which is relative
    Network.Body alone = (s, in) -> layer.attend(s, in.get(0), in.get(0), null);
    Tensor y =
        Network.apply(alone, v, List.of(X.slice(0, 1, 2).slice(1, 3, 7)), false, null, null)
            .output();
    assertNull(CLOSE.difference(y, decoded(step, 3).slice(0, 1, 2).slice(1, 3, 7)));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aDecoderOfAnotherSequenceDecodesAsItReads(boolean normFirst) {
    TransformerDecoderLayer layer =
        new TransformerDecoderLayer(2, 5, Activations.get("gelu"), 0, normFirst, 0);
    Tensor other = Values.range(-1, 1).make(TensorType.of(DType.F32, 2, 5, 6), 8);
    Tensor seen =
        Tensor.scalar(DType.I32, 0)
            .iotaLike(DType.I32, Shape.of(1, 1, 1, 5), 3)
            .less(Tensor.of(new int[] {5, 2}, 2, 1, 1, 1));
    Network.Body body = (s, in) -> layer.decode(s, in.get(0), in.get(1), unfilled(7), seen);
    Network.Variables v = Network.init(body, List.of(X.type(), other.type()), Key.of(4));
    Tensor whole = Network.apply(body, v, List.of(X, other), false, null, null).output();
    AttentionCache memory =
        AttentionCache.of(
            Network.call((s, in) -> layer.remember(s, in.get(0), 8).leaves(), v, List.of(other)));
    assertEquals(5, memory.length().item());
    Fn step = step(v, (s, x, c) -> layer.decode(s, x, c, memory, unfilled(9), seen));
    for (int prompt : new int[] {1, 3, 7}) {
      assertNull(CLOSE.difference(real(whole), real(decoded(step, prompt))), "prompt of " + prompt);
      assertNull(CLOSE.difference(real(whole), real(decoded(Jit.jit(step), prompt))), "compiled");
    }
  }

  @Test
  void masksAndMemoriesThatDoNotFitAreExplained() {
    MultiHeadAttention layer = new MultiHeadAttention(2, 0, true);
    Network.Variables v = Network.init(Network.of(layer), List.of(X.type()), Key.of(4));
    List<Tensor> in = new ArrayList<>(List.of(X));
    in.addAll(empty().leaves());
    assertEquals(
        "multi_head_attention: the mask must be bool and broadcast to [B, heads, T, S] = [2, 2, 7,"
            + " 9]: f32[2, 7, 8]; reshape or compare it",
        ScopeTest.message(() -> step(v, (s, x, c) -> layer.decode(s, x, c, X)).apply(in)));
    assertEquals(
        "multi_head_attention: what is remembered has no positions: MultiHeadAttention(2, 0.0,"
            + " true); take one that is not causal and without rotary",
        ScopeTest.message(
            () -> Network.call((s, a) -> layer.remember(s, X, 8).leaves(), v, List.of(X))));
    assertEquals(
        "multi_head_attention: remembers floating [B, S, E] for units that heads divide: f32[2, 7,"
            + " 8], 5 units, 2 heads; correct them",
        ScopeTest.message(
            () ->
                Network.call(
                    (s, a) -> new MultiHeadAttention(2).remember(s, X, 5).leaves(),
                    v,
                    List.of(X))));
  }

  @Test
  void wrongUseIsExplained() {
    MultiHeadAttention layer = new MultiHeadAttention(2, 0, true);
    Network.Variables v = Network.init(Network.of(layer), List.of(X.type()), Key.of(4));
    List<Tensor> in = new ArrayList<>(List.of(X));
    in.addAll(empty().leaves());
    List<Tensor> after = new ArrayList<>(step(layer, v).apply(in));
    after.set(0, X);
    assertEquals(
        "attention_cache: there is no room: 7 positions and 7 more of 9; make a larger one",
        ScopeTest.message(() -> step(layer, v).apply(after)));
    assertEquals(
        "attention_cache: there is no room: 7 positions and 7 more of 9; make a larger one",
        assertThrows(IndexOutOfBoundsException.class, () -> Jit.jit(step(layer, v)).apply(after))
            .getMessage());
    assertEquals(
        "multi_head_attention: only a causal one decodes: MultiHeadAttention(2, 0.0, false); make"
            + " it causal",
        ScopeTest.message(() -> step(new MultiHeadAttention(2), v).apply(in)));
    in.set(1, Tensor.zeros(DType.F32, 2, 4, 9, 2));
    in.set(2, Tensor.zeros(DType.F32, 2, 4, 9, 2));
    assertEquals(
        "attention_cache: belongs to another layer or batch: f32[2, 4, 9, 2] for f32[2, 7, 8] with"
            + " 2 heads of 4; make one by empty",
        ScopeTest.message(() -> step(layer, v).apply(in)));
  }
}
