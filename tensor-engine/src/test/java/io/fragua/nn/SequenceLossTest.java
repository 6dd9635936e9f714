package io.fragua.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.fragua.tensor.DType;
import io.fragua.tensor.ShapeException;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.Golden;
import io.fragua.testing.GradCheck;
import io.fragua.testing.Runs;
import io.fragua.testing.Tolerance;
import io.fragua.testing.Values;
import io.fragua.transform.Fn;
import io.fragua.transform.Grad;
import io.fragua.transform.Jit;
import io.fragua.transform.Vmap;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The loss of alignments against Optax, and against all alignments written out. */
class SequenceLossTest {
  private static final Tolerance CLOSE = new Tolerance(64, 256);

  private static Tensor ints(JsonNode list) {
    return Tensor.of(Golden.ints(list), list.size());
  }

  private static Fn loss(Tensor logitLengths, Tensor labels, Tensor labelLengths) {
    return x -> List.of(SequenceLosses.ctc(x.get(0), logitLengths, labels, labelLengths));
  }

  @Test
  void valuesAndGradientsAreOptaxs() {
    JsonNode cases = Golden.json("recurrent.json").get("ctc");
    assertEquals(4, cases.size());
    for (JsonNode n : cases) {
      Tensor logits = Golden.floats(n.get("logits"), Golden.ints(n.get("shape")));
      int[] labels =
          StreamSupport.stream(n.get("labels").spliterator(), false)
              .flatMapToInt(row -> Arrays.stream(Golden.ints(row)))
              .toArray();
      int rows = n.get("labels").size();
      Fn f =
          loss(
              ints(n.get("logit_lengths")),
              Tensor.of(labels, rows, labels.length / rows),
              ints(n.get("label_lengths")));
      Tensor expected = Golden.floats(n.get("loss"), rows);
      Tensor slope = Golden.floats(n.get("grad"), Golden.ints(n.get("shape")));
      Fn g = Grad.grad(x -> List.of(f.apply(x).get(0).sum()));
      for (Fn one : List.of(f, Jit.jit(f), x -> Runs.reference(f, x.get(0)))) {
        assertNull(CLOSE.difference(expected, one.call(logits)));
      }
      for (Fn one : List.of(g, Jit.jit(g), x -> Runs.reference(g, x.get(0)))) {
        assertNull(CLOSE.difference(slope, one.call(logits)));
      }
    }
  }

  @Test
  void theBlankMayBeAnyClass() {
    for (JsonNode n : Golden.json("recurrent.json").get("ctc of blanks")) {
      int[] shape = Golden.ints(n.get("shape"));
      Tensor logits = Golden.floats(n.get("logits"), shape);
      int blank = n.get("blank").intValue();
      Tensor labels = Tensor.of(Golden.ints(n.get("labels")), shape[0], 3);
      Tensor lengths = ints(n.get("label_lengths"));
      Fn f = Fn.of(x -> SequenceLosses.ctc(x, null, labels, lengths, blank));
      Fn g = Grad.grad(x -> List.of(f.apply(x).get(0).sum()));
      Tensor expected = Golden.floats(n.get("loss"), shape[0]);
      Tensor slope = Golden.floats(n.get("grad"), shape);
      assertNull(CLOSE.difference(expected, f.call(logits)), "blank " + blank);
      assertNull(CLOSE.difference(expected, Jit.jit(f).call(logits)), "blank " + blank);
      assertNull(CLOSE.difference(slope, g.call(logits)), "blank " + blank);
    }
    Tensor logits = Tensor.zeros(DType.F32, 1, 4, 3);
    for (int outside : new int[] {-1, 3}) {
      Tensor wrong = Tensor.of(new int[] {outside}, 1, 1);
      assertThrows(
          IndexOutOfBoundsException.class,
          () -> SequenceLosses.ctc(logits, null, wrong, null, 2).item());
    }
    assertEquals(
        "ctc: the blank is one of 3 classes: 3; correct it",
        assertThrows(
                IllegalArgumentException.class,
                () -> SequenceLosses.ctc(logits, null, Tensor.of(new int[] {1}, 1, 1), null, 3))
            .getMessage());
  }

