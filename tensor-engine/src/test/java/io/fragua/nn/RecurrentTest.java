package io.fragua.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.fragua.random.Key;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What recurrent layers refuse; what they compute is in {@link RecurrentLayerCases}. */
class RecurrentTest {
  @Test
  void statesThatDoNotFitAreExplained() {
    Tensor x = Tensor.zeros(DType.F32, 2, 3, 4);
    Tensor h = Tensor.zeros(DType.F32, 2, 5);
    for (List<Tensor> wrong :
        List.of(List.<Tensor>of(), List.of(h), List.of(h, h, h), List.of(h, h.cast(DType.F64)))) {
      String m =
          ScopeTest.message(
              () ->
                  Network.init(
                      (s, in) ->
                          new Recurrent(new LstmCell(5)).run(s, in.get(0), null, wrong).outputs(),
                      List.of(x.type()),
                      Key.of(0)));
      String types = wrong.stream().map(Tensor::type).toList().toString();
      assertEquals(
          "recurrent: LstmCell(5) starts from states of f32[2, 5], as many as it has, 2: "
              + types
              + "; give all states of a run before, or null for zeros",
          m);
    }
    assertEquals(
        "bidirectional: both directions start from the states that GruCell(5) has: 1 of 2 given;"
            + " give those of a run before, or null for zeros",
        ScopeTest.message(
            () ->
                Network.init(
                    (s, in) ->
                        new Bidirectional(new GruCell(5))
                            .run(s, in.get(0), null, List.of(h))
                            .outputs(),
                    List.of(x.type()),
                    Key.of(0))));
  }

  @Test
  void lengthsThatCannotBeAreErrorsWhenComputed() {
    Tensor x = Tensor.zeros(DType.F32, 2, 3, 4);
    Network.Body body =
        (s, in) -> new Recurrent(new RnnCell(2)).run(s, in.get(0), in.get(1), null).outputs();
    for (int length : new int[] {-1, 4}) {
      Tensor lengths = Tensor.of(new int[] {3, length}, 2);
      Network.Variables v = Network.init(body, List.of(x.type(), lengths.type()), Key.of(0));
      assertThrows(
          IndexOutOfBoundsException.class,
          () -> Network.apply(body, v, List.of(x, lengths), false, null, null),
          "length " + length);
    }
  }
}
