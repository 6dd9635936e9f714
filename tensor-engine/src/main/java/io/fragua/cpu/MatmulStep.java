package io.fragua.cpu;

import io.fragua.exec.CompileOptions;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntConsumer;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.javacpp.Pointer;

/**
 * A matrix product of f32 or bf16 by oneDNN, with bias and activation applied to the result while
 * it is in registers. Large ones are cut along one axis of the result, a {@link Product} for each
 * thread.
 */
final class MatmulStep extends Step {
  /** Fewer operations than this are not worth a second thread. */
  private static final double MIN_FLOPS_PER_THREAD = 5e5;

  /** Of a block of oneDNN's. */
  private static final int ROWS = 16;

  private static final int COLUMNS = 64;

  private final Value result;
  private final MatmulShape shape;
  private final List<Pointer> owned = new ArrayList<>();
  private final List<Piece> pieces = new ArrayList<>();
  private final primitive_attr attr;
  private final long scratchBytes;

  /** One product of the batch, if they are run one by one. */
  private MatmulTile tile;

  /**
   * The product of one thread.
   *
   * @param starts bytes from the beginning of each operand and of the result
   * @param scratch where its scratch memory begins within that of the step
   */
  private record Piece(Product product, long[] starts, long scratch) {}

  MatmulStep(Value v, CompileOptions options) {
    super(v.args.stream().map(View::base).distinct().toList(), List.of(v));
    this.result = v;
    this.shape = MatmulShape.of(v);
    attr = own(OneDnn.attributes());
    attr.set_scratchpad_mode(dnnl.scratchpad_mode.user);
    if (Math.min(shape.m(), shape.n()) > 1) { // else it is bound by memory
      OneDnn.mayRound(attr, options.precision());
    }
    postOps();
    long scratch = 0;
    int threads = options.threads();
    int axis = splitAxis(threads);
    int size = axis < 0 ? 1 : size(axis);
    int each = axis < 0 ? 1 : each(axis, size, threads);
    for (int from = 0; from < size; from += each) {
      Piece p = piece(axis, from, Math.min(size, from + each), scratch);
      pieces.add(p);
      scratch += align(p.product.scratchBytes());
    }
    scratchBytes = scratch;
  }

  private void postOps() {
    post_ops ops = own(new post_ops());
    Epilogue.append(ops, result);
    attr.set_post_ops(ops);
  }

  /** The axis of the result that threads share, or -1 if one thread does it all. */
  private int splitAxis(int threads) {
    if (threads == 1 || shape.flops() < 2 * MIN_FLOPS_PER_THREAD) {
      return -1;
    }
    int r = shape.batch().rank();
    for (int a = 0; a < r; a++) {
      if (shape.batch().dim(a) >= threads) {
        return a;
      }
    }
    // The other operand is read by all, so the longer axis is cut.
    return shape.m() >= shape.n() ? r : r + 1;
  }

  private int size(int axis) {
    int r = shape.batch().rank();
    return axis < r ? shape.batch().dim(axis) : axis == r ? shape.m() : shape.n();
  }

  /** Rows for one thread, where the rows are cut. */
  static int rows(MatmulShape s, int threads) {
    return each(s, s.m(), ROWS, threads);
  }

  /** Points of the axis for one thread; rows and columns in multiples of oneDNN's blocks. */
  private int each(int axis, int size, int threads) {
    int r = shape.batch().rank();
    return each(shape, size, axis < r ? 1 : axis == r ? ROWS : COLUMNS, threads);
  }

  private static int each(MatmulShape s, int size, int block, int threads) {
    int parts = (int) Math.max(1, Math.min(threads, s.flops() / MIN_FLOPS_PER_THREAD));
    int each = (size + parts - 1) / parts;
    return Math.min(size, (each + block - 1) / block * block);
  }

  private Piece piece(int axis, int from, int to, long scratch) {
    int n = result.args.size();
    long[] starts = new long[n + 1];
    memory.desc[] descs = new memory.desc[n + 1];
    int r = shape.batch().rank();
    for (int i = 0; i < 2; i++) {
      View a = result.args.get(i);
      long[] dims = MatmulShape.dims(a);
      long[] strides = MatmulShape.strides(a);
      boolean cut = axis >= 0 && dims[axis] > 1 && (axis < r || axis == r + i);
      DType type = a.base().type.dtype();
      starts[i] = a.offset() * type.bytes();
      if (cut) {
        dims[axis] = to - from;
        starts[i] += from * strides[axis] * type.bytes();
      }
      descs[i] = desc(dims, type, strides);
    }
    View whole = shape.result(result);
    Shape out = whole.shape();
    long[] dims = java.util.Arrays.stream(out.dims()).asLongStream().toArray();
    if (n == 3) {
      long[] d = new long[out.rank()];
      long[] s = new long[out.rank()];
      java.util.Arrays.fill(d, 1);
      java.util.Arrays.fill(s, shape.n());
      d[d.length - 1] = axis == r + 1 ? to - from : shape.n();
      s[d.length - 1] = 1;
      descs[2] = desc(d, DType.F32, s);
      starts[2] = (result.args.get(2).offset() + (axis == r + 1 ? from : 0)) * 4;
    }
    if (axis >= 0) {
      dims[axis] = to - from;
      starts[n] = from * whole.strides()[axis] * result.type.dtype().bytes();
    }
    descs[n] = desc(dims, result.type.dtype(), whole.strides());
    boolean older =
        result.type.dtype() == DType.F32
            && shape.batch().size() == 1
            && OneDnn.olderIsFaster(dims[r], dims[r + 1]);
    return new Piece(new Product(descs, attr, older), starts, scratch);
  }