  /** Every way to give each frame a class, summed where it comes down to the labels. */
  private static double all(double[][] p, int[] labels, int[] path, int t) {
    if (t == p.length) {
      List<Integer> left = new ArrayList<>();
      for (int i = 0; i < t; i++) {
        if (path[i] != 0 && (i == 0 || path[i] != path[i - 1])) {
          left.add(path[i]);
        }
      }
      double product = 1;
      for (int i = 0; i < t; i++) {
        product *= p[i][path[i]];
      }
      return left.equals(Arrays.stream(labels).boxed().toList()) ? product : 0;
    }
    double sum = 0;
    for (int k = 0; k < p[0].length; k++) {
      path[t] = k;
      sum += all(p, labels, path, t + 1);
    }
    return sum;
  }

  @Test
  void sumsOverAllAlignments() {
    Tensor logits = Values.range(-2, 2).make(TensorType.of(DType.F64, 1, 5, 3), 3);
    double[] soft = logits.softmax(2).toDoubles();
    double[][] p = new double[5][];
    Arrays.setAll(p, i -> Arrays.copyOfRange(soft, 3 * i, 3 * i + 3));
    for (int[] labels : new int[][] {{}, {1}, {2, 1}, {1, 1}, {2, 2, 1}, {1, 2, 1, 2, 1}}) {
      Tensor l = Tensor.of(labels, 1, labels.length);
      double expected = -Math.log(all(p, labels, new int[5], 0));
      assertEquals(expected, SequenceLosses.ctc(logits, null, l, null).item(), 1e-12);
    }
  }

  @Test
  void gradientsAreDifferencesAndLabelsThatDoNotFitHaveFiniteOnes() {
    Tensor logits = Values.range(-2, 2).make(TensorType.of(DType.F64, 2, 4, 3), 5);
    Tensor labels = Tensor.of(new int[] {1, 2, 1, 1}, 2, 2);
    Fn f = loss(Tensor.of(new int[] {4, 3}, 2), labels, Tensor.of(new int[] {2, 2}, 2));
    assertNull(GradCheck.first(f, List.of(logits)));
    assertNull(GradCheck.second(f, List.of(logits)));
    Fn tooShort = loss(Tensor.of(new int[] {4, 2}, 2), labels, null);
    double[] y = tooShort.call(logits).toDoubles();
    assertTrue(y[0] < 20 && y[1] > 9e4 && y[1] < 2e5, Arrays.toString(y));
    for (double g :
        Grad.grad(x -> List.of(tooShort.call(x.get(0)).sum())).call(logits).toDoubles()) {
      assertTrue(Double.isFinite(g));
    }
  }

