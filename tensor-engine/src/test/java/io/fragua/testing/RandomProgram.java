package io.fragua.testing;

import io.fragua.graph.Graph;
import io.fragua.tensor.DType;
import io.fragua.tensor.Movement;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.transform.Jit;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * A random program, the same for the same seed. It carries along how far two correct evaluations
 * can lie apart, so that results are compared as closely as rounding allows: each value knows a
 * bound of its magnitude and of its error. Steps that a rounding error could tip over (comparisons,
 * rounding to integers, indices) read only values that are exact.
 */
public final class RandomProgram {
  /**
   * A value of the program.
   *
   * @param most bound of the magnitude
   * @param error bound of the error, in units of eps
   */
  record Value(Tensor t, double most, double error) {
    boolean exact() {
      return error == 0;
    }
  }

  private static final int[] DIMS = {0, 1, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33};

  private final long seed;
  private final Random random;
  private final RandomFamilies families;
  private final List<OpCase.Operand> operands = new ArrayList<>();
  private final List<Tolerance> tolerances = new ArrayList<>();
  private final Graph graph;
  private final List<Tensor> results;
  private final DType real;
  private final List<Value> reals = new ArrayList<>();
  private final List<Value> integers = new ArrayList<>();
  private final List<Value> truths = new ArrayList<>();

  /** Makes the program of a seed. */
  public RandomProgram(long seed) {
    this(seed, null);
  }

  /** The program, or what it gives for operands. */
  private RandomProgram(long seed, List<Tensor> concrete) {
    this.seed = seed;
    random = new Random(seed * 0x9E3779B97F4A7C15L + 1);
    families = new RandomFamilies(random);
    real = random.nextInt(4) == 0 ? DType.F64 : DType.F32;
    int n = 2 + random.nextInt(3);
    for (int i = 0; i < n; i++) {
      operands.add(operand(i == n - 1 ? DType.I32 : real));
    }
    List<TensorType> types = operands.stream().map(OpCase.Operand::type).toList();
    graph = concrete == null ? Jit.graph(this::build, types) : null;
    results = concrete == null ? null : build(concrete);
  }

  /** The traced program. */
  public Graph graph() {
    return graph;
  }

  /** Concrete operands. */
  public List<Tensor> inputs() {
    List<Tensor> in = new ArrayList<>();
    for (OpCase.Operand o : operands) {
      in.add(o.values().make(o.type(), in.size() + 77));
    }
    return in;
  }

  /** The results without a graph, step by step on concrete tensors. */
  public List<Tensor> eager() {
    return new RandomProgram(seed, inputs()).results;
  }

  /** How closely each result must agree. */
  public List<Tolerance> tolerances() {
    return tolerances;
  }

  private OpCase.Operand operand(DType t) {
    int[] dims = IntStream.range(0, random.nextInt(4)).map(i -> pick(DIMS)).toArray();
    return OpCase.operand(t, t == DType.I32 ? Values.range(-20, 20) : Values.range(-2, 2), dims);
  }

  private int pick(int[] from) {
    return from[random.nextInt(from.length)];
  }

  private Value pick(List<Value> from) {
    // mostly the newest, so that programs get deep
    int back = Math.min(random.nextInt(from.size()), random.nextInt(from.size()));
    return from.get(from.size() - 1 - back);
  }

