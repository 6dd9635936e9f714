package io.fragua.tensor;

import io.fragua.op.Op;
import io.fragua.op.OpTable;
import java.util.List;
import java.util.function.Consumer;

/**
 * An immutable n-dimensional array, either concrete (its elements are in memory) or traced (it is a
 * {@link Node} of a graph being built). Methods are grouped by theme in the interfaces it
 * implements; each checks types at once, so an error carries the user's own stack, eager or traced.
 *
 * <p>Thread-safe. Concrete tensors made by eager use are freed by the garbage collector.
 */
public final class Tensor
    implements Elementwise,
        Transcendentals,
        Arithmetic,
        Cumulative,
        Reductions,
        Movement,
        Contractions,
        Linalg,
        Fourier,
        Indexing,
        Windows,
        Arranging,
        Ranges,
        Sorting,
        Segments,
        Differentiation,
        Reading {
  private final TensorType type;
  private final Buffer buffer;
  private final Node node;
  private final Tape tape;

  private Tensor(TensorType type, Buffer buffer, Node node) {
    this(type, buffer, node, null);
  }

  private Tensor(TensorType type, Buffer buffer, Node node, Tape tape) {
    this.type = type;
    this.buffer = buffer;
    this.node = node;
    this.tape = tape;
  }

  /**
   * A concrete tensor over this memory, row-major; the caller must not change it any more.
   *
   * @throws ShapeException if the size does not fit the type
   */
  public static Tensor of(TensorType type, Buffer buffer) {
    Check.shape(
        type.byteSize() == buffer.size(),
        "tensor: the buffer must have the type's size: %s needs %d bytes, got %d; slice the buffer",
        type,
        type.byteSize(),
        buffer.size());
    return new Tensor(type, buffer, null);
  }

  /** A placeholder: an input of a graph being traced. */
  public static Tensor input(TensorType type) {
    return new Tensor(type, null, new Node(type, List.of()));
  }

  /**
   * Applies a row of the op table: computed at once when all operands are concrete, otherwise
   * recorded.
   *
   * @return the only result
   * @throws ShapeException if the row does not accept these operands
   * @throws IllegalArgumentException if the row has several results
   */
  public static Tensor apply(Op op, Attrs attrs, List<Tensor> inputs) {
    return apply(op, attrs, inputs, List.of(op.infer(types(inputs), attrs))).get(0);
  }

  /** As {@link #apply(Op, Attrs, List)}, giving all results of the row. */
  public static List<Tensor> applyAll(Op op, Attrs attrs, List<Tensor> inputs) {
    return apply(op, attrs, inputs, op.inferAll(types(inputs), attrs));
  }

  private static List<Tensor> apply(
      Op op, Attrs attrs, List<Tensor> inputs, List<TensorType> types) {
    for (Tensor t : inputs) {
      if (t.isTraced()) {
        return record(op, attrs, inputs, types);
      }
    }
    for (TensorType t : types) {
      t.fits(op.name());
    }
    return remember(op, attrs, inputs, Evaluator.get().evaluate(op, attrs, types, inputs));
  }

  /**
   * The results of a row that have been computed elsewhere, so that eager gradients go through them
   * as through {@link #applyAll}.
   *
   * @param inputs concrete
   * @param results concrete, without gradients of their own
   */
  public static List<Tensor> remember(
      Op op, Attrs attrs, List<Tensor> inputs, List<Tensor> results) {
    return Tape.wanted(inputs) ? Tape.remember(op, attrs, inputs, results) : results;
  }

  /** As {@link #apply(Op, Attrs, List)}, but recorded even if all operands are concrete. */
  public static Tensor record(Op op, Attrs attrs, List<Tensor> inputs) {
    return record(op, attrs, inputs, List.of(op.infer(types(inputs), attrs))).get(0);
  }

  /** As {@link #applyAll}, but recorded even if all operands are concrete. */
  public static List<Tensor> recordAll(Op op, Attrs attrs, List<Tensor> inputs) {
    return record(op, attrs, inputs, op.inferAll(types(inputs), attrs));
  }

  private static List<Tensor> record(
      Op op, Attrs attrs, List<Tensor> inputs, List<TensorType> types) {
    Tape.refuse(inputs);
    return Node.of(op, attrs, List.copyOf(inputs), List.copyOf(types)).stream()
        .map(n -> new Tensor(n.types().get(n.result()), null, n))
        .toList();
  }

  private static List<TensorType> types(List<Tensor> tensors) {
    TensorType[] types = new TensorType[tensors.size()]; // no stream: every eager call is here
    for (int i = 0; i < types.length; i++) {
      types[i] = tensors.get(i).type;
    }
    return List.of(types);
  }

  /** As {@link #apply(Op, Attrs, List)}, by the row's name. */
  public static Tensor apply(String op, Attrs attrs, Tensor... inputs) {
    return apply(OpTable.get(op), attrs, List.of(inputs));
  }

  /** An f32 tensor of this shape holding these values, row-major. */
  public static Tensor of(float[] values, int... dims) {
    return of(DType.F32, values.length, dims, b -> b.bytes().asFloatBuffer().put(values));
  }

  /** An f64 tensor of this shape holding these values, row-major. */
  public static Tensor of(double[] values, int... dims) {
    return of(DType.F64, values.length, dims, b -> b.bytes().asDoubleBuffer().put(values));
  }

  /** An i32 tensor of this shape holding these values, row-major. */
  public static Tensor of(int[] values, int... dims) {
    return of(DType.I32, values.length, dims, b -> b.bytes().asIntBuffer().put(values));
  }

  /** An i64 tensor of this shape holding these values, row-major. */
  public static Tensor of(long[] values, int... dims) {
    return of(DType.I64, values.length, dims, b -> b.bytes().asLongBuffer().put(values));
  }

  /** An i8 tensor of this shape holding these values, row-major. */
  public static Tensor of(byte[] values, int... dims) {
    return of(DType.I8, values.length, dims, b -> b.bytes().duplicate().put(values));
  }

  /** A bool tensor of this shape holding these values, row-major. */
  public static Tensor of(boolean[] values, int... dims) {
    return of(
        DType.BOOL,
        values.length,
        dims,
        b -> {
          for (int i = 0; i < values.length; i++) {
            b.putLong(DType.BOOL, i, values[i] ? 1 : 0);
          }
        });
  }

  private static Tensor of(DType dtype, int count, int[] dims, Consumer<Buffer> fill) {
    TensorType t = TensorType.of(dtype, dims);
    Check.shape(
        t.shape().size() == count,
        "tensor: the number of values must fit the shape: %s needs %d, got %d; correct the shape",
        t,
        t.shape().size(),
        count);
    Buffer b = Buffer.collected(t.byteSize());
    fill.accept(b);
    return of(t, b);
  }

  /**
   * A concrete tensor with every element {@code value}; floating types round it.
   *
   * @throws IllegalArgumentException if an integer type does not hold the value
   */
  public static Tensor full(TensorType type, double value) {
    checkHeld("full", type, value);
    Buffer b = Buffer.collected(type.byteSize());
    if (value != 0 || Double.doubleToRawLongBits(value) != 0) {
      for (long i = 0, n = type.shape().size(); i < n; i++) {
        b.putDouble(type.dtype(), i, value);
      }
    }
    return of(type, b);
  }

  /** As {@link #full}, of one element. */
  public static Tensor scalar(DType dtype, double value) {
    return full(new TensorType(dtype, Shape.SCALAR), value);
  }

  /**
   * A number as an operand of this tensor's dtype.
   *
   * @param who the operation, named in the error
   * @throws IllegalArgumentException if this is of an integer type that does not hold the number
   */
  Tensor operand(String who, double value) {
    checkHeld(who, type, value);
    return scalar(dtype(), value);
  }

  /** A number of bits to shift by; what moves all of them out is the width, which i8 holds too. */
  Tensor bits(int n) {
    int width = 8 * dtype().bytes();
    return scalar(dtype(), n < 0 || n > width ? width : n);
  }

  /** Integers are not promoted, and a number that silently became another would go unseen. */
  private static void checkHeld(String who, TensorType t, double value) {
    Check.that(
        t.dtype().holds(value),
        "%s: a number must be whole and in the range of an integer dtype: %s with %s; cast the"
            + " tensor to a type that holds it first",
        who,
        value,
        t);
  }

  /** A concrete tensor of zeros. */
  public static Tensor zeros(DType dtype, int... dims) {
    return full(TensorType.of(dtype, dims), 0);
  }

  /**
   * This tensor, as a constant of the graph if {@code other} is traced. Without it, an operation on
   * concrete operands inside a traced function would run at once and leave its (perhaps large)
   * result in the graph, for instance a broadcast scalar.
   */
  public Tensor lift(Tensor other) {
    if (!other.isTraced() || isTraced()) {
      return this;
    }
    Tape.refuse(List.of(this));
    return new Tensor(type, null, new Node(type, List.of(this)));
  }

  /** What eager gradients remember; null for none. */
  Tape tape() {
    return tape;
  }

  /** The same values with another memory, null for none. */
  Tensor withTape(Tape other) {
    return other == tape ? this : new Tensor(type, buffer, node, other);
  }

  @Override
  public Tensor self() {
    return this;
  }

  /** Element type and shape. */
  public TensorType type() {
    return type;
  }

  /** Sizes of the axes. */
  public Shape shape() {
    return type.shape();
  }

  /** Element type. */
  public DType dtype() {
    return type.dtype();
  }

  /** True while tracing: the elements are not known. */
  public boolean isTraced() {
    return node != null;
  }

  /** How a traced tensor is computed; null when concrete. */
  public Node node() {
    return node;
  }

  /**
   * The memory of a concrete tensor, row-major. Read only.
   *
   * @throws IllegalStateException if traced
   */
  public Buffer buffer() {
    if (buffer == null) {
      throw new IllegalStateException(
          "tensor: values are not known while tracing: a traced "
              + type
              + "; use tensor operations (select, not if) or read the value outside jit/grad");
    }
    return buffer;
  }

  /** Type and, when concrete, up to eight values. */
  @Override
  public String toString() {
    if (node != null) {
      return "traced " + type;
    }
    StringBuilder s = new StringBuilder(type.toString()).append(" {");
    long n = shape().size();
    for (int i = 0; i < Math.min(n, 8); i++) {
      s.append(i == 0 ? "" : ", ")
          .append(
              dtype().isFloating()
                  ? number(buffer.getDouble(dtype(), i))
                  : String.valueOf(buffer.getLong(dtype(), i)));
    }
    return s.append(n > 8 ? ", ...}" : "}").toString();
  }

  /** In as many digits as the type has. */
  private String number(double v) {
    return dtype() == DType.F64 ? String.valueOf(v) : String.valueOf((float) v);
  }
}
