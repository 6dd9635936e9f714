package io.fragua.tensor;

/** What is known of a tensor before it is computed: element type and shape. */
public record TensorType(DType dtype, Shape shape) {
  /** A type with the given sizes. */
  public static TensorType of(DType dtype, int... dims) {
    return new TensorType(dtype, Shape.of(dims));
  }

  /**
   * Size of the elements in bytes.
   *
   * @throws ShapeException if it overflows
   */
  public long byteSize() {
    long n = shape.size();
    Check.shape(
        n <= Long.MAX_VALUE / dtype.bytes(),
        "tensor: the number of bytes must be below 2^63: %s; correct a size",
        this);
    return n * dtype.bytes();
  }

  /**
   * Throws unless a buffer can hold such a tensor.
   *
   * @param who would compute it
   * @throws IllegalArgumentException if it has more than {@link Buffer#LARGEST} bytes
   */
  public void fits(String who) {
    Buffer.checkSize(who, byteSize(), this);
  }

  /** Same element type, other shape. */
  public TensorType with(Shape other) {
    return new TensorType(dtype, other);
  }

  /** Same shape, other element type. */
  public TensorType with(DType other) {
    return new TensorType(other, shape);
  }

  @Override
  public String toString() {
    return dtype.toString() + shape;
  }
}
