package io.fragua.cpu;

import io.fragua.exec.CompileOptions;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/**
 * Sorts lines along an axis. Elements become unsigned keys of their order, which carry their places
 * along; so the sort never looks at the elements again, and places keep equal keys apart.
 */
final class SortStep extends CallsStep {
  /** Fewer elements than this are not worth a second thread. */
  private static final int MIN_PER_THREAD = 8_192;

  /**
   * Eager executions that wait for their next use keep memory of their own for lines up to this.
   */
  private static final int KEPT = 1024;

  private final DType dtype;
  private final boolean descending;
  private final int length;
  private final int inner;
  private final int lines;
  private final int parts;

  SortStep(Value v, List<Value> results, CompileOptions options) {
    super(v, results);
    Shape s = operand(0).shape();
    int axis = v.attrs.integer("axis");
    dtype = operand(0).dtype();
    descending = v.attrs.integer("descending") == 1;
    length = s.dim(axis);
    inner = Math.toIntExact(s.slice(axis + 1, s.rank()).size());
    lines = Math.toIntExact(s.size() / length);
    parts = Pool.parts(options.threads(), lines, s.size(), MIN_PER_THREAD);
  }

  @Override
  Bound bind(CpuExecution x) {
    return new Run(x);
  }

  @Override
  void run(Buffer[] in, Buffer[] out, Buffer scratch) {
    throw new IllegalStateException("sort: runs only when bound, with its own memory");
  }

  private final class Run implements Bound {
    private final CpuExecution x;
    private final KeySort[] sorts = new KeySort[parts];
    private final Pool.Range part = this::lines;
    private ByteBuffer from;
    private ByteBuffer values;
    private ByteBuffer order;

    Run(CpuExecution x) {
      this.x = x;
    }

    @Override
    public void rebind() {
      for (int t = 0; t < parts; t++) {
        sorts[t] = sorts[t] == null ? new KeySort(length, dtype.bytes() == 8) : sorts[t];
      }
      from = x.buffer(call.args.get(0).base()).bytes();
      values = x.buffer(results.get(0)).bytes();
      order = x.buffer(results.get(1)).bytes();
    }

    @Override
    public void run() {
      Pool.split(x.pool(), parts, lines, part);
    }

    @Override
    public void unbind() {
      from = null;
      values = null;
      order = null;
      if (length > KEPT) {
        Arrays.fill(sorts, null);
      }
    }

    private void lines(int t, int first, int end) {
      KeySort sort = sorts[t];
      for (int l = first; l < end; l++) {
        int start = l / inner * length * inner + l % inner;
        for (int i = 0; i < length; i++) {
          long key = key(start + i * inner);
          sort.key(i, descending ? ~key : key);
        }
        sort.sort(dtype.bytes());
        for (int i = 0; i < length; i++) {
          int place = sort.place(i);
          int to = start + i * inner;
          order.putInt(to * 4, place);
          move(start + place * inner, to);
        }
      }
    }

    /** The element as a number whose unsigned order, in the element's width, is the element's. */
    private long key(int i) {
      return switch (dtype) {
        case F32 -> floating(from.getInt(i * 4), 31, 0x7f800000L);
        case F16 -> floating(from.getShort(i * 2), 15, 0x7c00L);
        case BF16 -> floating(from.getShort(i * 2), 15, 0x7f80L);
        case F64 -> floating(from.getLong(i * 8), 63, 0x7ff0000000000000L);
        case I64 -> from.getLong(i * 8) ^ Long.MIN_VALUE;
        case I32 -> from.getInt(i * 4) ^ 0x80000000L;
        case I16 -> from.getShort(i * 2) ^ 0x8000L;
        case I8 -> from.get(i) ^ 0x80L;
        case U8 -> from.get(i);
        case BOOL -> from.get(i) == 0 ? 0 : 1;
      };
    }

    private void move(int i, int to) {
      switch (dtype.bytes()) {
        case 8 -> values.putLong(to * 8, from.getLong(i * 8));
        case 4 -> values.putInt(to * 4, from.getInt(i * 4));
        case 2 -> values.putShort(to * 2, from.getShort(i * 2));
        default -> values.put(to, from.get(i));
      }
    }

    @Override
    public void close() {}
  }

  /**
   * Negative numbers grow with falling bits, so theirs are turned over; all NaN are one largest
   * key, both zeros another.
   *
   * @param sign position of the sign's bit
   * @param infinity bits of infinity
   */
  private static long floating(long bits, int sign, long infinity) {
    long mask = (1L << sign) - 1; // all ones for 63 too
    long size = bits & mask;
    long top = 1L << sign;
    if (size > infinity) {
      return -1;
    }
    return size == 0 || (bits >> sign & 1) == 0 ? size | top : ~size & mask;
  }

  @Override
  String describe() {
    return "sort "
        + lines
        + " lines of "
        + length
        + " "
        + dtype
        + (parts > 1 ? " x" + parts + " threads" : "");
  }
}
