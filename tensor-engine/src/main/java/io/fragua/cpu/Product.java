package io.fragua.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SCRATCHPAD;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.Pointer;

/**
 * A matrix product as a primitive of oneDNN that one thread runs: two operands, perhaps a bias, and
 * a result, each wherever it lies at the moment. Built once and shared; each thread of an execution
 * has a {@link Bound} of its own.
 *
 * <p>oneDNN's own threads are left out: two pools that both look for work before they sleep would
 * take each other's cores, which on two cores costs a fifth of a transformer's time.
 */
final class Product implements AutoCloseable {
  private static final int[] KEYS = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS};

  private final memory.desc[] descs;
  private final DnnBuilder built = new DnnBuilder(1);

  /**
   * Builds the primitive.
   *
   * @param descs of the operands, the bias if there is one, and the result; owned by the caller
   * @param older true to prefer oneDNN's older implementation where this CPU has it
   */
  Product(memory.desc[] descs, primitive_attr attr, boolean older) {
    this.descs = descs;
    matmul.primitive_desc pd = description(attr);
    if (older && !gemm(pd)) {
      pd.close();
      pd = description(attr);
    }
    built.primitive(pd, matmul::new);
  }

  private matmul.primitive_desc description(primitive_attr attr) {
    memory.desc[] d = descs;
    return d.length == 4
        ? new matmul.primitive_desc(OneDnn.engine(), d[0], d[1], d[2], d[3], attr, false)
        : new matmul.primitive_desc(OneDnn.engine(), d[0], d[1], d[2], attr, false);
  }

  /** Goes on to the older implementation; false if there is none. */
  private static boolean gemm(matmul.primitive_desc pd) {
    while (true) {
      try (var text = pd.impl_info_str()) {
        if (text.getString().startsWith("gemm:jit")) {
          return true;
        }
      }
      if (!pd.next_impl()) {
        return false;
      }
    }
  }

  long scratchBytes() {
    return built.scratchBytes();
  }

  /** What oneDNN calls the code it chose. */
  String implementation() {
    return built.implementation();
  }

  @Override
  public void close() {
    built.close();
  }

  /** The product of one thread. Not thread-safe. */
  final class Bound implements AutoCloseable {
    private final memory[] memories = new memory[descs.length];
    private final memory space;
    private final IntMemoryMap args = new IntMemoryMap();
    private final stream stream = new stream(OneDnn.engine());
    private final OneDnn.At at = new OneDnn.At();

    Bound() {
      try (Pointer none = new Pointer()) {
        for (int i = 0; i < memories.length; i++) {
          memories[i] = new memory(descs[i], OneDnn.engine(), none);
          args.put(i == memories.length - 1 ? DNNL_ARG_DST : KEYS[i], memories[i]);
        }
        space = new memory(built.scratch(), OneDnn.engine(), none);
        args.put(DNNL_ARG_SCRATCHPAD, space);
      }
    }

    /** Takes operand {@code i}, the bias as the third and the result as the last, from there. */
    void at(int i, long address) {
      memories[i].set_data_handle(at.set(address));
    }

    /** Uses the memory there while it runs. */
    void scratch(long address) {
      if (scratchBytes() > 0) {
        space.set_data_handle(at.set(address));
      }
    }

    stream stream() {
      return stream;
    }

    void run() {
      OneDnn.threads(1);
      built.primitive().execute(stream, args);
    }

    @Override
    public void close() {
      args.close();
      space.close();
      for (memory m : memories) {
        m.close();
      }
      stream.close();
      at.close();
    }
  }
}
