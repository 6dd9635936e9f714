package io.fragua.testing;

import io.fragua.graph.Graph;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.Movement;
import io.fragua.tensor.Tensor;
import io.fragua.transform.Fn;
import io.fragua.transform.Grad;
import io.fragua.transform.Jit;
import java.util.ArrayList;
import java.util.List;

/** Small programs of the kind that models are made of, as data. */
public final class GraphCases {
  /** A function on given operands. */
  public record GraphCase(
      String name, Fn function, List<OpCase.Operand> operands, Tolerance tolerance) {
    /** Concrete operands, the same on every call. */
    public List<Tensor> inputs() {
      List<Tensor> in = new ArrayList<>();
      for (OpCase.Operand o : operands) {
        in.add(o.values().make(o.type(), in.size() + 100));
      }
      return in;
    }

    /** The traced function. */
    public Graph graph() {
      return Jit.graph(function, operands.stream().map(OpCase.Operand::type).toList());
    }
  }

  private static final Values UNIT = Values.range(-1, 1);

  private GraphCases() {}

  private static OpCase.Operand f32(int... dims) {
    return OpCase.operand(DType.F32, UNIT, dims);
  }

  private static OpCase.Operand i32(Values v, int... dims) {
    return OpCase.operand(DType.I32, v, dims);
  }

  private static GraphCase of(String name, double absolute, Fn f, OpCase.Operand... operands) {
    return new GraphCase(name, f, List.of(operands), new Tolerance(8, absolute));
  }

  /** Constants of a row, repeated for all rows. */
  private static Tensor standardize(Tensor x) {
    int n = x.shape().dim(1);
    float[] means = new float[n];
    float[] scales = new float[n];
    for (int i = 0; i < n; i++) {
      means[i] = 0.1f * i;
      scales[i] = 1f / (1 + i);
    }
    Tensor mean = Tensor.of(means, n);
    return x.greater(0.9).select(mean, x).sub(mean).mul(Tensor.of(scales, n));
  }

  /** Rows of a table by several indices each, added up. */
  private static List<Tensor> bag(List<Tensor> x) {
    return List.of(x.get(0).gather(x.get(1)).sum(1).add(x.get(2)));
  }

  /** All of them. */
  public static List<GraphCase> all() {
    List<GraphCase> all = new ArrayList<>();
    plumbing(all);
    for (int n : new int[] {1, 5, 15, 16, 33}) {
      all.add(of("standardize " + n, 1, x -> List.of(standardize(x.get(0))), f32(41, n)));
    }
    for (int n : new int[] {1, 3, 16, 67, 130, 257, 300}) {
      Values ids = Values.ids(7);
      all.add(of("bag of " + n, 8, GraphCases::bag, f32(7, n), i32(ids, 5, 3), f32(5, n)));
      all.add(
          of(
              "bag gradient " + n,
              64,
              Grad.valueAndGrad(x -> List.of(bag(x).get(0).square().sum()), 0, 2),
              f32(7, n),
              i32(ids, 5, 3),
              f32(5, n)));
    }
    for (int n : new int[] {1, 7, 64, 257}) {
      int m = n == 257 ? 3 : 5;
      all.add(of("softmax " + n, 8, x -> List.of(x.get(0).softmax(-1)), f32(m, n)));
      all.add(of("softmax first axis " + n, 8, x -> List.of(x.get(0).softmax(0)), f32(n, m)));
      all.add(of("log softmax " + n, 64, x -> List.of(x.get(0).logSoftmax(-1)), f32(m, n)));
      all.add(of("layer norm " + n, 64, x -> List.of(layerNorm(x)), f32(m, n), f32(n), f32(n)));
      all.add(
          of(
              "layer norm gradient " + n,
              2000,
              Grad.valueAndGrad(x -> List.of(layerNorm(x).mul(x.get(3)).sum()), 0, 1, 2),
              f32(m, n),
              f32(n),
              f32(n),
              f32(m, n)));
      all.add(of("adam " + n, 16, GraphCases::adam, f32(n), f32(n), f32(n), positive(n)));
    }
    all.add(of("large softmax", 16, x -> List.of(x.get(0).softmax(-1)), f32(300, 257)));
    all.add(of("large softmax first axis", 64, x -> List.of(x.get(0).softmax(0)), f32(300, 257)));
    all.add(of("large gelu", 8, x -> List.of(gelu(x.get(0)), x.get(0).neg()), f32(100_003)));
    all.add(
        of(
            "large sums",
            2000,
            x -> List.of(x.get(0).exp().sum(0), x.get(0).sum(1), x.get(0).square().mean()),
            f32(500, 203)));
    all.add(
        of(
            "large product",
            300,
            x -> List.of(x.get(0).matmul(x.get(1)).tanh()),
            f32(130, 257),
            f32(257, 65)));
    all.add(
        of(
            "product of two repeated",
            64,
            x -> {
              Tensor a = x.get(0).broadcastTo(io.fragua.tensor.Shape.of(4, 3, 9, 9));
              return List.of(a.matmul(a), a.matmul(x.get(1).broadcastTo(a.shape())));
            },
            f32(9, 9),
            f32(3, 9, 9)));
    all.add(of("gelu", 8, x -> List.of(gelu(x.get(0))), f32(1000)));
    all.add(of("gelu gradient", 64, Grad.grad(x -> List.of(gelu(x.get(0)).sum())), f32(1000)));
    all.add(of("perceptron", 64, x -> List.of(perceptron(x)), mlp()));
    all.add(of("perceptron gradient", 256, Grad.valueAndGrad(GraphCases::loss, 1, 2, 3, 4), mlp()));
    all.add(
        of(
            "attention",
            64,
            GraphCases::attention,
            f32(2, 3, 9, 8),
            f32(2, 3, 9, 8),
            f32(2, 3, 9, 8)));
    all.add(
        of(
            "embedding gradient",
            64,
            Grad.grad(x -> List.of(x.get(0).gather(x.get(1)).mul(x.get(2)).sum()), 0),
            f32(20, 8),
            i32(Values.ids(20), 6, 3),
            f32(6, 3, 8)));
    all.add(of("dropout from counters", 0, GraphCases::dropout, i32(Values.bits(), 2), f32(33, 5)));
    return all;
  }

