package io.fragua.cpu;

import io.fragua.graph.Graph;
import io.fragua.op.Op;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Scatter;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * First pass: a graph becomes {@link Value}s and {@link View}s. Rearranging ops dissolve into
 * views, equal computations become one, scalar constants are computed, identities vanish, and
 * whatever has no elements needs no computing. Rules that could change a NaN, an infinity or the
 * sign of a zero (x * 0, x + 0) are left out.
 */
final class Simplify {
  /** Constants up to this many elements are looked at for being one number repeated. */
  private static final int UNIFORM_LIMIT = 4096;

  /** Elements up to which constants are written out. */
  private static final int SPREAD_LIMIT = 1 << 16;

  private final Map<Object, View> known = new HashMap<>();
  private final List<Value> inputs = new ArrayList<>();

  private Simplify() {}

  /** Values for a graph: its inputs and, as views, its outputs. */
  record Result(List<Value> inputs, List<View> outputs) {}

  static Result run(Graph g) {
    return new Simplify().graph(g);
  }

  private Result graph(Graph g) {
    List<View> v = new ArrayList<>();
    for (int i = 0; i < g.inputs().size(); i++) {
      Value in = Value.input(g.inputs().get(i).type(), i);
      inputs.add(in);
      v.add(in.size() == 0 ? View.of(Value.empty(in.type)) : View.of(in));
    }
    for (Tensor c : g.constants()) {
      v.add(constant(c));
    }
    Map<Object, TreeSet<Integer>> saved = SharedScans.saved(g);
    for (Graph.Equation equation : g.equations()) {
      Graph.Equation e = SharedScans.saving(g, equation, saved);
      List<View> args = e.inputs().stream().map(v::get).toList();
      if (e.op().name().equals("split")) {
        v.addAll(split(e.attrs(), args.get(0)));
      } else if (e.types().size() == 1) {
        v.add(equation(e.op(), e.attrs(), e.type(), args));
      } else if (e != equation) {
        v.addAll(SharedScans.asked(equation, e, several(e, args)));
      } else {
        v.addAll(several(e, args));
      }
    }
    return new Result(inputs, results(g.outputs().stream().map(o -> v.get(o.value())).toList()));
  }

  private View constant(Tensor c) {
    long n = c.shape().size();
    int width = c.dtype().bytes();
    if (n > 1 && n <= UNIFORM_LIMIT) {
      boolean uniform = true;
      for (int i = width; uniform && i < c.buffer().size(); i++) {
        uniform = c.buffer().bytes().get(i) == c.buffer().bytes().get(i - width);
      }
      if (uniform) {
        Tensor one = Tensor.of(new TensorType(c.dtype(), Shape.SCALAR), c.buffer().slice(0, width));
        return View.repeat(unique(Value.constant(one)), c.shape());
      }
    }
    return View.of(n == 1 ? unique(Value.constant(c)) : Value.constant(c));
  }

  /** Scalar constants of equal bits are one value. */
  private Value unique(Value scalar) {
    DType t = scalar.type.dtype();
    Buffer b = scalar.constant.buffer();
    long bits = t.isFloating() ? Double.doubleToRawLongBits(b.getDouble(t, 0)) : b.getLong(t, 0);
    return known
        .computeIfAbsent(List.of("constant", t, bits, scalar.shape()), k -> View.of(scalar))
        .base();
  }

  private View scalar(DType t, double x, Shape shape) {
    return View.repeat(unique(Value.scalar(t, x)), shape);
  }

  private View equation(Op op, Attrs a, TensorType type, List<View> args) {
    if (type.shape().size() == 0) {
      return View.of(Value.empty(type));
    }
    return switch (op.name()) {
      case "reshape" -> reshape(args.get(0), type.shape());
      case "transpose" -> args.get(0).transpose(a.ints("perm"));
      case "broadcast_in_dim" -> args.get(0).broadcast(type.shape(), a.ints("dims"));
      case "slice" ->
          args.get(0)
              .slice(
                  a.integer("axis"), a.integer("start"), a.integer("limit"), a.integer("stride"));
      case "reverse" -> args.get(0).reverse(a.integer("axis"));
      case "iota" -> iota(type, a.integer("axis"));
      case "stop_gradient" -> args.get(0);
      case "concat" -> concat(op, a, type, args);
      case "pad" -> pad(op, a, type, args);
      case "matmul" -> matmul(op, a, type, args);
      case "gather" ->
          value(Value.Kind.GATHER, op, a, type, args.stream().map(this::dense).toList());
      case "scatter" -> scatter(op, a, type, args);
      case "reduce_sum", "reduce_prod", "reduce_max", "reduce_min" ->
          reduce(op, a, type, args.get(0));
      default ->
          op.family().isElementwise()
              ? elementwise(op, a, type, args)
              : value(Value.Kind.CALL, op, a, type, args.stream().map(this::dense).toList());
    };
  }

