package io.fragua.cpu;

import io.fragua.tensor.DType;
import io.fragua.tensor.Scatter;
import io.fragua.tensor.Shape;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Rows by index: gather copies them, or adds up those of one bag (see {@link Bag}); scatter into
 * zeros adds them up in the order of the indices.
 */
final class IndexStep extends Step {
  /** Fewer elements than this are not worth a second thread. */
  static final int MIN_PER_THREAD = 16_384;

  private final Value result;
  private final boolean gather;
  private final int rows;
  private final int count;

  /** Rows added up to one of the result; 1 for plain gathering. */
  private final int bag;

  private final int width;
  private final DType dtype;
  private final Kernel kernel;

  /** Byte offsets of the rows that are not one after another, or null. */
  private final int[] at;

  /** Threads. Those of a scatter have some rows of the table each, and walk all indices. */
  private final int parts;

  IndexStep(Value v, int threads) {
    super(v.args.stream().map(View::base).distinct().toList(), List.of(v));
    result = v;
    gather = v.kind == Value.Kind.GATHER;
    dtype = v.type.dtype();
    rows = gather ? v.args.get(0).shape().dim(0) : v.shape().dim(0);
    Shape ids = v.args.get(1).shape();
    count = Math.toIntExact(ids.size());
    bag = Bag.size(v);
    View side = gather ? View.of(v) : v.args.get(0);
    width = Math.toIntExact(side.shape().size() / (count / bag));
    at = side.isDense() ? null : offsets(side, ids.rank());
    int units = gather ? count / bag : rows;
    parts = Pool.parts(threads, units, (long) count * width, MIN_PER_THREAD);
    kernel =
        KernelCompiler.compile(
            bag > 1
                ? BagSource.write()
                : gather
                    ? IndexSource.gather(dtype)
                    : IndexSource.scatter(Scatter.ADD, dtype, true));
  }

  /** True if it adds up rows of this type; the others are added by {@link ScatterStep}. */
  static boolean sums(DType t) {
    return t == DType.F32 || t == DType.F64 || t == DType.I32 || t == DType.I64;
  }

  /** True if each row of updates is contiguous, wherever the rows are. */
  static boolean accepts(View updates, int indexRank) {
    if (updates.base().kind == Value.Kind.IOTA) {
      return false;
    }
    Shape s = updates.shape();
    long n = 1;
    for (int i = s.rank() - 1; i >= indexRank; i--) {
      if (s.dim(i) != 1 && updates.strides()[i] != n) {
        return false;
      }
      n *= s.dim(i);
    }
    return true;
  }

  private static int[] offsets(View side, int rank) {
    Shape ids = side.shape().slice(0, rank);
    int[] out = new int[Math.toIntExact(ids.size())];
    int bytes = side.base().type.dtype().bytes();
    for (int i = 0; i < out.length; i++) {
      long o = side.offset();
      int rest = i;
      for (int d = rank - 1; d >= 0; d--) {
        o += rest % ids.dim(d) * side.strides()[d];
        rest /= ids.dim(d);
      }
      out[i] = Math.toIntExact(o * bytes);
    }
    return out;
  }

  @Override
  Bound bind(CpuExecution x) {
    return new Run(x);
  }

  private final class Run implements Bound {
    private final CpuExecution x;
    private final Place[] places;
    private final Object[] memory = new Object[4];
    private final int[][] p = new int[parts][6];
    private final Pool.Range check = this::check;
    private final Pool.Range part = gather ? this::gathered : this::scattered;
    private ByteBuffer ids;

    Run(CpuExecution x) {
      this.x = x;
      Place data = x.place(result.args.get(0).base());
      Place index = x.place(result.args.get(1).base());
      Place out = x.place(result);
      places = gather ? new Place[] {data, index, out} : new Place[] {out, index, data};
      memory[3] = at;
      int row = width * dtype.bytes();
      for (int t = 0; t < parts; t++) {
        for (int i = 0; i < 3; i++) {
          p[t][i] = places[i].offset();
        }
        p[t][3] = row;
        p[t][4] = p[t][0] + Pool.start(rows, parts, t) * row;
        p[t][5] = gather ? bag : p[t][0] + Pool.start(rows, parts, t + 1) * row;
      }
    }

    @Override
    public void rebind() {
      for (int i = 0; i < 3; i++) {
        memory[i] = x.memory(places[i].slot());
      }
      ids = x.bytes(places[1].slot());
    }

    @Override
    public void run() {
      if (!gather) {
        Pool.split(x.pool(), parts, count, check); // before anything is written
      }
      Pool.split(x.pool(), parts, gather ? count / bag : rows, part);
    }

    private void check(int t, int from, int to) {
      Indices.check(result, ids, p[t][1], rows, from, to);
    }

    private void gathered(int t, int from, int to) {
      check(t, from * bag, to * bag);
      kernel.run(memory, p[t], from, to);
    }

    private void scattered(int t, int from, int to) {
      kernel.run(memory, p[t], 0, count);
    }

    @Override
    public void unbind() {
      java.util.Arrays.fill(memory, 0, 3, null);
      ids = null;
    }

    @Override
    public void close() {}
  }

  /** Of a table the rows that are looked up. */
  @Override
  long bytesRead(boolean inPlace) {
    long ids = result.args.get(1).base().type.byteSize();
    return gather ? ids + (long) count * width * dtype.bytes() : super.bytesRead(inPlace);
  }

  @Override
  String describe() {
    String bags = bag > 1 ? ", sums of " + bag : "";
    return result.name()
        + (" "
            + count
            + " rows of "
            + width
            + " "
            + dtype
            + bags
            + ", table of "
            + rows
            + (parts > 1 ? " x" + parts + " threads" : ""));
  }
}