  private List<Tensor> build(List<Tensor> in) {
    for (Tensor t : in) {
      (t.dtype() == DType.I32 ? integers : reals)
          .add(new Value(t, t.dtype() == DType.I32 ? 20 : 2, 0));
    }
    int steps = 3 + random.nextInt(12);
    for (int i = 0; i < steps; i++) {
      switch (random.nextInt(20)) {
        case 0, 1 -> add(reals, unary(pick(reals)));
        case 2, 3 -> add(reals, binary(pick(reals), pick(reals)));
        case 4 -> add(reals, reduce(pick(reals)));
        case 5 -> add(reals, contract(pick(reals), pick(reals)));
        case 6 -> move();
        case 7 -> integer();
        case 8 -> add(reals, index(pick(reals)));
        case 9, 10 -> add(reals, families.along(pick(reals)));
        case 11 -> add(integers, families.places(pick(reals)));
        case 12 -> add(reals, families.indexed(pick(reals), pick(integers).t()));
        case 13 -> add(reals, families.windows(pick(reals), pick(reals)));
        case 14 -> add(reals, families.loop(pick(reals), truth()));
        case 15 -> add(reals, half(pick(reals)));
        case 16, 17, 18 -> add(reals, families.batches(pick(reals), pick(reals)));
        default -> choose();
      }
    }
    List<Tensor> results = new ArrayList<>();
    result(results, reals.get(reals.size() - 1));
    result(results, integers.get(integers.size() - 1));
    if (!truths.isEmpty()) {
      result(results, truths.get(truths.size() - 1));
    }
    result(results, pick(reals));
    return results;
  }

  /** Not in f64, whose derivatives are compared to more digits than a half type has. */
  private Value half(Value v) {
    return real == DType.F32 ? families.half(v) : null;
  }

  private Tensor truth() {
    return truths.isEmpty() ? pick(integers).t().sum().greater(0) : pick(truths).t();
  }

  private void result(List<Tensor> results, Value v) {
    results.add(v.t());
    boolean same = v.exact() || !v.t().dtype().isFloating();
    tolerances.add(same ? Tolerance.EQUAL : new Tolerance(0, 2 * v.error()));
  }

  /** Keeps a value only if it is small, accurate and not too large to compute slowly. */
  private static void add(List<Value> to, Value v) {
    if (v != null && v.most() <= 1e4 && v.error() <= 1e4 && v.t().shape().size() <= 40_000) {
      to.add(v);
    }
  }

  private Value unary(Value v) {
    Tensor t = v.t();
    double e = v.error();
    double m = v.most();
    return switch (random.nextInt(v.exact() ? 16 : 13)) {
      case 0 -> new Value(t.neg(), m, e);
      case 1 -> new Value(t.abs(), m, e);
      case 2 -> new Value(t.tanh(), 1, e + 4);
      case 3 -> new Value(t.logistic(), 1, e + 4);
      case 4 -> new Value(t.sin(), 1, e + 4);
      case 5 -> new Value(t.cos(), 1, e + 4);
      case 6 -> new Value(t.relu(), m, e);
      case 7 -> m > 4 ? null : new Value(t.exp(), Math.exp(m), (e + 8) * Math.exp(m));
      case 8 -> new Value(t.abs().add(1).log(), m, e + m + 8);
      case 9 -> new Value(t.abs().add(1).sqrt(), 1 + m, e + m + 8);
      case 10 -> new Value(t.abs().add(0.5).rsqrt(), 2, 2 * e + 2 * m + 16);
      case 11 -> new Value(t.mul(0.37).add(1), 1 + m, e + 2 * m + 2);
      case 12 -> new Value(t.square().log1p(), 2 * m, 2 * m * (e + m) + 8);
      case 13 -> new Value(t.floor(), m + 1, 0);
      case 14 -> new Value(t.round(), m + 1, 0);
      default -> new Value(t.sign(), 1, 0);
    };
  }

  /** Both operands brought to one shape, by reduction if they do not broadcast. */
  private Value binary(Value a, Value b) {
    if (!broadcast(a, b)) {
      if (b.t().shape().size() == 0) {
        return null; // the extremum of nothing is infinite, which the bounds do not cover
      }
      b = new Value(b.t().max(), b.most(), b.error());
    }
    double m = a.most() + b.most();
    double e = a.error() + b.error();
    return switch (random.nextInt(6)) {
      case 0 -> new Value(a.t().add(b.t()), m, e + m);
      case 1 -> new Value(a.t().sub(b.t()), m, e + m);
      case 2 -> {
        double p = a.most() * b.most();
        double q = a.error() * b.most() + b.error() * a.most();
        yield new Value(a.t().mul(b.t()), p, q + p);
      }
      case 3 -> new Value(a.t().maximum(b.t()), Math.max(a.most(), b.most()), e);
      case 4 -> new Value(a.t().minimum(b.t()), Math.max(a.most(), b.most()), e);
      default -> {
        double q = a.error() * 2 + b.error() * 4 * a.most();
        yield new Value(a.t().div(b.t().abs().add(0.5)), 2 * a.most(), q + 4 * m + 4 * a.most());
      }
    };
  }

