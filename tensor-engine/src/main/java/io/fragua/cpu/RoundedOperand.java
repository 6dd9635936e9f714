package io.fragua.cpu;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.javacpp.Pointer;

/**
 * An f32 operand of a matrix product that is rounded to bf16 into scratch memory just before it.
 * With AMX oneDNN does that inside the product; on CPUs that have only AVX-512's dot products of
 * bf16 pairs it multiplies in f32 instead, so there the rounding is a step of its own, which costs
 * little beside the product.
 */
final class RoundedOperand implements AutoCloseable {
  /** Where the rounded numbers are, from the start of the step's scratch memory. */
  final long offset;

  final memory.desc desc;
  private final memory.desc source;
  private final reorder.primitive_desc description;
  private final reorder primitive;

  RoundedOperand(long[] dims, long[] strides, memory.desc source, long offset) {
    this.offset = offset;
    this.source = source;
    desc = new memory.desc(dims, memory.data_type.bf16, dense(dims, strides), false);
    description = new reorder.primitive_desc(OneDnn.engine(), source, OneDnn.engine(), desc);
    primitive = new reorder(description);
  }

  /** Strides without gaps, the axes in the same order in memory: then rounding streams. */
  private static long[] dense(long[] dims, long[] strides) {
    Integer[] axes = IntStream.range(0, dims.length).boxed().toArray(Integer[]::new);
    // Of axes with one stride, those of size 1 are inside.
    Arrays.sort(
        axes, Comparator.<Integer>comparingLong(a -> strides[a]).thenComparingLong(a -> dims[a]));
    long[] out = new long[dims.length];
    long next = 1;
    for (int a : axes) {
      out[a] = next;
      next *= dims[a];
    }
    return out;
  }

  long bytes() {
    return (desc.get_size() + 63) / 64 * 64;
  }

  /** The rounding of one execution. */
  final class Bound implements AutoCloseable {
    private final memory from;
    private final memory to;
    private final OneDnn.At at = new OneDnn.At();

    Bound() {
      try (Pointer none = new Pointer()) {
        from = new memory(source, OneDnn.engine(), none);
        to = new memory(desc, OneDnn.engine(), none);
      }
    }

    /** Rounds what lies at one address to another. */
    void at(long source, long rounded) {
      from.set_data_handle(at.set(source));
      to.set_data_handle(at.set(rounded));
    }

    void run(org.bytedeco.dnnl.stream stream) {
      OneDnn.threads(1);
      primitive.execute(stream, from, to);
    }

    @Override
    public void close() {
      from.close();
      to.close();
      at.close();
    }
  }

  @Override
  public void close() {
    primitive.close();
    description.close();
    desc.close();
  }
}