  /** Behind its length a label may be anything; before, one that is no class is an error. */
  @ParameterizedTest
  @ValueSource(ints = {-1, 3, Integer.MIN_VALUE, Integer.MAX_VALUE})
  void paddingIsNotLookedAtAndLabelsAreClasses(int wrong) {
    Tensor logits = Values.range(-2, 2).make(TensorType.of(DType.F32, 2, 4, 3), 7);
    Tensor lengths = Tensor.of(new int[] {1, 2}, 2);
    Tensor labels = Tensor.of(new int[] {1, wrong, 2, 1}, 2, 2);
    Fn padded = loss(null, labels, lengths);
    Fn clean = loss(null, Tensor.of(new int[] {1, 2, 2, 1}, 2, 2), lengths);
    Fn all = loss(null, labels, null);
    assertNull(Tolerance.BITS.difference(clean.call(logits), padded.call(logits)));
    assertNull(Tolerance.BITS.difference(clean.call(logits), Jit.jit(padded).call(logits)));
    for (Fn way : List.of(all, Jit.jit(all), a -> Runs.reference(all, a.get(0)))) {
      String m = assertThrows(IndexOutOfBoundsException.class, () -> way.call(logits)).getMessage();
      assertEquals(
          "ctc: labels must lie in [0, 3): label "
              + wrong
              + " at position 1 of [2, 2]; correct the labels",
          m);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 5})
  void lengthsCountWhatIsThere(int wrong) {
    Tensor logits = Values.range(-2, 2).make(TensorType.of(DType.F32, 2, 4, 3), 7);
    Tensor labels = Tensor.of(new int[] {1, 1, 2, 1}, 2, 2);
    Tensor lengths = Tensor.of(new int[] {2, wrong}, 2);
    for (Fn f : List.of(loss(lengths, labels, null), loss(null, labels, lengths))) {
      for (Fn way : List.of(f, Jit.jit(f), a -> Runs.reference(f, a.get(0)))) {
        String m =
            assertThrows(IndexOutOfBoundsException.class, () -> way.call(logits)).getMessage();
        String start = "ctc: lengths must lie in [0, ";
        assertTrue(m.startsWith(start), m);
        assertTrue(
            m.endsWith("): length " + wrong + " at position 1 of [2]; correct the lengths"), m);
      }
    }
  }

  /** Sums are f32's, rounded once; a row that does not fit is infinite in f16. */
  @ParameterizedTest
  @EnumSource(names = {"F16", "BF16"})
  void halfTypesAreRoundedOnce(DType half) {
    Tensor logits = Values.range(-2, 2).make(TensorType.of(DType.F32, 2, 4, 3), 8).cast(half);
    Tensor labels = Tensor.of(new int[] {1, 2, 1, 1}, 2, 2);
    Fn f = loss(Tensor.of(new int[] {4, 2}, 2), labels, null);
    Tensor wide = f.call(logits.cast(DType.F32));
    assertNull(Tolerance.BITS.difference(wide.cast(half), f.call(logits)));
    Fn slope = Grad.grad(x -> List.of(f.call(x.get(0)).slice(0, 0, 1).cast(DType.F32).sum()));
    assertNull(
        new Tolerance(2, 1)
            .difference(slope.call(logits.cast(DType.F32)).cast(half), slope.call(logits)));
  }

  @Test
  void mapsOverExamples() {
    Tensor logits = Values.range(-2, 2).make(TensorType.of(DType.F64, 3, 4, 3), 6);
    Tensor labels = Tensor.of(new int[] {1, 2, 2, 1, 1, 1}, 3, 2);
    Fn one =
        x ->
            List.of(
                SequenceLosses.ctc(x.get(0).expandDims(0), null, x.get(1).expandDims(0), null)
                    .reshape());
    assertArrayEquals(
        SequenceLosses.ctc(logits, null, labels, null).toDoubles(),
        Jit.jit(Vmap.vmap(one)).call(logits, labels).toDoubles(),
        1e-12);
  }

  @Test
  void refusesWhatDoesNotFit() {
    Tensor x = Tensor.zeros(DType.F32, 2, 4, 3);
    Tensor l = Tensor.zeros(DType.I32, 2, 2);
    Tensor n = Tensor.zeros(DType.I32, 2);
    for (Tensor[] in :
        new Tensor[][] {
          {x.sum(0), n, l, n},
          {x.cast(DType.I32), n, l, n},
          {x, n, l.cast(DType.F32), n},
          {x, n, l.reshape(4, 1), n},
          {x, l, l, n},
          {x, n, l, n.cast(DType.F32)}
        }) {
      String m =
          assertThrows(ShapeException.class, () -> SequenceLosses.ctc(in[0], in[1], in[2], in[3]))
              .getMessage();
      assertTrue(m.matches("ctc: .* must be .*: .*; .*"), m);
    }
  }
}
