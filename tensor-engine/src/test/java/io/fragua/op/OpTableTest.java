package io.fragua.op;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.Backends;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.ShapeException;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.OpCase;
import io.fragua.testing.OpCases;
import io.fragua.testing.Runs;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Nothing in the table goes untested. */
class OpTableTest {
  @Test
  void everyRowHasCasesForEveryType() {
    List<String> missing = new ArrayList<>();
    for (Op op : OpTable.rows()) {
      Set<DType> seen = EnumSet.noneOf(DType.class);
      for (OpCase c : OpCases.of(op.name())) {
        c.types().forEach(t -> seen.add(t.dtype()));
        if (c.attrs().has("dtype")) {
          seen.add(c.attrs().dtype("dtype"));
        }
      }
      for (DType t : op.dtypes()) {
        if (!seen.contains(t)) {
          missing.add(op + " on " + t);
        }
      }
    }
    assertEquals(List.of(), missing, "rows without a case in OpCases");
  }

  @Test
  void everyRowWithADerivativeHasADifferentiableCase() {
    List<String> missing = new ArrayList<>();
    for (Op op : OpTable.rows()) {
      if (op.differentiable() && GradientTest.differentiable(op).isEmpty()) {
        missing.add(op.name());
      }
    }
    assertEquals(List.of(), missing, "rows without a gradient case");
  }

  @Test
  void namesAreDistinctAndCasesToo() {
    List<String> names = OpCases.all().stream().map(OpCase::toString).toList();
    assertEquals(names.size(), names.stream().distinct().count(), "two cases of one name");
    assertTrue(names.size() > 2000, "only " + names.size() + " cases");
  }

  @Test
  void rowsRefuseTypesTheyDoNotAccept() {
    List<String> accepted = new ArrayList<>();
    for (Op op : OpTable.rows()) {
      if (!op.family().isElementwise() || op.name().equals("threefry2x32")) {
        continue;
      }
      for (DType t : EnumSet.complementOf(EnumSet.copyOf(op.dtypes()))) {
        List<TensorType> in = new ArrayList<>();
        for (int i = 0; i < op.arity(); i++) {
          boolean condition = op.name().equals("select") && i == 0;
          in.add(TensorType.of(condition ? DType.BOOL : t, 2));
        }
        try {
          op.infer(in, Attrs.of("dtype", DType.I32));
          accepted.add(op + " on " + t);
        } catch (ShapeException e) {
          assertTrue(e.getMessage().contains("dtype must be one of"), e.getMessage());
        }
      }
    }
    assertEquals(List.of(), accepted);
  }

  /** The Vector API's functions give other bits interpreted than compiled. */
  @Test
  void vectorTextsAreOfOperationsWithFixedResults() {
    for (Op op : OpTable.rows()) {
      if (op.scalar() != null && op.scalar().vector() != null) {
        String text = op.scalar().vector();
        assertFalse(
            text.matches(".*(\\.pow\\(|VectorOperators\\.(POW|EXP|LOG|SIN|COS|TAN|HYPOT|CBRT)).*"),
            op + ": " + text);
      }
    }
  }

  /**
   * Were one elementwise row to compute what another does, some case would tell: the cases can
   * fail.
   */
  @Test
  void casesTellRowsApart() {
    List<Op> rows = OpTable.rows().stream().filter(op -> op.family().isElementwise()).toList();
    List<String> alike = new ArrayList<>();
    for (Op row : rows) {
      for (Op other : rows) {
        if (row != other && !row.name().equals("cast") && !told(row, other)) {
          alike.add(row + " from " + other);
        }
      }
    }
    // the one pair with the same meaning: on bool, where alone their types agree
    assertEquals(List.of("bitwise_xor from not_equal", "not_equal from bitwise_xor"), alike);
  }

  private static boolean told(Op row, Op other) {
    boolean comparable = false;
    for (OpCase c : OpCases.of(row.name())) {
      if (c.size() > 0 && c.size() <= 100 && exchangeable(c, other)) {
        comparable = true;
        Tensor right = Runs.on(Backends.reference(), c.graph(), c.inputs()).get(0);
        OpCase wrong = new OpCase(other.name(), c.attrs(), c.operands(), c.tolerance(), false);
        try {
          Tensor y = Runs.on(Backends.reference(), wrong.graph(), c.inputs()).get(0);
          if (c.tolerance().difference(right, y) != null) {
            return true;
          }
        } catch (IndexOutOfBoundsException e) {
          return true;
        }
      }
    }
    return !comparable;
  }

  private static boolean exchangeable(OpCase c, Op other) {
    try {
      return other.inferAll(c.types(), c.attrs()).equals(c.results());
    } catch (IllegalArgumentException e) {
      return false;
    }
  }
}
