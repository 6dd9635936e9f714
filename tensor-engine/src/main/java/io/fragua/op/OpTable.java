package io.fragua.op;

import io.fragua.tensor.Check;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * All rows, the only list of ops there is. Loading fails on a duplicate or incomplete row. To add
 * an op, add a row to the page of its family and a case to {@code OpCases} in the tests.
 */
public final class OpTable {
  private static final Map<String, Op> ROWS = load();

  private OpTable() {}

  private static Map<String, Op> load() {
    Map<String, Op> rows = new LinkedHashMap<>();
    for (List<Op> page :
        List.of(
            UnaryOps.ROWS,
            BinaryOps.ROWS,
            TrigonometricOps.ROWS,
            SpecialOps.ROWS,
            IntegerOps.ROWS,
            ReduceOps.ROWS,
            CumulativeOps.ROWS,
            MovementOps.ROWS,
            ContractionOps.ROWS,
            IndexOps.ROWS,
            SortOps.ROWS,
            WindowOps.ROWS,
            LinalgOps.ROWS,
            FftOps.ROWS,
            ControlOps.ROWS)) {
      for (Op op : page) {
        Check.that(
            op.onnx() != null && op.source() != null,
            "op table: a row needs onnx and source: %s; complete the row",
            op.name());
        Check.that(
            (op.vjp() == null) != (op.noGradient() == null),
            "op table: a row needs either a vjp or the reason for none: %s; complete the row",
            op.name());
        Check.that(
            (op.batch() == null) == (op.arity() == 0),
            "op table: a row with operands needs a batching rule: %s; complete the row",
            op.name());
        Check.that(
            op.family().isElementwise() == (op.scalar() != null),
            "op table: elementwise rows, and only they, have a scalar meaning: %s; fix the row",
            op.name());
        Check.that(
            rows.put(op.name(), op) == null,
            "op table: names are unique: %s twice; rename one",
            op.name());
      }
    }
    return Collections.unmodifiableMap(rows);
  }

  /**
   * The row of this name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static Op get(String name) {
    Op op = ROWS.get(name);
    Check.that(
        op != null,
        "op table: no op of this name: \"%s\"; the graph needs a newer Fragua, or the name is"
            + " misspelt",
        name);
    return op;
  }

  /** All rows, by page. */
  public static Collection<Op> rows() {
    return ROWS.values();
  }
}