  private static long align(long bytes) {
    return (bytes + 63) / 64 * 64;
  }

  private <P extends Pointer> P own(P p) {
    owned.add(p);
    return p;
  }

  private memory.desc desc(long[] dims, DType type, long[] strides) {
    return own(new memory.desc(dims, OneDnn.type(type), strides, false));
  }

  @Override
  long scratchBytes() {
    return scratchBytes;
  }

  @Override
  double flops() {
    return shape.flops();
  }

  @Override
  int maxTiles() {
    return result.args.size() == 2 ? Math.toIntExact(shape.batch().size()) : 1;
  }

  @Override
  boolean exactTiles() {
    return true;
  }

  @Override
  Set<Value> tiled() {
    return new LinkedHashSet<>(
        List.of(result, result.args.get(0).base(), result.args.get(1).base()));
  }

  @Override
  boolean tiles(int count, Set<Value> inside) {
    return count == shape.batch().size()
        && result.args.stream()
            .allMatch(a -> !inside.contains(a.base()) || MatmulTile.aligned(a, shape.batch()));
  }

  @Override
  boolean writesTiles() {
    return !result.attrs.has("swapped");
  }

  @Override
  void cut(int count) {
    tile = new MatmulTile(result, shape, attr);
  }

  @Override
  long tileScratchBytes() {
    return tile.scratchBytes();
  }

  @Override
  Part part(CpuExecution x, Tiling tiling) {
    return tile.part(x, tiling);
  }

  @Override
  Bound bind(CpuExecution x) {
    return new Run(x);
  }

  private final class Run implements Bound {
    private final CpuExecution x;
    private final Product.Bound[] products = new Product.Bound[pieces.size()];
    private final IntConsumer work = t -> products[t].run();

    Run(CpuExecution x) {
      this.x = x;
      for (int t = 0; t < products.length; t++) {
        products[t] = pieces.get(t).product.new Bound();
      }
    }

    @Override
    public void rebind() {
      int n = result.args.size();
      long space = x.address(0) + x.scratch(MatmulStep.this).offset();
      for (int t = 0; t < products.length; t++) {
        Piece p = pieces.get(t);
        for (int i = 0; i <= n; i++) {
          Place at = x.place(i == n ? result : result.args.get(i).base());
          products[t].at(i, x.address(at.slot()) + at.offset() + p.starts[i]);
        }
        products[t].scratch(space + p.scratch);
      }
    }

    @Override
    public void run() {
      if (products.length == 1) {
        products[0].run();
      } else {
        x.pool().run(products.length, work);
      }
    }

    @Override
    public void close() {
      for (int t = 0; t < products.length; t++) {
        products[t].close();
      }
    }
  }

  /** What it computes. */
  static String text(Value v) {
    boolean bf16 = v.args.get(0).base().type.dtype() == DType.BF16;
    return "matmul "
        + MatmulShape.of(v)
        + (bf16 ? " of bf16" : "")
        + (v.type.dtype() == DType.BF16 ? " to bf16" : "")
        + (v.args.size() == 3 ? " + bias" : "")
        + (v.attrs.has("activation") ? " " + v.attrs.text("activation") : "")
        + (v.attrs.has("scale") ? " scaled" : "")
        + (v.attrs.has("swapped") ? " swapped" : "");
  }

  @Override
  String describe() {
    String threads = pieces.size() > 1 ? " x" + pieces.size() + " threads" : "";
    return text(result) + " (" + pieces.get(0).product.implementation() + ")" + threads;
  }

  @Override
  void close() {
    if (tile != null) {
      tile.close();
      tile = null;
    }
    for (Piece p : pieces) {
      p.product.close();
    }
    pieces.clear();
    for (int i = owned.size() - 1; i >= 0; i--) {
      owned.get(i).close();
    }
    owned.clear();
  }
}
