package io.fragua.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.fragua.exec.Allocator;
import io.fragua.exec.Backend;
import io.fragua.exec.Backends;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Execution;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.op.OpTable;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.ExecutionContract;
import io.fragua.testing.Runs;
import io.fragua.transform.Fn;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The definition itself, against values written by hand. */
class ReferenceBackendTest extends ExecutionContract {
  private static final double NAN = Double.NaN;
  private static final double INF = Double.POSITIVE_INFINITY;
  private static final int MIN = Integer.MIN_VALUE;
  private static final int MAX = Integer.MAX_VALUE;

  @Override
  protected Backend backend() {
    return Backends.reference();
  }

  private record Meaning(String name, Fn f, List<Tensor> in, double... expected) {}

  private static Tensor f(double... v) {
    return Tensor.of(v, v.length);
  }

  private static Tensor i(int... v) {
    return Tensor.of(v, v.length);
  }

  private static Tensor m(int rows, double... v) {
    return Tensor.of(v, rows, v.length / rows);
  }

  private static Fn op(String name, Object... attrs) {
    Attrs a = Attrs.NONE;
    for (int k = 0; k < attrs.length; k += 2) {
      a = a.with((String) attrs[k], attrs[k + 1]);
    }
    Attrs all = a;
    return x -> List.of(Tensor.record(OpTable.get(name), all, x));
  }

  private static Meaning means(String name, Fn f, List<Tensor> in, double... expected) {
    return new Meaning(name, f, in, expected);
  }

  private static final List<Meaning> MEANINGS =
      List.of(
          means("max of NaN", op("maximum"), List.of(f(NAN, 1, 2), f(1, NAN, 3)), NAN, NAN, 3),
          means("min of NaN", op("minimum"), List.of(f(NAN, 1, 2), f(1, NAN, 3)), NAN, NAN, 2),
          means("reduce max with NaN", x -> List.of(x.get(0).max()), List.of(f(1, NAN, 3)), NAN),
          means("reduce min with NaN", x -> List.of(x.get(0).min()), List.of(f(1, NAN, 3)), NAN),
          means("max of nothing", x -> List.of(x.get(0).max()), List.of(f()), -INF),
          means("min of nothing", x -> List.of(x.get(0).min()), List.of(f()), INF),
          means("sum of nothing", x -> List.of(x.get(0).sum()), List.of(f()), 0),
          means("mean of nothing", x -> List.of(x.get(0).mean()), List.of(f()), NAN),
          means("integer max of nothing", x -> List.of(x.get(0).max()), List.of(i()), MIN),
          means("integer min of nothing", x -> List.of(x.get(0).min()), List.of(i()), MAX),
          means("argmax takes the first", x -> List.of(x.get(0).argmax(0)), List.of(f(1, 3, 3)), 1),
          means("argmax takes NaN", x -> List.of(x.get(0).argmax(0)), List.of(f(9, NAN, NAN)), 1),
          means("argmax down", x -> List.of(x.get(0).argmax(0)), List.of(m(2, 1, 5, 3, 2)), 1, 0),
          means("argmax across", x -> List.of(x.get(0).argmax(1)), List.of(m(2, 1, 5, 3, 2)), 1, 0),
          means("division by zero", op("div"), List.of(i(7, 0, MIN), i(0, 0, -1)), 0, 0, MIN),
          means("division truncates", op("div"), List.of(i(7, -7, 7), i(2, 2, -2)), 3, -3, -3),
          means("addition wraps", op("add"), List.of(i(MAX), i(1)), MIN),
          means("least integer", op("abs"), List.of(i(MIN, -3)), MIN, 3),
          means(
              "shift left",
              op("shift_left"),
              List.of(i(1, 1, 1, 1, 3), i(31, 32, -1, 0, 1)),
              MIN,
              0,
              0,
              1,
              6),
          means(
              "shift right",
              op("shift_right_logical"),
              List.of(i(-1, -1, -1, -1), i(31, 32, -1, 1)),
              1,
              0,
              0,
              MAX),
          cast(DType.I32, f(NAN, INF, -INF, 3e9, -1.9, 0.5), 0, MAX, MIN, MAX, -1, 0),
          cast(DType.I8, f(NAN, 300, -300, -1.5, 127.9), 0, 127, -128, -1, 127),
          cast(DType.U8, f(-5, 300, 255.9, 3.5), 0, 255, 255, 3),
          cast(DType.I16, f(40000, -40000), 32767, -32768),
          cast(DType.BOOL, f(0, -0.0, 0.3, NAN), 0, 0, 1, 1),
          cast(DType.U8, i(-1, 256, 300), 255, 0, 44),
          cast(DType.F16, f(65519, 65520, 1 + 0x1p-11 + 0x1p-40), 65504, INF, 1 + 0x1p-10),
          cast(DType.BF16, f(1 + 0x1p-8 + 0x1p-40, 1 + 0x1p-8), 1 + 0x1p-7, 1),
          means("relu", op("relu"), List.of(f(-1, -0.0, 2, NAN)), 0, 0, 2, NAN),
          means("round", op("round"), List.of(f(0.5, 1.5, -2.5, -0.3)), 0, 2, -2, -0.0),
          means("sign", op("sign"), List.of(f(-2, -0.0, NAN, 7)), -1, -0.0, NAN, 1),
          means(
              "matmul", op("matmul"), List.of(m(2, 1, 2, 3, 4), m(2, 5, 6, 7, 8)), 19, 22, 43, 50),
          means("matmul of nothing", op("matmul"), List.of(m0(2, 0), m0(0, 2)), 0, 0, 0, 0),
          means("gather", op("gather"), List.of(m(3, 1, 2, 3, 4, 5, 6), i(2, 0)), 5, 6, 1, 2),
          means(
              "scatter",
              op("scatter", "mode", "add"),
              List.of(f(0, 10, 20), i(2, 0, 2), f(1, 2, 4)),
              2,
              10,
              25),
          means(
              "iota",
              op("iota", "dtype", DType.I32, "shape", Shape.of(2, 2), "axis", 1),
              List.of(),
              0,
              1,
              0,
              1),
          means(
              "transpose",
              x -> List.of(x.get(0).transpose()),
              List.of(m(2, 1, 2, 3, 4, 5, 6)),
              1,
              4,
              2,
              5,
              3,
              6),
          means("slice", x -> List.of(x.get(0).slice(0, 1, 5, 2)), List.of(f(0, 1, 2, 3, 4)), 1, 3),
          means(
              "pad", x -> List.of(x.get(0).pad(0, 1, 2, 1, 9)), List.of(f(1, 2)), 9, 1, 9, 2, 9, 9),
          means("reverse", x -> List.of(x.get(0).reverse(0)), List.of(f(1, 2, 3)), 3, 2, 1),
          means(
              "broadcast",
              x -> List.of(x.get(0).broadcastTo(Shape.of(2, 2))),
              List.of(f(1, 2)),
              1,
              2,
              1,
              2),
          // Published vectors of the cipher: zero key and counter, and all ones.
          means("threefry zero", op("threefry2x32", "word", "0"), zeros(), 0x6b200159),
          means("threefry zero, second", op("threefry2x32", "word", "1"), zeros(), 0x99ba4efe),
          means("threefry ones", op("threefry2x32", "word", "0"), ones(), 0x1cb996fc),
          means("threefry ones, second", op("threefry2x32", "word", "1"), ones(), 0xbb002be7),
          means(
              "threefry both",
              op("threefry2x32", "word", "xor"),
              zeros(),
              0x6b200159 ^ 0x99ba4efe));