  private static boolean broadcast(Value a, Value b) {
    try {
      Shape.broadcast("fuzz", a.t().shape(), b.t().shape());
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  /**
   * Added one after another, the rounding of the growing sum counts again and again, always to one
   * side if the terms are equal.
   */
  static double added(double n) {
    return n * Math.max(1, Math.sqrt(n) / 2);
  }

  private int[] axes(int rank) {
    int[] axes = IntStream.range(0, rank).filter(i -> random.nextBoolean()).toArray();
    return axes.length == 0 && rank > 0 ? new int[] {random.nextInt(rank)} : axes;
  }

  private Value reduce(Value v) {
    Shape s = v.t().shape();
    int[] axes = axes(s.rank());
    if (axes.length == 0) {
      return null;
    }
    double n = IntStream.of(axes).mapToDouble(s::dim).reduce(1, (x, y) -> x * y);
    double m = v.most();
    if (random.nextInt(3) == 0) {
      int axis = axes[0];
      int k = s.dim(axis);
      return k == 0 || m > 30
          ? null
          : new Value(v.t().softmax(axis), 1, 4 * v.error() + 4 * m + 2.0 * k + 16);
    }
    return switch (random.nextInt(3)) {
      case 0 -> new Value(v.t().sum(axes), n * m, n * v.error() + added(n) * m);
      case 1 -> n == 0 ? null : new Value(v.t().max(axes), m, v.error());
      default -> n == 0 ? null : new Value(v.t().min(axes), m, v.error());
    };
  }

  private Value contract(Value a, Value b) {
    if (a.t().shape().rank() == 0 || b.t().shape().rank() == 0) {
      return null;
    }
    Tensor x = a.t().shape().rank() == 1 ? a.t().expandDims(0) : a.t();
    int k = x.shape().dim(-1);
    Tensor w = b.t();
    if (w.shape().rank() == 1 || w.shape().dim(-2) != k) {
      // make one that fits: the operand's first row, or an outer product's worth of its elements
      w = w.reshape(-1);
      int n = 1 + random.nextInt(5);
      int size = (int) w.shape().size();
      if (size == 0 || (long) k * n > 2000) {
        return null;
      }
      if (size < k * n) {
        w = Movement.concat(0, java.util.Collections.nCopies(k * n / size + 1, w));
      }
      w = w.slice(0, 0, k * n).reshape(k, n);
    } else if (!leadingAxesBroadcast(x.shape(), w.shape())) {
      return null;
    }
    if (random.nextBoolean()) {
      w = w.transpose().mul(1).transpose();
    }
    double p = a.most() * b.most() * k;
    double q = k * (a.error() * b.most() + b.error() * a.most());
    return new Value(x.matmul(w), p, q + added(k) * p + 1); // even 0 may change its sign
  }

  private static boolean leadingAxesBroadcast(Shape a, Shape b) {
    try {
      Shape.broadcast("fuzz", a.slice(0, a.rank() - 2), b.slice(0, b.rank() - 2));
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private void move() {
    List<Value> from = random.nextInt(3) == 0 ? integers : reals;
    Value v = pick(from);
    Tensor t = v.t();
    Shape s = t.shape();
    int r = s.rank();
    int axis = r == 0 ? 0 : random.nextInt(r);
    Tensor moved =
        switch (r == 0 ? 0 : random.nextInt(8)) {
          case 0 -> t.broadcastTo(Shape.of(pick(DIMS)).concat(s));
          case 1 -> t.reshape(-1);
          case 2 -> t.transpose(permutation(r));
          case 3 -> {
            int start = random.nextInt(s.dim(axis) + 1);
            int limit = start + random.nextInt(s.dim(axis) - start + 1);
            yield t.slice(axis, start, limit, 1 + random.nextInt(3));
          }
          case 4 -> t.pad(axis, random.nextInt(3), random.nextInt(3), random.nextInt(3), 1);
          case 5 -> t.reverse(axis);
          case 6 -> Movement.concat(axis, List.of(t, t.reverse(axis), t));
          default -> t.expandDims(random.nextInt(r + 1));
        };
    if (moved.shape().rank() <= 5) {
      add(from, new Value(moved, Math.max(1, v.most()), v.error()));
    }
  }

  private int[] permutation(int r) {
    List<Integer> p = new ArrayList<>(IntStream.range(0, r).boxed().toList());
    java.util.Collections.shuffle(p, random);
    return p.stream().mapToInt(i -> i).toArray();
  }

  /** Integers are exact whatever they do; they come back as reals of at most 15. */
  private void integer() {
    Value a = pick(integers);
    Value b = pick(integers);
    Tensor x = a.t();
    Tensor y = broadcast(a, b) ? b.t() : b.t().sum();
    Tensor t =
        switch (random.nextInt(11)) {
          case 0 -> x.add(y);
          case 1 -> x.mul(y);
          case 2 -> x.sub(y);
          case 3 -> x.xor(y).and(x);
          case 4 -> x.or(y).shiftLeft(random.nextInt(34));
          case 5 -> x.shiftRightLogical(random.nextInt(34));
          case 6 -> x.maximum(y).minimum(1000);
          case 7 -> x.div(y);
          case 8 -> x.shape().rank() == 0 ? x.neg() : x.sum(random.nextInt(x.shape().rank()));
          case 9 -> x.cast(DType.I64).mul(x.cast(DType.I64)).cast(DType.I32);
          default -> x.iotaLike(DType.I32, Shape.of(4).concat(x.shape()), 0).add(x.abs());
        };
    add(integers, new Value(t, 0, 0));
    Tensor small = t.and(Tensor.scalar(DType.I32, 15));
    add(reals, new Value(small.cast(real), 15, 0));
    Value e = pick(reals);
    if (e.exact()) {
      add(integers, new Value(e.t().cast(DType.I32), 0, 0));
      if (e.t().shape().rank() > 0 && e.t().shape().dim(0) > 0) {
        add(integers, new Value(e.t().argmax(0), 0, 0));
      }
    }
  }

  private Value index(Value v) {
    if (v.t().shape().rank() == 0 || v.t().shape().dim(0) == 0) {
      return null;
    }
    int rows = v.t().shape().dim(0);
    Tensor ids = pick(integers).t().maximum(0).minimum(rows - 1);
    if (random.nextBoolean()) {
      return new Value(v.t().gather(ids), v.most(), v.error());
    }
    Tensor updates = v.t().gather(ids);
    double n = ids.shape().size();
    double rounding = 4 * added(n) * v.most();
    return new Value(updates.scatterAdd(rows, ids), n * v.most(), n * v.error() + rounding);
  }

  private void choose() {
    Value a = pick(random.nextBoolean() ? integers : reals);
    if (!a.exact()) {
      a = pick(integers);
    }
    Tensor one = Tensor.scalar(a.t().dtype(), 1);
    Tensor c =
        switch (random.nextInt(5)) {
          case 0 -> a.t().greater(one);
          case 1 -> a.t().lessEqual(one);
          case 2 -> a.t().equal(one);
          case 3 -> a.t().notEqual(one).not();
          default -> a.t().less(one).xor(a.t().greaterEqual(Tensor.scalar(a.t().dtype(), -1)));
        };
    add(truths, new Value(c, 1, 0));
    Value x = pick(reals);
    Value cond = new Value(c, 1, 0);
    if (broadcast(cond, x)) {
      add(reals, new Value(c.select(x.t(), x.t().mul(0.5)), x.most(), x.error()));
    }
    add(reals, new Value(c.cast(real), 1, 0));
  }
}
