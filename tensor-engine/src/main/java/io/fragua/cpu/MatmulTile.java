package io.fragua.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SCRATCHPAD;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.Pointer;

/** One matrix product of a batch, by a primitive that one thread runs on each in turn. */
final class MatmulTile implements AutoCloseable {
  private static final int[] KEYS = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST};

  private final Value result;
  private final Shape batch;
  private final List<Pointer> owned = new ArrayList<>();
  private final memory.desc[] descs = new memory.desc[3];
  private final memory.desc scratch;
  private final matmul primitive;

  MatmulTile(Value v, MatmulShape shape, primitive_attr attr) {
    result = v;
    batch = shape.batch();
    OneDnn.threads(1);
    for (int i = 0; i < 2; i++) {
      View a = v.args.get(i);
      long[] s = MatmulShape.strides(a);
      int r = s.length;
      descs[i] =
          desc(a.shape().dim(-2), a.shape().dim(-1), a.base().type.dtype(), s[r - 2], s[r - 1]);
    }
    descs[2] = desc(shape.m(), shape.n(), v.type.dtype(), shape.n(), 1);
    matmul.primitive_desc pd =
        own(new matmul.primitive_desc(OneDnn.engine(), descs[0], descs[1], descs[2], attr, false));
    primitive = own(new matmul(pd));
    scratch = own(pd.scratchpad_desc());
  }

  private <P extends Pointer> P own(P p) {
    owned.add(p);
    return p;
  }

  private memory.desc desc(long rows, long columns, DType type, long rowStride, long columnStride) {
    return own(
        new memory.desc(
            new long[] {rows, columns},
            OneDnn.type(type),
            new long[] {rowStride, columnStride},
            false));
  }

  long scratchBytes() {
    return scratch.get_size();
  }

  /** True if a product of an operand is what the same product of the base's batch left there. */
  static boolean aligned(View v, Shape batch) {
    long n = v.base().size();
    int r = v.shape().rank();
    if (n % batch.size() != 0 || v.offset() < 0) {
      return false;
    }
    long stride = n / batch.size();
    for (int i = r - 3; i >= 0; i--) {
      if (v.shape().dim(i) > 1 && v.strides()[i] != stride) {
        return false;
      }
      stride *= v.shape().dim(i);
    }
    long last = v.offset();
    for (int i = r - 2; i < r; i++) {
      if (v.strides()[i] < 0) {
        return false;
      }
      last += (v.shape().dim(i) - 1) * v.strides()[i];
    }
    return last < n / batch.size();
  }

  /** Elements from the base's start to an operand's matrix. */
  private static long at(View v, Shape batch, int tile) {
    long at = v.offset();
    int rest = tile;
    for (int d = batch.rank() - 1; d >= 0; d--) {
      at += rest % batch.dim(d) * v.strides()[d];
      rest /= batch.dim(d);
    }
    return at;
  }

  Part part(CpuExecution x, Tiling tiling) {
    return new Run(x, tiling);
  }

  private final class Run implements Part {
    private final CpuExecution x;
    private final Tiling tiling;
    private final stream stream = new stream(OneDnn.engine());
    private final IntMemoryMap args = new IntMemoryMap();
    private final memory[] memories = new memory[3];
    private final memory space;
    private final At at = new At();
    private final long[] start = new long[3];

    Run(CpuExecution x, Tiling tiling) {
      this.x = x;
      this.tiling = tiling;
      try (Pointer none = new Pointer()) {
        for (int i = 0; i < 3; i++) {
          memories[i] = new memory(descs[i], OneDnn.engine(), none);
          args.put(KEYS[i], memories[i]);
        }
        space = new memory(scratch, OneDnn.engine(), none);
        args.put(DNNL_ARG_SCRATCHPAD, space);
      }
    }

    private Value value(int i) {
      return i == 2 ? result : result.args.get(i).base();
    }

    private long address(int slot) {
      try (Pointer p = new Pointer(x.bytes(slot))) {
        return p.address();
      }
    }

    @Override
    public void rebind() {
      for (int i = 0; i < 3; i++) {
        Place p = tiling.place(x, value(i));
        start[i] = address(p.slot()) + p.offset();
      }
      if (scratchBytes() > 0) {
        space.set_data_handle(at.set(address(0) + tiling.scratch()));
      }
    }

    @Override
    public void run(int tile) {
      for (int i = 0; i < 3; i++) {
        long from =
            i == 2
                ? (long) tile * Tiling.bytes(result, tiling.count())
                : at(result.args.get(i), batch, tile) * value(i).type.dtype().bytes();
        if (tiling.local().containsKey(value(i))) {
          from -= (long) tile * Tiling.bytes(value(i), tiling.count());
        }
        memories[i].set_data_handle(at.set(start[i] + from));
      }
      primitive.execute(stream, args);
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

  /** An address without an owner. */
  private static final class At extends Pointer {
    At set(long to) {
      address = to;
      return this;
    }
  }

  @Override
  public void close() {
    for (int i = owned.size() - 1; i >= 0; i--) {
      owned.get(i).close();
    }
    owned.clear();
  }
}
