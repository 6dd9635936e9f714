package io.fragua.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.fragua.exec.CompileOptions;
import io.fragua.exec.Precision;
import io.fragua.exec.Program;
import io.fragua.nn.Activations;
import io.fragua.random.Key;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.Runs;
import io.fragua.testing.Tolerance;
import io.fragua.transform.Fn;
import io.fragua.transform.Jit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
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

  /** The precisions, each with and without a CPU that multiplies bf16. */
  private record Mode(Precision precision, boolean bf16) {
    static List<Mode> all() {
      return Arrays.stream(Precision.values())
          .flatMap(p -> Stream.of(new Mode(p, false), new Mode(p, true)))
          .toList();
    }
  }

  private static final List<Mode> MODES = Mode.all();

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

  private static final List<UnaryOperator<Tensor>> AFTER =
      List.of(
          y -> y,
          y -> y.mul(0.5),
          Tensor::tanh,
          Tensor::logistic,
          Activations::gelu,
          Activations::geluExact,
          y -> y.add(Tensor.full(TensorType.of(y.dtype(), y.shape().dim(-1)), 0.25)),
          y -> y.add(y.iotaLike(DType.F32, y.shape(), y.shape().rank() - 1).mul(0.1)).tanh());

  /** As attention hands on its heads, in whatever shape, to what a product may take in. */
  @Test
  void resultsInAnotherOrderMayBeScaledOrActivated() {
    List<String> wrong = new ArrayList<>();
    for (int t = 0; t < PRODUCTS / 3; t++) {
      int[] s = random.ints(5, 1, 6).toArray();
      int[][] shapes = {
        {s[0], s[2], s[1] * s[4]}, {s[0] * s[2], s[1], s[4]}, {s[0] * s[2], s[1] * s[4]}
      };
      int[] out = shapes[t % 3];
      UnaryOperator<Tensor> after = AFTER.get(random.nextInt(AFTER.size()));
      check(
          wrong,
          MODES.get(random.nextInt(MODES.size())),
          s[3],
          in -> List.of(after.apply(heads(in.get(0), in.get(1)).reshape(out))),
          uniform(t, s[0], s[1], s[2], s[3]),
          uniform(-t, s[0], s[1], s[3], s[4]));
    }
    assertEquals("", String.join("\n", wrong));
  }

  private static Tensor heads(Tensor x, Tensor w) {
    return x.matmul(w).transpose(0, 2, 1, 3);
  }

  /** Parts of tensors as operands, some of which overlap what they leave out. */
  @Test
  void operandsMayLeaveOutRowsColumnsAndMatrices() {
    List<String> wrong = new ArrayList<>();
    List<Fn> named =
        List.of(
            x -> List.of(x.get(0).slice(1, 0, 3, 2).matmul(x.get(1))),
            x ->
                List.of(x.get(1).transpose(0, 2, 1).matmul(x.get(0).slice(1, 0, 3, 2).transpose())),
            x -> List.of(x.get(0).transpose(0, 2, 1).slice(2, 0, 3, 2).matmul(x.get(2))),
            x -> List.of(x.get(1).transpose().matmul(x.get(0).transpose().slice(2, 0, 3, 2))));
    for (Mode mode : MODES) {
      for (Fn f : named) {
        check(wrong, mode, 4, f, uniform(1, 2, 3, 4), uniform(2, 2, 4, 5), uniform(3, 2, 2, 5));
      }
    }
    for (int t = 0; t < PRODUCTS / 3; t++) {
      int[] batch = random.ints(1 + random.nextInt(2), 1, 4).toArray();
      int k = 1 + random.nextInt(5);
      Operand x = operand(batch, 1 + random.nextInt(5), k);
      Operand w = operand(batch, k, 1 + random.nextInt(5));
      UnaryOperator<Tensor> left = part(x);
      UnaryOperator<Tensor> right = part(w);
      DType type = random.nextInt(3) == 0 ? DType.BF16 : DType.F32;
      check(
          wrong,
          MODES.get(random.nextInt(MODES.size())),
          k,
          in -> List.of(left.apply(in.get(0)).matmul(right.apply(in.get(1))).cast(DType.F32)),
          wider(x, 1).cast(type),
          wider(w, 2).cast(type));
    }
    assertEquals("", String.join("\n", wrong));
  }

  /** A tensor of which the operand is every second or third line along each axis. */
  private static Tensor wider(Operand o, int seed) {
    int[] dims = Arrays.stream(o.x.shape().dims()).map(d -> 3 * d).toArray();
    return uniform(seed, dims);
  }

  private UnaryOperator<Tensor> part(Operand o) {
    int[] dims = o.x.shape().dims();
    int[] steps = random.ints(dims.length, 0, 4).map(s -> Math.max(1, s)).toArray();
    return x -> {
      for (int i = 0; i < dims.length; i++) {
        x = x.slice(i, 0, (dims[i] - 1) * steps[i] + 1, steps[i]);
      }
      return x.transpose(o.order);
    };
  }

  private static Tensor uniform(int seed, int... dims) {
    return io.fragua.random.Random.uniform(Key.of(seed), Shape.of(dims));
  }

  private static void check(List<String> wrong, Fn f, Tensor... in) {
    check(wrong, new Mode(Precision.STRICT, false), 1, f, in);
  }

  /** Each of {@code terms} products of numbers below 1 may be rounded to bf16, and their sum. */
  private static void check(List<String> wrong, Mode mode, int terms, Fn f, Tensor... in) {
    var graph = Jit.graph(f, Stream.of(in).map(Tensor::type).toList());
    boolean rounds =
        mode.precision != Precision.STRICT || Stream.of(in).anyMatch(t -> t.dtype() == DType.BF16);
    Tensor expected = Runs.reference(f, in).get(0);
    String d;
    try (Program p =
        new CpuProgram(graph, CompileOptions.DEFAULT.withPrecision(mode.precision), mode.bf16)) {
      Tensor actual = Jit.run(p, List.of(in)).get(0);
      d = new Tolerance(0, rounds ? 0x1p16 * terms : 100).difference(expected, actual);
    } catch (RuntimeException e) {
      d = e.toString();
    }
    if (d != null && wrong.size() < 5) {
      wrong.add(mode + ": " + d + "\n" + graph);
    }
  }
}