  private View value(Value.Kind kind, Op op, Attrs a, TensorType type, List<View> args) {
    return known.computeIfAbsent(
        List.of(op.name(), a, type, args), k -> View.of(Value.of(kind, type, op, a, args)));
  }

  private static List<View> split(Attrs a, View x) {
    List<View> parts = new ArrayList<>();
    int at = 0;
    for (int n : a.ints("sizes")) {
      View part = x.slice(a.integer("axis"), at, at + n, 1);
      parts.add(n == 0 ? View.of(Value.empty(x.base().type.with(part.shape()))) : part);
      at += n;
    }
    return parts;
  }

  /** The results of a row that has several. */
  private List<View> several(Graph.Equation e, List<View> args) {
    List<View> dense = args.stream().map(this::dense).toList();
    Value calls =
        known
            .computeIfAbsent(
                List.of(e.op().name(), e.attrs(), e.types(), dense),
                k -> View.of(Value.calls(e.op(), e.attrs(), dense)))
            .base();
    int[] same = SharedScans.same(e);
    List<View> out = new ArrayList<>();
    for (int i = 0; i < e.types().size(); i++) {
      TensorType t = e.types().get(i);
      int number = same[i];
      out.add(
          t.shape().size() == 0
              ? View.of(Value.empty(t))
              : known.computeIfAbsent(
                  List.of("result", number, calls), k -> View.of(Value.result(calls, t, number))));
    }
    return out;
  }

  private View reshape(View x, Shape to) {
    View v = x.reshape(to);
    return v != null ? v : copy(x).reshape(to);
  }

  private View copy(View x) {
    if (x.base().kind == Value.Kind.IOTA) { // not in memory, so a kernel has to make it
      return value(
          Value.Kind.ELEMENTWISE,
          io.fragua.op.OpTable.get("stop_gradient"),
          Attrs.NONE,
          x.base().type.with(x.shape()),
          List.of(x));
    }
    return known.computeIfAbsent(List.of("copy", x), k -> View.of(Value.copy(x)));
  }

  /** All of a value in order, in memory. */
  private View dense(View x) {
    return x.isDense() && x.base().kind != Value.Kind.IOTA ? x : copy(x);
  }

  private View inMemory(View x) {
    return x.base().kind == Value.Kind.IOTA ? copy(x) : x;
  }

  /** Every result as a value of its own that a step computes. */
  private List<View> results(List<View> views) {
    Set<Value> taken = new HashSet<>();
    List<View> out = new ArrayList<>();
    for (View v : views) {
      Value b = v.base();
      boolean computed = b.isFusable() || b.kind.ordinal() >= Value.Kind.MATMUL.ordinal();
      if (v.shape().size() == 0) {
        out.add(v);
      } else if (v.isDense() && computed && taken.add(b)) {
        out.add(v);
      } else if (b.kind == Value.Kind.IOTA) {
        View c = View.of(Value.elementwise("stop_gradient", b.type.with(v.shape()), List.of(v)));
        out.add(c);
      } else {
        out.add(View.of(Value.copy(v)));
      }
    }
    return out;
  }

  private View iota(TensorType type, int axis) {
    int n = type.shape().dim(axis);
    Value base =
        known
            .computeIfAbsent(
                List.of("iota", type.dtype(), n), k -> View.of(Value.iota(type.dtype(), n)))
            .base();
    long[] s = new long[type.shape().rank()];
    s[axis] = 1;
    return new View(base, 0, type.shape(), s);
  }

  private View concat(Op op, Attrs a, TensorType type, List<View> args) {
    List<View> parts = args.stream().filter(x -> x.shape().size() > 0).map(this::inMemory).toList();
    return parts.size() == 1 ? parts.get(0) : value(Value.Kind.CONCAT, op, a, type, parts);
  }

  private View pad(Op op, Attrs a, TensorType type, List<View> args) {
    View x = args.get(0);
    if (x.shape().size() == 0) {
      return scalar(type.dtype(), a.real("value"), type.shape());
    }
    return x.shape().equals(type.shape())
        ? x
        : value(Value.Kind.PAD, op, a, type, List.of(inMemory(x)));
  }

