package io.fragua.tensor;

/**
 * What is said of an index outside of its axis: one text, whichever backend finds it.
 *
 * <p>Functions made of {@code gather} and {@code scatter} look up rows of a table that the user
 * never saw. So a row may carry, as settings, the text to give and how its indices came from the
 * user's; a wrong one travels through them as a negative number that says which it was.
 */
public final class IndexError {
  private static final String ERROR = "error";
  private static final String SIZES = "sizes";
  private static final String GIVEN = "given";
  private static final String SPREAD = "spread";

  /** So many wrong numbers on each side of an axis are told apart; further ones are as the last. */
  private static final int LIMIT = 1 << 30;

  private IndexError() {}

  /**
   * Settings of a {@code gather} or {@code scatter} with a text of its own.
   *
   * @param template may hold {@code {index}}, {@code {size}} of the axis, {@code {position}} among
   *     the indices and their {@code {shape}}
   */
  public static Attrs explained(String template) {
    return Attrs.of(ERROR, template);
  }

  /** The settings of these that concern errors, for other rows with the same indices. */
  public static Attrs of(Attrs a) {
    Attrs out = Attrs.NONE;
    for (String name : new String[] {ERROR, SIZES, GIVEN, SPREAD}) {
      out = a.has(name) ? out.with(name, a.asMap().get(name)) : out;
    }
    return out;
  }

  /**
   * Settings for indices that {@link #marked} made of others.
   *
   * @param template as in {@link #explained}, and {@code {axis}}, which of {@code sizes}
   * @param sizes of the axes
   * @param given shape of the user's indices
   * @param spread that to which it was broadcast; where there are several axes, {@code given} has
   *     one more axis, for them
   */
  static Attrs of(String template, int[] sizes, Shape given, Shape spread) {
    return explained(template).with(SIZES, sizes).with(GIVEN, given).with(SPREAD, spread);
  }

  /** True if wrong indices of such a row are marked. */
  public static boolean isMarked(Attrs a) {
    return a.has(SIZES);
  }

  /** As {@link #marked}, of indices into one axis, for a row with these settings. */
  public static Attrs marked(String op, Attrs a, int rows, Shape ids) {
    String text = a.has(ERROR) ? a.text(ERROR) : text(op);
    return of(text, new int[] {rows}, ids, ids);
  }

  /** The index itself where it lies in [0, n), else the negative number that stands for it. */
  public static Tensor marked(Tensor ids, int n) {
    return marked(ids, n, 0, 1);
  }

  /** As {@link #marked(Tensor, int)}, of one of several axes that become one. */
  static Tensor marked(Tensor ids, int n, int axis, int axes) {
    int limit = LIMIT / axes;
    int first = -1 - axis * 2 * limit;
    Tensor below = ids.less(0);
    Tensor beyond = below.select(ids.neg().sub(1), ids.sub(n)).minimum(limit - 1);
    Tensor side = below.select(number(first).lift(ids), number(first - 1));
    Tensor outside = below.or(ids.greaterEqual(number(n)));
    return outside.select(side.sub(beyond.mul(2)), ids);
  }

  private static Tensor number(int n) {
    return Tensor.scalar(DType.I32, n);
  }

  private static String text(String op) {
    return op
        + ": indices must lie in [0, {size}): index {index} at position {position} of {shape};"
        + " check the vocabulary or clip the indices";
  }

  /**
   * The error.
   *
   * @param op the row
   * @param a its settings
   * @param index that is not in [0, size)
   * @param size rows of the table
   * @param at position of the index
   * @param ids shape of the indices
   */
  public static IndexOutOfBoundsException of(
      String op, Attrs a, int index, int size, long at, Shape ids) {
    String text = a.has(ERROR) ? a.text(ERROR) : text(op);
    int[] sizes = a.has(SIZES) ? a.ints(SIZES) : new int[0];
    if (sizes.length == 0 || index >= 0) {
      return error(text, String.valueOf(index), size, at, ids, 0);
    }
    Shape given = a.shape(GIVEN);
    Shape spread = a.shape(SPREAD);
    int limit = LIMIT / sizes.length;
    int code = -1 - index;
    int axis = Math.min(code / 2 / limit, sizes.length - 1);
    int beyond = code / 2 - axis * limit;
    boolean below = code % 2 == 0;
    int was = below ? -1 - beyond : sizes[axis] + beyond;
    String more = beyond < limit - 1 ? "" : below ? " or less" : " or more";
    long place = at % Math.max(1, spread.size()); // a mapped axis lies in front of the user's
    place =
        given.rank() > spread.rank() ? place * sizes.length + axis : position(given, spread, place);
    return error(text, was + more, sizes[axis], place, given, axis);
  }

  /** Where an element of a broadcast shape comes from. */
  private static long position(Shape given, Shape spread, long place) {
    long at = 0;
    long stride = 1;
    long rest = place;
    for (int i = 1; i <= given.rank(); i++) {
      at += given.dim(-i) == 1 ? 0 : rest % spread.dim(-i) * stride;
      rest /= spread.dim(-i);
      stride *= given.dim(-i);
    }
    return at;
  }

  private static IndexOutOfBoundsException error(
      String text, String index, int size, long at, Shape ids, int axis) {
    return new IndexOutOfBoundsException(
        text.replace("{index}", index)
            .replace("{size}", String.valueOf(size))
            .replace("{position}", String.valueOf(at))
            .replace("{shape}", ids.toString())
            .replace("{axis}", String.valueOf(axis)));
  }
}
