package io.fragua.cpu;

import io.fragua.op.Op;
import io.fragua.op.OpTable;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.List;

/**
 * One array of a program being compiled: something that is in memory, or could be. Ops that only
 * rearrange (reshape, transpose, broadcast, slice, reverse) make no value, they become {@link
 * View}s. Compared by identity.
 */
final class Value {
  /** How it comes to be. */
  enum Kind {
    INPUT,
    CONSTANT,
    /** Element {@code i} is {@code i}; never in memory. */
    IOTA,
    ELEMENTWISE,
    REDUCE,
    MATMUL,
    /** A strided view written out densely. */
    COPY,
    CONCAT,
    PAD,
    GATHER,
    SCATTER,
    /** By code of the row's own; see {@link Calls}. */
    CALL,
    /**
     * As {@link #CALL}, of a row with several results: stands for the computation, is never in
     * memory, and is what its results are results of.
     */
    CALLS,
    /** One result of a {@link #CALLS}, the one of setting {@code result}. */
    RESULT
  }

  final Kind kind;
  final TensorType type;
  final Op op;
  final Attrs attrs;
  final List<View> args;

  /** Position among the graph's inputs, or -1. */
  final int input;

  /** The elements of a constant, or null. */
  final Tensor constant;

  /** Position in the program's order; set when it is final. */
  int id = -1;

  private Value(
      Kind kind, TensorType type, Op op, Attrs attrs, List<View> args, int input, Tensor constant) {
    this.kind = kind;
    this.type = type;
    this.op = op;
    this.attrs = attrs;
    this.args = List.copyOf(args);
    this.input = input;
    this.constant = constant;
  }

  static Value input(TensorType type, int position) {
    return new Value(Kind.INPUT, type, null, Attrs.NONE, List.of(), position, null);
  }

  static Value constant(Tensor t) {
    return new Value(Kind.CONSTANT, t.type(), null, Attrs.NONE, List.of(), -1, t);
  }

  static Value scalar(io.fragua.tensor.DType dtype, double value) {
    return constant(Tensor.scalar(dtype, value));
  }

  static Value empty(TensorType type) {
    return constant(Tensor.of(type, Buffer.collected(0)));
  }

  static Value iota(io.fragua.tensor.DType dtype, int size) {
    return new Value(Kind.IOTA, TensorType.of(dtype, size), null, Attrs.NONE, List.of(), -1, null);
  }

  static Value of(Kind kind, TensorType type, Op op, Attrs attrs, List<View> args) {
    return new Value(kind, type, op, attrs, args, -1, null);
  }

  static Value elementwise(String op, TensorType type, List<View> args) {
    return of(Kind.ELEMENTWISE, type, OpTable.get(op), Attrs.NONE, args);
  }

  static Value copy(View from) {
    return of(Kind.COPY, from.base().type.with(from.shape()), null, Attrs.NONE, List.of(from));
  }

  /** The computation of a row with several results. */
  static Value calls(Op op, Attrs attrs, List<View> args) {
    return of(Kind.CALLS, TensorType.of(io.fragua.tensor.DType.U8, 0), op, attrs, args);
  }

  /** One of its results. */
  static Value result(Value calls, TensorType type, int number) {
    Attrs which = Attrs.of("result", number);
    return of(Kind.RESULT, type, calls.op, which, List.of(View.of(calls)));
  }

  /** The same computation on other operands. */
  Value withArgs(List<View> other) {
    return new Value(kind, type, op, attrs, other, input, constant);
  }

  /** True if it is one number known now. */
  boolean isScalarConstant() {
    return kind == Kind.CONSTANT && type.shape().size() == 1;
  }

  long size() {
    return type.shape().size();
  }

  Shape shape() {
    return type.shape();
  }

  /** True if kernels of the generator compute it. */
  boolean isFusable() {
    return kind == Kind.ELEMENTWISE || kind == Kind.REDUCE;
  }

  /** Number of points that computing it visits. */
  long points() {
    return kind == Kind.REDUCE ? args.get(0).shape().size() : size();
  }

  String name() {
    return op != null ? op.name() : kind.name().toLowerCase(java.util.Locale.ROOT);
  }

  @Override
  public String toString() {
    return "%" + id + ":" + type + " " + name();
  }
}