  private static Meaning cast(DType to, Tensor in, double... expected) {
    return means("cast to " + to + " of " + in, op("cast", "dtype", to), List.of(in), expected);
  }

  private static Tensor m0(int a, int b) {
    return Tensor.zeros(DType.F64, a, b);
  }

  private static List<Tensor> zeros() {
    return List.of(i(0), i(0), i(0), i(0));
  }

  private static List<Tensor> ones() {
    return List.of(i(-1), i(-1), i(-1), i(-1));
  }

  @TestFactory
  Stream<DynamicTest> rowsMean() {
    return MEANINGS.stream()
        .map(
            m ->
                DynamicTest.dynamicTest(
                    m.name(),
                    () ->
                        assertArrayEquals(
                            m.expected(),
                            Runs.eval(m.f(), m.in().toArray(Tensor[]::new)).toDoubles())));
  }

  @Test
  void indexErrorsHaveFourParts() {
    IndexOutOfBoundsException e =
        assertThrows(
            IndexOutOfBoundsException.class,
            () -> Runs.eval(op("gather"), m(3, 1, 2, 3, 4, 5, 6), i(0, 3)));
    assertEquals(
        "gather: indices must lie in [0, 3): index 3 at position 1 of [2]; check the vocabulary or"
            + " clip the indices",
        e.getMessage());
  }

  @Test
  void aClosedExecutionRefusesToRun() {
    Graph g = io.fragua.transform.Jit.graph(Fn.of(Tensor::neg), List.of(TensorType.of(DType.F32)));
    try (Allocator a = new Allocator("closed");
        Program p = backend().compile(g, CompileOptions.DEFAULT)) {
      Execution e = p.newExecution(a);
      e.close();
      String m = assertThrows(IllegalStateException.class, e::run).getMessage();
      assertEquals(
          "reference: an execution must be open: it is closed; make a new one from the program", m);
      e.close(); // twice is harmless
    }
  }
}
