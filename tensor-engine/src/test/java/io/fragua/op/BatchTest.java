package io.fragua.op;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.Backends;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Program;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.Examples;
import io.fragua.testing.OpCase;
import io.fragua.testing.OpCases;
import io.fragua.testing.Runs;
import io.fragua.transform.Fn;
import io.fragua.transform.Jit;
import io.fragua.transform.Vmap;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every row's batching rule against a loop over the examples: all axes in and out, any number. */
class BatchTest {
  @Test
  void everyRowHasARule() {
    List<String> missing =
        OpTable.rows().stream()
            .filter(op -> op.batch() == null && op.arity() != 0)
            .map(Op::name)
            .toList();
    assertEquals(List.of(), missing);
  }

  /** First axis, last axis, or shared by all; at least one operand is mapped. */
  private static List<List<Integer>> choices(int operands) {
    List<List<Integer>> all = new ArrayList<>(List.of(List.of()));
    for (int i = 0; i < operands; i++) {
      List<List<Integer>> next = new ArrayList<>();
      for (List<Integer> a : all) {
        for (Integer axis : new Integer[] {0, -1, null}) {
          List<Integer> longer = new ArrayList<>(a);
          longer.add(axis);
          next.add(longer);
        }
      }
      all = next;
    }
    return all.stream().filter(a -> a.stream().anyMatch(x -> x != null)).toList();
  }

  @TestFactory
  Stream<DynamicTest> rulesEqualTheLoop() {
    return OpTable.rows().stream()
        .filter(op -> op.arity() != 0)
        .map(
            op ->
                DynamicTest.dynamicTest(
                    op.name(),
                    () -> {
                      List<String> wrong = new ArrayList<>();
                      int checked = 0;
                      for (OpCase c : OpCases.of(op.name())) {
                        if (c.size() > 60) {
                          continue;
                        }
                        for (List<Integer> axes : choices(c.operands().size())) {
                          for (int out = -1; out <= 0; out++) {
                            String d =
                                difference(c, axes, out, new int[] {3, 1, 2, 0}[checked++ % 4]);
                            if (d != null && wrong.size() < 5) {
                              wrong.add(c + ", axes " + axes + ", out " + out + ": " + d);
                            }
                          }
                        }
                      }
                      assertEquals(List.of(), wrong);
                      assertTrue(checked >= 40, "only " + checked + " cases");
                    }));
  }

  private static String difference(OpCase c, List<Integer> axes, int out, int n) {
    List<Tensor> in = new ArrayList<>();
    for (int i = 0; i < axes.size(); i++) {
      OpCase.Operand o = c.operands().get(i);
      Shape s = o.type().shape();
      Shape wide =
          axes.get(i) == null
              ? s
              : axes.get(i) == 0 ? Shape.of(n).concat(s) : s.concat(Shape.of(n));
      in.add(o.values().make(o.type().with(wide), c.toString().hashCode() + i));
    }
    List<TensorType> one = c.results();
    List<Integer> outAxes = Collections.nCopies(one.size(), out);
    List<Tensor> expected;
    try (Program p = Backends.reference().compile(c.graph(), CompileOptions.DEFAULT)) {
      expected = Examples.loop(x -> Jit.run(p, x), in, axes, outAxes, n, one);
    }
    Fn all = Vmap.vmap(c.function(), axes, outAxes);
    List<Tensor> actual = Runs.reference(all, in.toArray(Tensor[]::new));
    for (int i = 0; i < expected.size(); i++) {
      String d = c.tolerance().difference(expected.get(i), actual.get(i));
      if (d != null) {
        return "result " + i + ": " + d;
      }
    }
    return null;
  }
}
