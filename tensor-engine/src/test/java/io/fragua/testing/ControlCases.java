package io.fragua.testing;

import static io.fragua.testing.OpCase.of;
import static io.fragua.testing.OpCase.operand;

import io.fragua.graph.Graph;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.transform.Fn;
import io.fragua.transform.Jit;
import java.util.List;

/** Rows that apply functions: of every type, of no steps, one and many, forth and back. */
final class ControlCases {
  private ControlCases() {}

  static void addTo(List<OpCase> all) {
    for (DType t : DType.values()) {
      moving(all, t);
    }
    computing(all);
  }

  private static Graph graph(Fn f, TensorType... types) {
    return Jit.graph(f, List.of(types));
  }

  private static Values values(DType t) {
    return t.isFloating() ? Values.range(-1, 1) : Values.bits();
  }

  private static Attrs scan(Graph body, int carries, int xs, int length, boolean reverse) {
    return Attrs.of("body", body)
        .with("carries", carries)
        .with("xs", xs)
        .with("length", length)
        .with("reverse", reverse ? 1 : 0)
        .with("save", new int[0]);
  }

  private static void moving(List<OpCase> all, DType t) {
    TensorType three = TensorType.of(t, 3);
    OpCase.Operand x = operand(t, values(t), 3);
    Attrs branches =
        Attrs.of("on_true", graph(v -> List.of(v.get(0).reverse(0), v.get(0)), three))
            .with("on_false", graph(v -> List.of(v.get(0), v.get(0).reverse(0)), three));
    all.add(of("cond", branches, Tolerance.BITS, operand(DType.BOOL, Values.bits()), x));
    TensorType i32 = TensorType.of(DType.I32);
    Attrs loop =
        Attrs.of(
                "condition",
                graph(v -> List.of(v.get(0).less(Tensor.scalar(DType.I32, 3))), i32, three))
            .with(
                "body",
                graph(
                    v -> List.of(v.get(0).add(Tensor.scalar(DType.I32, 1)), v.get(1).reverse(0)),
                    i32,
                    three))
            .with("carries", 2)
            .with("condition_consts", 0);
    for (int bound : new int[] {1, 6}) { // at most one start, or also starts behind the end
      all.add(of("while_loop", loop, Tolerance.BITS, operand(DType.I32, Values.ids(bound)), x));
    }
    Graph queue = graph(v -> List.of(v.get(1), v.get(0).reverse(0)), three, three);
    for (int n : new int[] {0, 1, 4}) {
      for (boolean reverse : new boolean[] {false, true}) {
        Attrs a = scan(queue, 1, 1, n, reverse);
        all.add(of("scan", a, Tolerance.BITS, x, operand(t, values(t), n, 3)).differentiable());
      }
    }
  }

  private static void computing(List<OpCase> all) {
    for (DType t : new DType[] {DType.F32, DType.F64}) {
      Values v = values(t);
      TensorType s = TensorType.of(t, 2);
      Attrs branches =
          Attrs.of("on_true", graph(x -> List.of(x.get(0).mul(x.get(1)).sum(), x.get(1)), s, s))
              .with("on_false", graph(x -> List.of(x.get(0).sin().sum(), x.get(0).exp()), s, s));
      Tolerance near = new Tolerance(64, 64);
      for (int i = 0; i < 3; i++) {
        OpCase.Operand x = operand(t, Values.range(-1, 1 + i), 2);
        all.add(
            of("cond", branches, near, operand(DType.BOOL, Values.bits()), x, x).differentiable());
      }
      int m = 3;
      Graph cell =
          graph(
              x -> {
                Tensor h = x.get(0).matmul(x.get(2)).add(x.get(1)).tanh();
                return List.of(h, h.square().sum(0), x.get(0));
              },
              TensorType.of(t, 2, m),
              TensorType.of(t, 2, m),
              TensorType.of(t, m, m));
      for (int n : new int[] {1, 3}) {
        for (boolean reverse : new boolean[] {false, true}) {
          Attrs a = scan(cell, 1, 1, n, reverse);
          OpCase.Operand h = operand(t, v, 2, m);
          OpCase.Operand xs = operand(t, v, n, 2, m);
          OpCase.Operand w = operand(t, v, m, m);
          all.add(of("scan", a, near, h, xs, w).differentiable());
          // with rows of the first operand and of the product besides
          Attrs saving = a.with("save", new int[] {0, 3});
          all.add(of("scan", saving, near, h, xs, w).differentiable());
        }
      }
      Graph large =
          graph(
              x -> List.of(x.get(0).mul(0.5).add(x.get(1)), x.get(0)),
              TensorType.of(t, 257),
              TensorType.of(t, 257));
      all.add(
          of(
              "scan",
              scan(large, 1, 1, 100, false),
              near,
              operand(t, v, 257),
              operand(t, v, 100, 257)));
    }
  }
}
