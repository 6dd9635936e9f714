package io.fragua.cpu;

import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive_attr;

/** One matrix product of a batch, by a primitive that one thread runs on each in turn. */
final class MatmulTile implements AutoCloseable {
  private final Value result;
  private final View whole;
  private final Shape batch;
  private final List<memory.desc> owned = new ArrayList<>();
  private final Product product;

  MatmulTile(Value v, MatmulShape shape, primitive_attr attr) {
    result = v;
    batch = shape.batch();
    whole = shape.result(v);
    memory.desc[] descs = new memory.desc[3];
    for (int i = 0; i < 2; i++) {
      View a = v.args.get(i);
      long[] s = MatmulShape.strides(a);
      int r = s.length;
      descs[i] =
          desc(a.shape().dim(-2), a.shape().dim(-1), a.base().type.dtype(), s[r - 2], s[r - 1]);
    }
    long row = whole.strides()[whole.shape().rank() - 2];
    descs[2] = desc(shape.m(), shape.n(), v.type.dtype(), row, 1);
    product = new Product(descs, attr, false);
  }

  private memory.desc desc(long rows, long columns, DType type, long rowStride, long columnStride) {
    memory.desc d =
        new memory.desc(
            new long[] {rows, columns},
            OneDnn.type(type),
            new long[] {rowStride, columnStride},
            false);
    owned.add(d);
    return d;
  }

  long scratchBytes() {
    return product.scratchBytes();
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
    private final Product.Bound bound = product.new Bound();
    private final long[] start = new long[3];

    Run(CpuExecution x, Tiling tiling) {
      this.x = x;
      this.tiling = tiling;
    }

    private Value value(int i) {
      return i == 2 ? result : result.args.get(i).base();
    }

    @Override
    public void rebind() {
      for (int i = 0; i < 3; i++) {
        Place p = tiling.place(x, value(i));
        start[i] = x.address(p.slot()) + p.offset();
      }
      bound.scratch(x.address(0) + tiling.scratch());
    }

    @Override
    public void run(int tile) {
      for (int i = 0; i < 3; i++) {
        View v = i == 2 ? whole : result.args.get(i);
        long from = at(v, batch, tile) * value(i).type.dtype().bytes();
        if (tiling.local().containsKey(value(i))) {
          from -= (long) tile * Tiling.bytes(value(i), tiling.count());
        }
        bound.at(i, start[i] + from);
      }
      bound.run();
    }

    @Override
    public void close() {
      bound.close();
    }
  }

  @Override
  public void close() {
    product.close();
    owned.forEach(memory.desc::close);
    owned.clear();
  }
}