  /** Converted; an operand that repeats is converted once and repeats then. */
  private View cast(View x, DType to) {
    if (x.base().size() < x.shape().size()) {
      View once = cast(View.of(x.base()), to);
      if (once.isDense() && once.base().size() == x.base().size()) {
        return new View(once.base(), x.offset(), x.shape(), x.strides());
      }
    }
    return elementwise(
        io.fragua.op.OpTable.get("cast"),
        Attrs.of("dtype", to),
        new TensorType(to, x.shape()),
        List.of(x));
  }

  /** Sums into zeros read the updates where they lie and need no zeros in memory. */
  private View scatter(Op op, Attrs a, TensorType type, List<View> args) {
    View ids = args.get(1);
    View updates = args.get(2);
    if (updates.shape().size() == 0) {
      return args.get(0);
    }
    View zero = args.get(0);
    boolean sum =
        a.text("mode").equals(Scatter.ADD.toString())
            && IndexStep.sums(type.dtype())
            && ScalarConstants.is(zero, 0)
            && 1 / ScalarConstants.number(zero) > 0;
    if (!sum) {
      return value(Value.Kind.CALL, op, a, type, args.stream().map(this::dense).toList());
    }
    boolean asIs = IndexStep.accepts(updates, ids.shape().rank());
    List<View> rows = List.of(asIs ? updates : dense(updates), dense(ids));
    return value(Value.Kind.SCATTER, op, a, type, rows);
  }

  private View matmul(Op op, Attrs a, TensorType type, List<View> args) {
    View x = args.get(0);
    View w = args.get(1);
    boolean whole = x.shape().dim(-1) > 1 && !isColumnSum(x, w);
    boolean direct =
        type.dtype() == DType.BF16 && whole && OneDnn.multipliesBf16() && Halves.apart(x);
    if (type.dtype() == DType.F16 || type.dtype() == DType.BF16 && !direct) {
      // products of f32, rounded once
      View product =
          matmul(op, a, type.with(DType.F32), List.of(cast(x, DType.F32), cast(w, DType.F32)));
      return cast(product, type.dtype());
    }
    int k = x.shape().dim(-1);
    if (k == 0) {
      return scalar(type.dtype(), 0, type.shape());
    }
    if (k == 1) { // an outer product is a broadcast multiplication, which fuses
      int r = type.shape().rank();
      long[] xs = x.strides().clone();
      xs[r - 1] = 0;
      long[] ws = w.strides().clone();
      ws[r - 2] = 0;
      return elementwise(
          io.fragua.op.OpTable.get("mul"),
          Attrs.NONE,
          type,
          List.of(
              new View(x.base(), x.offset(), type.shape(), xs),
              new View(w.base(), w.offset(), type.shape(), ws)));
    }
    if (isColumnSum(x, w)) {
      Shape points = Shape.of(k, x.shape().dim(0));
      View product =
          elementwise(
              io.fragua.op.OpTable.get("mul"),
              Attrs.NONE,
              type.with(points),
              List.of(
                  x.transpose(new int[] {1, 0}),
                  new View(w.base(), w.offset(), points, new long[] {w.strides()[0], 0})));
      return reduce(
              io.fragua.op.OpTable.get("reduce_sum"),
              Attrs.of("axes", new int[] {0}),
              type.with(Shape.of(points.dim(1))),
              product)
          .reshape(type.shape());
    }
    // oneDNN derives a result's leading axis from an operand that has it, so one of the two must
    boolean bothRepeat =
        java.util.stream.IntStream.range(0, type.shape().rank() - 2)
            .anyMatch(
                i -> type.shape().dim(i) > 1 && args.stream().allMatch(v -> v.strides()[i] == 0));
    return value(
        Value.Kind.MATMUL,
        op,
        a,
        type,
        List.of(
            MatmulShape.accepts(args.get(0)) && !bothRepeat ? args.get(0) : copy(args.get(0)),
            MatmulShape.accepts(args.get(1)) ? args.get(1) : copy(args.get(1))));
  }

  /**
   * True for a transposed matrix times one column, as the gradient of a layer with one output: its
   * rows, weighted and summed, which fuses with whatever else passes over the matrix.
   */
  private static boolean isColumnSum(View x, View w) {
    return x.shape().rank() == 2
        && w.shape().dim(1) == 1
        && x.shape().dim(0) >= 8
        && x.strides()[0] == 1
        && x.strides()[1] >= x.shape().dim(0);
  }

