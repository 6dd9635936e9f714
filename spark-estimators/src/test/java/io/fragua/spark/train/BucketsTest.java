package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.fragua.graph.Graph;
import io.fragua.graph.Tracer;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.transform.Grad;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How gradients are cut into buckets, and when these are complete. */
class BucketsTest {
  private static final TensorType MATRIX = TensorType.of(DType.F32, 8, 8);

  private static Buckets cut(int bytes, List<Integer> order, int... at) {
    return Buckets.cut(Buffer.collected(4L * at[at.length - 1]), order, at, bytes, false);
  }

  private static String ranges(Buckets b) {
    List<String> all = new ArrayList<>();
    for (int i = 0; i < b.count(); i++) {
      all.add(b.from(i) + "+" + b.floats(i));
    }
    return String.join(" ", all);
  }

  /** As the backward pass computes them, whatever the order of the results. */
  @Test
  void theLastLayersGradientsComeFirst() {
    Graph loss =
        Tracer.trace(
            List.of(
                new Graph.Input("w0", MATRIX),
                new Graph.Input("w1", MATRIX),
                new Graph.Input("w2", MATRIX),
                new Graph.Input("x", MATRIX)),
            List.of("loss"),
            t -> {
              Tensor y = t.get(3);
              for (int i = 0; i < 3; i++) {
                y = y.matmul(t.get(i)).tanh();
              }
              return List.of(y.square().sum());
            });
    Graph up = Grad.valueAndGrad(loss, new int[] {0, 1, 2}, List.of("grad:0", "grad:1", "grad:2"));
    assertEquals(List.of(3, 2, 1), Buckets.order(up), up::toString);
    Graph down =
        Grad.valueAndGrad(loss, new int[] {2, 0, 1}, List.of("grad:2", "rows:0", "grad:1"));
    assertEquals(List.of(1, 3), Buckets.order(down), down::toString);
  }

  @Test
  void aBucketEndsWhereItIsFull() {
    assertEquals("16+10 26+16 42+2", ranges(cut(40, List.of(1, 2, 3, 0), 16, 26, 34, 42, 44)));
    assertEquals("0+1000 1000+1", ranges(cut(40, List.of(0, 1), 0, 1000, 1001)), "never within");
    assertEquals("0+10 10+10", ranges(cut(40, List.of(0, 1), 0, 10, 20)));
  }

  @Test
  void whatDoesNotFillTwoIsNotCut() {
    assertNull(cut(40, List.of(0, 1), 0, 10, 19));
    assertNull(cut(40, List.of(), 16));
  }

  @Test
  void theyAreCompleteInTheirOrder() throws InterruptedException {
    Buckets b = cut(40, List.of(4, 2, 1), 0, 4, 12, 25);
    assertEquals("0+12 12+13", ranges(b));
    for (int step = 0; step < 2; step++) {
      b.begin();
      b.complete(0);
      b.complete(1);
      b.complete(4);
      b.complete(5);
      refused(b, 0);
      b.complete(2);
      b.await(0);
      b.await(1);
    }
    b.begin();
    refused(b, 0);
    b.completeAll();
    b.await(1);
  }

  /** Who is interrupted would have waited; also one who need not wait gives up. */
  private static void refused(Buckets b, int bucket) {
    Thread.currentThread().interrupt();
    assertThrows(InterruptedException.class, () -> b.await(bucket));
  }
}
