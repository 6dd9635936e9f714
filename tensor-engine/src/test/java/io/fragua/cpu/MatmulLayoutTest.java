package io.fragua.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.fragua.exec.Backends;
import io.fragua.random.Key;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.testing.Runs;
import io.fragua.testing.Tolerance;
import io.fragua.transform.Fn;
import io.fragua.transform.Jit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Products whose operands lie in any order of axes, with leading axes that have size 1 or repeat:
 * some of these oneDNN would read at other places.
 */
class MatmulLayoutTest {
  private static final int PRODUCTS = 1500;

  private final Random random = new Random(5);

  /** An operand whose axes lie in another order in memory, and how they come to their own. */
  private record Operand(Tensor x, int[] order) {}

  private Operand operand(int[] batch, int rows, int columns) {
    int r = batch.length + 2;
    int[] dims = new int[r];
    for (int i = 0; i < batch.length; i++) {
      dims[i] = random.nextInt(3) == 0 ? 1 : batch[i];
    }
    dims[r - 2] = rows;
    dims[r - 1] = columns;
    List<Integer> lies = new ArrayList<>(IntStream.range(0, r).boxed().toList());
    Collections.shuffle(lies, random);
    int[] there = lies.stream().mapToInt(i -> dims[i]).toArray();
    int[] order = IntStream.range(0, r).map(lies::indexOf).toArray();
    return new Operand(
        io.fragua.random.Random.uniform(Key.of(random.nextInt()), Shape.of(there)), order);
  }

  @Test
  void axesMayLieInAnyOrder() {
    List<String> wrong = new ArrayList<>();
    for (int t = 0; t < PRODUCTS; t++) {
      int[] batch = random.ints(1 + random.nextInt(3), 1, 5).toArray();
      int m = 1 + random.nextInt(9);
      int k = 1 + random.nextInt(5);
      int n = 1 + random.nextInt(9);
      Operand x = operand(batch, m, k);
      Operand w = operand(batch, k, n);
      check(
          wrong,
          in -> List.of(in.get(0).transpose(x.order).matmul(in.get(1).transpose(w.order))),
          x.x,
          w.x);
    }
    assertEquals("", String.join("\n", wrong));
  }

  /** As attention hands on its heads. */
  @Test
  void resultsMayLieInAnotherOrder() {
    List<String> wrong = new ArrayList<>();
    for (int t = 0; t < PRODUCTS / 5; t++) {
      int[] s = random.ints(5, 1, 5).toArray();
      Shape out = Shape.of(s[0], s[2], s[1] * s[4]);
      check(
          wrong,
          in -> List.of(in.get(0).matmul(in.get(1)).transpose(0, 2, 1, 3).reshape(out.dims())),
          io.fragua.random.Random.uniform(Key.of(t), Shape.of(s[0], s[1], s[2], s[3])),
          io.fragua.random.Random.uniform(Key.of(-t), Shape.of(s[0], s[1], s[3], s[4])));
    }
    assertEquals("", String.join("\n", wrong));
  }

  private static void check(List<String> wrong, Fn f, Tensor x, Tensor w) {
    var graph = Jit.graph(f, List.of(x.type(), w.type()));
    Tensor expected = Runs.reference(f, x, w).get(0);
    Tensor actual = Runs.on(Backends.cpu(), graph, List.of(x, w)).get(0);
    String d = new Tolerance(0, 100).difference(expected, actual);
    if (d != null && wrong.size() < 5) {
      wrong.add(d + "\n" + graph);
    }
  }
}