  private View reduce(Op op, Attrs a, TensorType type, View x) {
    if (x.shape().size() == 0) {
      double none =
          switch (op.name()) {
            case "reduce_sum" -> 0;
            case "reduce_prod" -> 1;
            case "reduce_max" -> Identities.least(type.dtype());
            default -> Identities.greatest(type.dtype());
          };
      return type.dtype() == DType.I64 && Math.abs(none) > 1
          ? View.repeat(
              unique(Value.constant(Identities.scalarI64(op.name().equals("reduce_max")))),
              type.shape())
          : scalar(type.dtype(), none, type.shape());
    }
    return x.shape().size() == type.shape().size()
        ? reshape(x, type.shape())
        : value(Value.Kind.REDUCE, op, a, type, List.of(x.shape().size() > 64 ? direct(x) : x));
  }

  private View elementwise(Op op, Attrs a, TensorType type, List<View> args) {
    View x = args.get(0);
    View y = args.size() > 1 ? args.get(1) : null;
    boolean real = type.dtype().isFloating();
    switch (op.name()) {
      case "cast", "bitcast" -> {
        if (type.dtype() == x.base().type.dtype()) {
          return x;
        }
      }
      case "mul" -> {
        if (ScalarConstants.is(y, 1)) {
          return x;
        }
        if (ScalarConstants.is(x, 1)) {
          return y;
        }
      }
      case "div" -> {
        if (ScalarConstants.is(y, 1)) {
          return x;
        }
      }
      case "sub" -> {
        if (ScalarConstants.is(y, 0) && !(real && 1 / ScalarConstants.number(y) < 0)) {
          return x;
        }
      }
      case "pow" -> {
        if (ScalarConstants.is(y, 1)) {
          return x;
        }
        if (ScalarConstants.is(y, 2)) {
          return elementwise(io.fragua.op.OpTable.get("mul"), Attrs.NONE, type, List.of(x, x));
        }
        if (ScalarConstants.is(y, -1)) {
          return elementwise(
              io.fragua.op.OpTable.get("div"),
              Attrs.NONE,
              type,
              List.of(scalar(type.dtype(), 1, type.shape()), x));
        }
      }
      default -> {}
    }
    if (args.stream().allMatch(v -> v.base().isScalarConstant())) {
      Value folded = ScalarConstants.fold(op, type.dtype(), args);
      if (folded != null) {
        return View.repeat(unique(folded), type.shape());
      }
    }
    View there = inOrderOfMemory(op, a, type, args);
    if (there != null) {
      return there;
    }
    // A kernel reads its innermost axis with step 1 or not at all; anything else is first copied.
    List<View> direct =
        args.stream().map(v -> type.shape().size() > 64 ? direct(spread(v)) : v).toList();
    return value(Value.Kind.ELEMENTWISE, op, a, type, direct);
  }

  /**
   * An op on one operand, whose axes are in another order than in memory, and on constants is
   * computed in memory's order and then seen in that other one: so it joins what computes the
   * operand. Null for any other.
   */
  private View inOrderOfMemory(Op op, Attrs a, TensorType type, List<View> args) {
    View x = args.stream().filter(v -> !v.base().isScalarConstant()).findFirst().orElse(null);
    if (x == null
        || !x.isPermuted()
        || !args.stream().allMatch(v -> v.base().isScalarConstant() || v.equals(x))) {
      return null;
    }
    View whole = View.of(x.base());
    List<View> plain =
        args.stream().map(v -> v.equals(x) ? whole : View.repeat(v.base(), whole.shape())).toList();
    View y = elementwise(op, a, type.with(whole.shape()), plain);
    return y.isDense() ? new View(y.base(), 0, x.shape(), x.strides()) : null;
  }

  /**
   * A short row of constants that every row repeats is written out, once: the kernel then runs over
   * all elements as one line, where it would otherwise go through rows too short for a vector.
   */
  private View spread(View v) {
    long[][] r = v.runs();
    boolean shortRow = r.length > 1 && r[0][0] < Math.max(8, VectorRuntime.LANES);
    return v.base().kind == Value.Kind.CONSTANT
            && shortRow
            && v.shape().size() > v.base().size()
            && v.shape().size() <= SPREAD_LIMIT
        ? copy(v)
        : v;
  }

  private View direct(View v) {
    long s = v.innerStride();
    return s == 0 || s == 1 || v.base().kind == Value.Kind.IOTA ? v : copy(v);
  }
}
