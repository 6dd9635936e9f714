package io.fragua.testing;

import static io.fragua.testing.OpCase.of;
import static io.fragua.testing.OpCase.operand;

import io.fragua.op.OpTable;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import java.util.List;

/** Lines along every axis: short and long ones, of any bits, of ties and of special values. */
final class SortCases {
  private SortCases() {}

  static void addTo(List<OpCase> all) {
    int[][] shapes = {{0}, {1}, {7}, {33}, {3, 5}, {4, 0}, {2, 3, 4}, {49}, {2, 600}, {600, 2}};
    for (DType t : OpTable.get("sort").dtypes()) {
      for (int[] dims : shapes) {
        for (int axis = 0; axis < dims.length; axis++) {
          for (int descending = 0; descending < 2; descending++) {
            Attrs a = Attrs.of("axis", axis).with("descending", descending);
            Values v = t == DType.F64 ? Values.range(-2, 2) : Values.bits();
            all.add(of("sort", a, Tolerance.BITS, operand(t, v, dims)).differentiable());
            if (dims[axis] > 3) {
              all.add(of("sort", a, Tolerance.BITS, operand(t, Values.few(), dims)));
              all.add(of("sort", a, Tolerance.BITS, operand(t, Values.edges(1), dims)));
            }
          }
        }
      }
    }
    Attrs a = Attrs.of("axis", 0).with("descending", 0);
    for (DType t : List.of(DType.F32, DType.F64, DType.I64)) {
      all.add(of("sort", a, Tolerance.BITS, operand(t, Values.bits(), 20_000)));
    }
  }
}
