package io.fragua.testing;

import static io.fragua.testing.OpCase.of;

import io.fragua.op.OpTable;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.TensorType;
import io.fragua.tensor.Window;
import java.util.List;

/** Convolutions and pools: one to three axes, strides, padding, dilation, groups, none, large. */
final class WindowCases {
  /** Input spatial sizes, then size, strides, low, high, dilations of the window. */
  private record Geometry(int[] input, Window window) {}

  private static final List<Geometry> CONVS =
      List.of(
          g(new int[] {5}, Window.of(3)),
          g(new int[] {1}, Window.of(1)),
          g(new int[] {6}, Window.of(2).withStrides(3).withPadding(at(1), at(2))),
          g(new int[] {9}, Window.of(3).withDilations(2).withPadding(at(0), at(3))),
          g(new int[] {1}, Window.of(3).withPadding(at(3), at(1)).withStrides(2)),
          g(new int[] {0}, Window.of(2).withPadding(at(1), at(2))),
          g(new int[] {3, 3}, Window.of(2, 2)),
          g(new int[] {4, 3}, Window.of(3, 2).withPadding(at(1, 0), at(1, 2)).withStrides(2, 1)),
          g(new int[] {3, 5}, Window.of(1, 1).withStrides(2, 2)),
          g(new int[] {5, 4}, Window.of(2, 2).withDilations(3, 2).withPadding(at(0, 1), at(2, 0))),
          g(new int[] {2, 3, 2}, Window.of(2, 1, 2).withPadding(at(0, 0, 1), at(1, 0, 0))),
          g(
              new int[] {3, 2, 3},
              Window.of(2, 2, 2)
                  .withStrides(2, 1, 2)
                  .withDilations(1, 1, 2)
                  .withPadding(at(1, 1, 1), at(0, 1, 2))));

  /** Batch, input channels, output channels, groups. */
  private static final int[][] CHANNELS = {{1, 1, 1, 1}, {2, 1, 2, 1}, {1, 2, 4, 2}, {2, 3, 3, 3}};

  /** As lanes and blocks of a library see it: batch, channels, outputs, groups, side, kernel. */
  private static final int[][] LARGE = {
    {2, 3, 16, 1, 17, 7},
    {2, 16, 24, 1, 14, 3},
    {1, 33, 17, 1, 9, 3},
    {3, 64, 32, 1, 7, 1},
    {2, 32, 32, 32, 9, 3},
    {2, 24, 12, 4, 8, 3},
    {0, 8, 8, 1, 5, 3},
    {2, 0, 8, 1, 5, 3},
    {2, 8, 0, 1, 5, 3}
  };

  /** What an implementation of oneDNN gets wrong with few channels; see ConvFaults. */
  private static final List<Geometry> NARROW =
      List.of(
          g(new int[] {8, 3}, Window.of(3, 3).withStrides(1, 2)),
          g(new int[] {10, 5}, Window.of(3, 5).withStrides(1, 4)),
          g(new int[] {4, 4, 5}, Window.of(2, 2, 5).withStrides(1, 1, 2)),
          g(new int[] {8, 8}, Window.of(1, 1).withStrides(2, 2)),
          g(new int[] {1}, Window.of(1).withStrides(4).withPadding(at(2), at(3))));

  private static final List<Geometry> POOLS =
      List.of(
          g(new int[] {5}, Window.of(2)),
          g(new int[] {1}, Window.of(1)),
          g(new int[] {7}, Window.of(3).withStrides(2).withPadding(at(1), at(2))),
          g(new int[] {6}, Window.of(2).withStrides(4)),
          g(new int[] {4, 4}, Window.of(2, 2).withStrides(2, 2)),
          g(new int[] {5, 3}, Window.of(3, 2).withStrides(2, 1).withPadding(at(1, 1), at(1, 0))),
          g(new int[] {3, 2}, Window.of(3, 2)),
          g(new int[] {2, 3, 2}, Window.of(2, 2, 1).withPadding(at(0, 1, 0), at(1, 1, 0))),
          g(new int[] {3, 3, 3}, Window.of(2, 2, 2).withStrides(1, 2, 1)));

  private WindowCases() {}

  private static Geometry g(int[] input, Window w) {
    return new Geometry(input, w);
  }

  private static int[] at(int... v) {
    return v;
  }

