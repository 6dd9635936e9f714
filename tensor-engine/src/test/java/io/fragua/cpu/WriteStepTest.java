package io.fragua.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.fragua.exec.Allocator;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Execution;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Scatter;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.transform.Fn;
import io.fragua.transform.Jit;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Rows that write into their operand do so in place only where nobody sees it. */
class WriteStepTest {
  private static final TensorType TABLE = TensorType.of(DType.F32, 4);
  private static final TensorType IDS = TensorType.of(DType.I32, 2);
  private static final TensorType UPDATES = TensorType.of(DType.F32, 2);
  private static final Fn ADD = x -> List.of(x.get(0).scatter(Scatter.ADD, x.get(1), x.get(2)));

  private static Program compile(Fn f, Map<Integer, Integer> donated) {
    Graph g = Jit.graph(f, List.of(TABLE, IDS, UPDATES));
    return new CpuBackend().compile(g, CompileOptions.DEFAULT.withDonated(donated));
  }

  private static void bind(Execution e, Buffer table) {
    e.bindInput(0, table);
    e.bindInput(1, Tensor.of(new int[] {2, 0}, 2).buffer());
    e.bindInput(2, Tensor.of(new float[] {10, 20}, 2).buffer());
  }

  private static Tensor table() {
    return Tensor.of(new float[] {1, 2, 3, 4}, 4);
  }

  @Test
  void aDonatedOperandIsWrittenWhereItLies() {
    try (Program p = compile(ADD, Map.of(0, 0));
        Allocator a = new Allocator("test");
        Execution e = p.newExecution(a)) {
      Tensor table = table();
      bind(e, table.buffer());
      e.bindOutput(0, table.buffer());
      e.run();
      assertArrayEquals(new float[] {21, 2, 13, 4}, table.toFloats());
      e.run();
      assertArrayEquals(new float[] {41, 2, 23, 4}, table.toFloats());
    }
  }

  @Test
  void aDonatedOperandMayBeBoundElsewhere() {
    try (Program p = compile(ADD, Map.of(0, 0));
        Allocator a = new Allocator("test");
        Execution e = p.newExecution(a)) {
      // what the result's memory holds before must not matter, not even the operand's elements
      for (float[] before : new float[][] {{0, 0, 0, 0}, {1, 2, 3, 4}, {-1, 7, 8, 9}}) {
        Tensor table = table();
        Tensor out = Tensor.of(before, 4);
        bind(e, table.buffer());
        e.bindOutput(0, out.buffer());
        e.run();
        assertArrayEquals(new float[] {21, 2, 13, 4}, out.toFloats());
        assertArrayEquals(new float[] {1, 2, 3, 4}, table.toFloats());
      }
    }
  }

  @Test
  void anOperandThatIsUsedAgainStays() {
    Fn f =
        x -> {
          Tensor doubled = x.get(0).mul(2);
          Tensor written = doubled.scatter(Scatter.SET, x.get(1), x.get(2));
          return List.of(written.sub(doubled), doubled);
        };
    try (Program p = compile(f, Map.of());
        Allocator a = new Allocator("test");
        Execution e = p.newExecution(a)) {
      bind(e, table().buffer());
      e.run();
      assertEquals(18, e.output(0).getDouble(DType.F32, 0));
      assertEquals(0, e.output(0).getDouble(DType.F32, 1));
      assertEquals(2, e.output(1).getDouble(DType.F32, 0));
    }
  }

  @Test
  void updatesMayBeTheOperandItself() {
    Fn f =
        x -> {
          Tensor t = x.get(0).mul(1.5);
          return List.of(t.scatter(Scatter.ADD, Tensor.of(new int[] {3, 3, 3, 0}, 4), t));
        };
    Tensor y =
        Jit.jit(f)
            .apply(List.of(table(), Tensor.of(new int[2], 2), Tensor.of(new float[2], 2)))
            .get(0);
    assertArrayEquals(new float[] {7.5f, 3, 4.5f, 15}, y.toFloats());
  }

  @Test
  void aWrongIndexLeavesADonatedOperandAsItWas() {
    try (Program p = compile(ADD, Map.of(0, 0));
        Allocator a = new Allocator("test");
        Execution e = p.newExecution(a)) {
      Tensor table = table();
      bind(e, table.buffer());
      e.bindInput(1, Tensor.of(new int[] {0, 4}, 2).buffer());
      e.bindOutput(0, table.buffer());
      assertEquals(
          "scatter: indices must lie in [0, 4): index 4 at position 1 of [2]; check the vocabulary"
              + " or clip the indices",
          assertThrows(IndexOutOfBoundsException.class, e::run).getMessage());
      assertArrayEquals(new float[] {1, 2, 3, 4}, table.toFloats());
    }
  }

  @Test
  void piecesAreWrittenInPlaceToo() {
    Fn f =
        x -> List.of(x.get(0).dynamicUpdateSlice(0, x.get(1).slice(0, 0, 1).reshape(), x.get(2)));
    try (Program p = compile(f, Map.of(0, 0));
        Allocator a = new Allocator("test");
        Execution e = p.newExecution(a)) {
      Tensor table = table();
      bind(e, table.buffer());
      e.bindOutput(0, table.buffer());
      e.run();
      assertArrayEquals(new float[] {1, 2, 10, 20}, table.toFloats());
    }
  }
}