  private static OpCase.Operand[] mlp() {
    return new OpCase.Operand[] {f32(32, 17), f32(17, 33), f32(33), f32(33, 1), f32(1), f32(32)};
  }

  private static OpCase.Operand positive(int... dims) {
    return OpCase.operand(DType.F32, Values.range(0, 1), dims);
  }

  /** Operands, constants and shared values as results; unused operands; no equations at all. */
  private static void plumbing(List<GraphCase> all) {
    all.add(of("operand as result", 0, x -> List.of(x.get(0)), f32(3)));
    all.add(of("operands exchanged", 0, x -> List.of(x.get(1), x.get(0)), f32(3), f32(3)));
    all.add(of("operand twice", 0, x -> List.of(x.get(0), x.get(0)), f32(9)));
    all.add(of("unused operand", 0, x -> List.of(x.get(1).neg()), f32(3), f32(9)));
    all.add(
        of(
            "constant as result",
            0,
            x -> List.of(Tensor.of(new int[] {1, 2, 3}, 3), x.get(0)),
            f32(1)));
    all.add(
        of(
            "value twice and inside",
            0,
            x -> {
              Tensor y = x.get(0).mul(3);
              return List.of(y, y.neg(), y);
            },
            f32(17)));
    all.add(
        of(
            "scalars",
            4,
            x -> List.of(x.get(0).add(x.get(1)).exp().mul(2), x.get(0).greater(0)),
            f32(),
            f32()));
    all.add(
        of(
            "transposed, sliced, padded, reversed",
            0,
            x -> {
              Tensor t = x.get(0).transpose().slice(0, 1, 8, 2).reverse(1);
              return List.of(t.pad(1, 2, 1, 1, 7).add(1), t.reshape(-1));
            },
            f32(5, 9)));
    all.add(
        of(
            "concat of computed and broadcast",
            0,
            x ->
                List.of(
                    Movement.concat(
                        1, List.of(x.get(0).neg(), x.get(1).broadcastTo(x.get(0).shape())))),
            f32(4, 7),
            f32(7)));
    all.add(
        of(
            "wide mix of types",
            2,
            x -> {
              Tensor i = x.get(0).mul(100).cast(DType.I32);
              Tensor odd = i.and(Tensor.scalar(DType.I32, 1)).equal(Tensor.scalar(DType.I32, 1));
              Tensor d = i.cast(DType.F64).div(3);
              return List.of(odd, odd.select(d, d.neg()), i.cast(DType.I64).mul(i.cast(DType.I64)));
            },
            f32(31)));
    all.add(
        of("one hot", 0, x -> List.of(x.get(0).oneHot(5, DType.F32)), i32(Values.range(-1, 6), 9)));
  }

  private static Tensor layerNorm(List<Tensor> x) {
    Tensor centered = x.get(0).sub(x.get(0).meanKeep(-1));
    Tensor variance = centered.square().meanKeep(-1);
    return centered.mul(variance.add(0.1).rsqrt()).mul(x.get(1)).add(x.get(2));
  }

  private static Tensor gelu(Tensor x) {
    Tensor cube = x.mul(x).mul(x);
    return x.mul(0.5).mul(x.add(cube.mul(0.044715)).mul(0.7978845608).tanh().add(1));
  }

  private static Tensor perceptron(List<Tensor> x) {
    Tensor h = x.get(0).matmul(x.get(1)).add(x.get(2)).relu();
    return h.matmul(x.get(3)).add(x.get(4)).reshape(-1);
  }

  private static List<Tensor> loss(List<Tensor> x) {
    return List.of(perceptron(x).logistic().sub(x.get(5)).square().mean());
  }

  private static List<Tensor> adam(List<Tensor> x) {
    Tensor m = x.get(2).mul(0.9).add(x.get(1).mul(0.1));
    Tensor v = x.get(3).mul(0.999).add(x.get(1).square().mul(0.001));
    return List.of(x.get(0).sub(m.div(v.sqrt().add(0.1)).mul(0.01)), m, v);
  }

  private static List<Tensor> attention(List<Tensor> x) {
    Tensor scores = x.get(0).matmul(x.get(1).transpose()).mul(1 / Math.sqrt(8));
    return List.of(scores.softmax(-1).matmul(x.get(2)));
  }

  private static List<Tensor> dropout(List<Tensor> x) {
    Tensor key0 = x.get(0).slice(0, 0, 1).broadcastTo(x.get(1).shape());
    Tensor key1 = x.get(0).slice(0, 1, 2).broadcastTo(x.get(1).shape());
    Tensor row = x.get(1).iotaLike(DType.I32, x.get(1).shape(), 0);
    Tensor column = x.get(1).iotaLike(DType.I32, x.get(1).shape(), 1);
    Tensor bits = Tensor.apply("threefry2x32", Attrs.of("word", "xor"), key0, key1, row, column);
    Tensor keep = bits.shiftRightLogical(9).less(1 << 22);
    return List.of(keep.select(x.get(1).mul(2), x.get(1).mul(0)), bits);
  }
}