  static void addTo(List<OpCase> all) {
    for (DType t : List.of(DType.F32, DType.F64)) {
      for (Geometry g : CONVS) {
        for (int[] c : CHANNELS) {
          convs(all, t, g.input(), g.window(), c[0], c[1], c[2], c[3]);
        }
      }
      for (Geometry g : NARROW) {
        convs(all, t, g.input(), g.window(), 2, 1, 1, 1);
        convs(all, t, g.input(), g.window(), 1, 3, 8, 1);
      }
      for (int[] c : LARGE) {
        Window w = Window.of(c[5], c[5]).withStrides(c[5] == 7 ? 2 : 1, c[5] == 7 ? 2 : 1);
        convs(all, t, at(c[4], c[4]), w.same(c[4], c[4]), c[0], c[1], c[2], c[3]);
      }
    }
    for (DType t : OpTable.get("max_pool").dtypes()) {
      for (Geometry g : POOLS) {
        for (int[] c : new int[][] {{1, 1}, {2, 3}, {2, 1}}) {
          pools(all, t, g.input(), g.window(), c[0], c[1]);
        }
      }
      Window three = Window.of(3, 3).withStrides(2, 2).withPadding(at(1, 1), at(1, 1));
      for (int[] c : new int[][] {{2, 16}, {1, 33}, {0, 4}, {3, 0}}) {
        pools(all, t, at(11, 14), three, c[0], c[1]);
        pools(all, t, at(12, 14), Window.of(2, 2).withStrides(2, 2), c[0], c[1]);
      }
      pools(all, t, at(9, 9), Window.of(7, 7), 1, 8);
      ties(all, t, three);
    }
  }

  private static void convs(
      List<OpCase> all, DType t, int[] input, Window w, int n, int c, int o, int groups) {
    Attrs a = w.attrs().with("groups", groups);
    TensorType x = image(t, n, input, c);
    TensorType k = new TensorType(t, Shape.of(w.size()).concat(Shape.of(c / groups, o)));
    TensorType y = OpTable.get("conv").infer(List.of(x, k), a);
    Values v = Values.range(-1, 1);
    long taps = Shape.of(w.size()).size();
    long points = y.shape().size() / Math.max(1, o);
    add(all, "conv", a, Tolerance.sum(taps * c, 1), v, x, k);
    Attrs input1 = a.with("input", input);
    add(all, "conv_input_grad", input1, Tolerance.sum(taps * o, 1), v, y, k);
    Attrs size = a.with("size", w.size());
    add(all, "conv_kernel_grad", size, Tolerance.sum(Math.max(1, points), 1), v, x, y);
  }

  private static void pools(List<OpCase> all, DType t, int[] input, Window w, int n, int c) {
    Attrs a = w.attrs().with("size", w.size());
    TensorType x = image(t, n, input, c);
    TensorType y = OpTable.get("max_pool").infer(List.of(x), a);
    Values v = Values.range(-9, 9);
    Tolerance sum =
        t.isFloating() ? Tolerance.sum(2 * Shape.of(w.size()).size(), 9) : Tolerance.EQUAL;
    add(all, "sum_pool", a, sum, v, x);
    add(all, "max_pool", a, Tolerance.EQUAL, v, x);
    add(all, "max_pool_grad", a, sum, v, x, y);
    add(all, "max_pool_take", a, Tolerance.EQUAL, v, x, x);
  }

  private static TensorType image(DType t, int n, int[] spatial, int c) {
    return new TensorType(t, Shape.of(n).concat(Shape.of(spatial)).concat(Shape.of(c)));
  }

  private static void add(
      List<OpCase> all, String op, Attrs a, Tolerance tol, Values v, TensorType... operands) {
    OpCase.Operand[] in = new OpCase.Operand[operands.length];
    for (int i = 0; i < in.length; i++) {
      in[i] = new OpCase.Operand(operands[i], v);
    }
    all.add(of(op, a, tol, in).differentiable());
  }

  /** Equal maxima, NaN and infinities. */
  private static void ties(List<OpCase> all, DType t, Window three) {
    for (Window w : List.of(three, Window.of(2, 2).withStrides(2, 2), Window.of(3, 3))) {
      Attrs a = w.attrs().with("size", w.size());
      // the sign of a zero that is a maximum beside the other zero is not defined
      Tolerance tol = t.isFloating() ? new Tolerance(0, 1e-300) : Tolerance.EQUAL;
      Tolerance sum = t.isFloating() ? Tolerance.sum(9, 9) : Tolerance.EQUAL;
      for (int c : new int[] {1, 3, 16}) {
        TensorType x = image(t, 2, at(8, 6), c);
        TensorType y = OpTable.get("max_pool").infer(List.of(x), a);
        OpCase.Operand g = new OpCase.Operand(y, Values.range(-9, 9));
        for (Values v : List.of(Values.few(), Values.edges(c == 16 ? 16 : 1))) {
          OpCase.Operand in = new OpCase.Operand(x, v);
          all.add(of("max_pool", a, tol, in));
          all.add(of("max_pool_grad", a, sum, in, g));
          all.add(of("max_pool_take", a, tol, in, new OpCase.Operand(x, Values.range(-9, 9))));
        }
      }
    }
  }
}
