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
 * thread, and some along K too, into products that are added up.
 */
final class MatmulStep extends Step {
  /** Fewer operations than this are not worth a second thread. */
  private static final double MIN_FLOPS_PER_THREAD = 5e5;

  /** Of a block of oneDNN's. */
  private static final int ROWS = 16;

  private static final int COLUMNS = 64;

  /** A deeper product whose left operand lies transposed is cut along K into pieces so deep ... */
  private static final int DEPTH = 512;

  /** ... and into no more pieces than this. */
  private static final int MAX_DEPTHS = 64;

  /** Columns and rows from which a cut along K gains; smaller ones lose by it. */
  private static final int MIN_SIDE = 64;

  private final Value result;
  private final MatmulShape shape;
  private final List<Pointer> owned = new ArrayList<>();
  private final List<List<Piece>> pieces = new ArrayList<>();
  private final primitive_attr attr;

  /** Of products that are added to the result. */
  private final primitive_attr adds;

  private final long scratchBytes;

  /** One product of the batch, if they are run one by one. */
  private MatmulTile tile;

  /**
   * A product of one thread.
   *
   * @param starts bytes from the beginning of each operand and of the result
   * @param scratch where its scratch memory begins within that of the step
   */
  private record Piece(Product product, long[] starts, long scratch) {}

  MatmulStep(Value v, CompileOptions options) {
    super(v.args.stream().map(View::base).distinct().toList(), List.of(v));
    this.result = v;
    this.shape = MatmulShape.of(v);
    attr = attributes(options);
    adds = attributes(options);
    post_ops after = own(new post_ops());
    Epilogue.append(after, result);
    attr.set_post_ops(after);
    post_ops sum = own(new post_ops());
    sum.append_sum();
    adds.set_post_ops(sum);
    long scratch = 0;
    int threads = options.threads();
    int axis = splitAxis(threads);
    int size = axis < 0 ? 1 : size(axis);
    int each = axis < 0 ? 1 : each(axis, size, threads);
    for (int from = 0; from < size; from += each) {
      List<Piece> p = share(axis, from, Math.min(size, from + each), scratch);
      pieces.add(p);
      scratch += align(p.stream().mapToLong(o -> o.product.scratchBytes()).max().orElse(0));
    }
    scratchBytes = scratch;
  }

  private primitive_attr attributes(CompileOptions options) {
    primitive_attr a = own(OneDnn.attributes());
    a.set_scratchpad_mode(dnnl.scratchpad_mode.user);
    if (Math.min(shape.m(), shape.n()) > 1) { // else it is bound by memory
      OneDnn.mayRound(a, options.precision());
    }
    return a;
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

  /** The products of one thread, which it runs one after the other. */
  private List<Piece> share(int axis, int from, int to, long scratch) {
    int r = shape.batch().rank();
    int rows = axis == r ? to - from : shape.m();
    int columns = axis == r + 1 ? to - from : shape.n();
    int depth = shape.k();
    if (isDeep(rows, columns)) {
      depth = Math.max(DEPTH, (shape.k() + MAX_DEPTHS - 1) / MAX_DEPTHS);
    }
    List<Piece> products = new ArrayList<>();
    int k = 0;
    do { // once for a K of 0 too, whose sums are 0
      int end = Math.min(shape.k(), k + depth);
      products.add(piece(axis, from, to, k, end, scratch));
      k = end;
    } while (k < shape.k());
    return products;
  }

  /**
   * True for a product, as a weight's gradient, that is faster cut along K. Without AVX-512 oneDNN
   * copies what lies transposed for all of K at once, more than the cache holds: cut, 256 x 256
   * over 4,096 rows runs at 73 GFLOP/s, whole at 58 (Zen 3).
   */
  private boolean isDeep(int rows, int columns) {
    View left = result.args.get(0);
    View right = result.args.get(1);
    int r = shape.batch().rank();
    return shape.k() >= 2 * DEPTH
        && Math.min(rows, columns) >= MIN_SIDE
        && shape.batch().size() == 1
        && result.args.size() == 2
        && !result.attrs.has("activation")
        && !result.attrs.has("scale")
        && left.strides()[r] == 1
        && left.base().type.dtype() == DType.F32
        && right.base().type.dtype() == DType.F32
        && result.type.dtype() == DType.F32
        && !OneDnn.wide()
        && !OneDnn.olderIsFaster(rows, columns);
  }

  /**
   * A product of a part of the result, over a part of K.
   *
   * @param axis of the result that is cut, or -1
   */
  private Piece piece(int axis, int from, int to, int k, int end, long scratch) {
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
      int depth = r + 1 - i; // the axis of K
      dims[depth] = end - k;
      starts[i] += k * strides[depth] * type.bytes();
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
    return new Piece(new Product(descs, k > 0 ? adds : attr, older), starts, scratch);
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
    private final Product.Bound[][] products = new Product.Bound[pieces.size()][];
    private final IntConsumer work =
        t -> {
          for (Product.Bound p : products[t]) {
            p.run();
          }
        };

    Run(CpuExecution x) {
      this.x = x;
      for (int t = 0; t < products.length; t++) {
        products[t] = new Product.Bound[pieces.get(t).size()];
        for (int i = 0; i < products[t].length; i++) {
          products[t][i] = pieces.get(t).get(i).product.new Bound();
        }
      }
    }

    @Override
    public void rebind() {
      int n = result.args.size();
      long space = x.address(0) + x.scratch(MatmulStep.this).offset();
      for (int i = 0; i <= n; i++) {
        Place at = x.place(i == n ? result : result.args.get(i).base());
        long address = x.address(at.slot()) + at.offset();
        for (int t = 0; t < products.length; t++) {
          for (int p = 0; p < products[t].length; p++) {
            products[t][p].at(i, address + pieces.get(t).get(p).starts[i]);
          }
        }
      }
      for (int t = 0; t < products.length; t++) {
        for (Product.Bound p : products[t]) {
          p.scratch(space + pieces.get(t).get(0).scratch);
        }
      }
    }

    @Override
    public void run() {
      if (products.length == 1) {
        work.accept(0);
      } else {
        x.pool().run(products.length, work);
      }
    }

    @Override
    public void close() {
      for (Product.Bound[] thread : products) {
        for (Product.Bound p : thread) {
          p.close();
        }
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
    Piece first = pieces.get(0).get(0);
    int depths = pieces.get(0).size();
    String deep = depths > 1 ? ", K in " + depths + " pieces" : "";
    return text(result) + " (" + first.product.implementation() + ")" + deep + threads;
  }

  @Override
  void close() {
    if (tile != null) {
      tile.close();
      tile = null;
    }
    pieces.forEach(share -> share.forEach(p -> p.product.close()));
    pieces.clear();
    for (int i = owned.size() - 1; i >= 0; i--) {
      owned.get(i).close();
    }
    owned.clear();
  }
}
