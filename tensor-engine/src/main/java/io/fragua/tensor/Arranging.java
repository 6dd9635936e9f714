package io.fragua.tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Moves elements: NumPy's functions, composed of those of {@link Movement}. Negative axes count
 * from the back. Every element type.
 */
public interface Arranging {
  /** This tensor. */
  Tensor self();

  /**
   * Part of this tensor in NumPy's notation, for instance {@code "1:, ::2, -1"}: for each axis a
   * number (the axis goes away), {@code start:stop} or {@code start:stop:step}; {@code ...} for all
   * axes between and {@code newaxis} for one of size 1. Axes not named stay whole.
   *
   * @throws ShapeException if the text is no index, a number lies outside its axis or there are
   *     more entries than axes
   * @source NumPy basic indexing
   */
  default Tensor slice(String index) {
    return SliceText.apply(self(), index);
  }

  /**
   * The order of these axes reversed; of all when none is named.
   *
   * @throws ShapeException if an axis is named twice
   */
  default Tensor flip(int... axes) {
    Tensor t = self();
    int[] all = IntStream.range(0, t.shape().rank()).toArray();
    Check.shape(
        IntStream.of(axes).map(t.shape()::axis).distinct().count() == axes.length,
        "flip: an axis must not be repeated: %s of %s; name each axis once",
        Arrays.toString(axes),
        t.type());
    for (int a : axes.length == 0 ? all : axes) {
      t = t.reverse(a);
    }
    return t;
  }

  /**
   * Elements moved along an axis, those that leave at one end come in at the other.
   *
   * @param shift how far, of any size and sign
   * @source NumPy roll
   */
  default Tensor roll(int shift, int axis) {
    int n = self().shape().dim(axis);
    int k = n == 0 ? 0 : Math.floorMod(shift, n);
    return k == 0
        ? self()
        : Movement.concat(
            axis, List.of(self().slice(axis, n - k, n), self().slice(axis, 0, n - k)));
  }

  /**
   * Turned by quarters in the plane of two axes, from the first towards the second.
   *
   * @param quarters how many, of any sign
   * @throws ShapeException if the axes are one
   * @source NumPy rot90
   */
  default Tensor rot90(int quarters, int first, int second) {
    Shape s = self().shape();
    Check.shape(
        s.axis(first) != s.axis(second),
        "rot90: a plane has two axes: %d and %d of %s; name two different ones",
        first,
        second,
        self().type());
    return switch (Math.floorMod(quarters, 4)) {
      case 0 -> self();
      case 1 -> self().reverse(second).swapAxes(first, second);
      case 2 -> self().reverse(first).reverse(second);
      default -> self().swapAxes(first, second).reverse(second);
    };
  }

  /** One axis moved to another place; the others keep their order. */
  default Tensor moveAxis(int from, int to) {
    Shape s = self().shape();
    List<Integer> perm = new ArrayList<>(IntStream.range(0, s.rank()).boxed().toList());
    int target = s.axis(to);
    perm.add(target, perm.remove(s.axis(from)));
    return self().transpose(perm.stream().mapToInt(i -> i).toArray());
  }

  /** Two axes exchanged. */
  default Tensor swapAxes(int a, int b) {
    int[] perm = IntStream.range(0, self().shape().rank()).toArray();
    int i = self().shape().axis(a);
    int j = self().shape().axis(b);
    perm[i] = j;
    perm[j] = i;
    return self().transpose(perm);
  }

  /**
   * Without these axes of size 1; without all such axes when none is named.
   *
   * @throws ShapeException if a named axis has another size
   */
  default Tensor squeeze(int... axes) {
    Shape s = self().shape();
    int[] gone =
        axes.length == 0
            ? IntStream.range(0, s.rank()).filter(i -> s.dim(i) == 1).toArray()
            : IntStream.of(axes).map(s::axis).toArray();
    for (int a : gone) {
      Check.shape(
          s.dim(a) == 1,
          "squeeze: an axis to remove must have size 1: axis %d of %s; reduce or index it",
          a,
          self().type());
    }
    return self().reshape(s.without(gone).dims());
  }

  /**
   * New axes of size 1 at these places of the result.
   *
   * @param axes places in the result's shape, each once
   * @throws ShapeException if a place is outside or named twice
   * @source NumPy expand_dims
   */
  default Tensor expandDims(int... axes) {
    int rank = self().shape().rank() + axes.length;
    int[] dims = new int[rank];
    for (int axis : axes) {
      int a = axis < 0 ? axis + rank : axis;
      Check.shape(
          a >= 0 && a < rank && dims[a] == 0,
          "expand_dims: axes must be places of the result, each once: %s for %s; correct them",
          Arrays.toString(axes),
          self().type());
      dims[a] = 1;
    }
    int next = 0;
    for (int i = 0; i < rank; i++) {
      dims[i] = dims[i] == 1 ? 1 : self().shape().dim(next++);
    }
    return self().reshape(dims);
  }

  /**
   * Copies side by side.
   *
   * @param times one an axis, aligned at the last; missing ones are 1, further ones add axes
   * @source NumPy tile
   */
  default Tensor tile(int... times) {
    for (int n : times) {
      Check.shape(
          n >= 0,
          "tile: numbers of copies must not be negative: %s of %s; correct them",
          Arrays.toString(times),
          self().type());
    }
    int rank = Math.max(times.length, self().shape().rank());
    int[] wide = new int[2 * rank];
    int[] kept = new int[rank];
    int[] dims = new int[rank];
    int[] own = new int[rank];
    for (int i = 0; i < rank; i++) {
      int t = i - (rank - times.length);
      int s = i - (rank - self().shape().rank());
      wide[2 * i] = t < 0 ? 1 : times[t];
      own[i] = s < 0 ? 1 : self().shape().dim(s);
      wide[2 * i + 1] = own[i];
      kept[i] = 2 * i + 1;
      dims[i] = Check.size("tile", (long) wide[2 * i] * own[i]);
    }
    return self().reshape(own).broadcastInDim(Shape.of(wide), kept).reshape(dims);
  }

  /**
   * Each element of an axis several times, one after another.
   *
   * @source NumPy repeat
   */
  default Tensor repeat(int times, int axis) {
    Check.shape(
        times >= 0,
        "repeat: the number must not be negative: %d of %s; correct it",
        times,
        self().type());
    Shape s = self().shape();
    int a = s.axis(axis);
    Shape longer = s.with(a, Check.size("repeat", (long) s.dim(a) * times));
    Shape wide = s.slice(0, a + 1).concat(Shape.of(times)).concat(s.slice(a + 1, s.rank()));
    int[] kept = IntStream.range(0, s.rank() + 1).filter(i -> i != a + 1).toArray();
    return self().broadcastInDim(wide, kept).reshape(longer.dims());
  }

  /** The parts along an axis, which goes away. */
  default List<Tensor> unstack(int axis) {
    Shape s = self().shape();
    int[] dims = s.without(s.axis(axis)).dims();
    return IntStream.range(0, s.dim(axis))
        .mapToObj(i -> self().slice(axis, i, i + 1).reshape(dims))
        .toList();
  }

  /**
   * Elements below and on a diagonal of the last two axes, zeros above.
   *
   * @param diagonal 0 the main one, positive above it
   * @source NumPy tril
   */
  default Tensor tril(int diagonal) {
    return triangle("tril", diagonal, true);
  }

  /**
   * Elements above and on a diagonal of the last two axes, zeros below.
   *
   * @param diagonal 0 the main one, positive above it
   * @source NumPy triu
   */
  default Tensor triu(int diagonal) {
    return triangle("triu", diagonal, false);
  }

  private Tensor triangle(String who, int diagonal, boolean lower) {
    Shape s = self().shape();
    Check.shape(s.rank() >= 2, "%s: needs two axes: %s; reshape it first", who, self().type());
    Shape m = s.slice(s.rank() - 2, s.rank());
    Tensor row = self().iotaLike(DType.I32, m, 0);
    int d = inside(diagonal, m);
    Tensor column = self().iotaLike(DType.I32, m, 1).sub(d);
    Tensor kept = lower ? column.lessEqual(row) : column.greaterEqual(row);
    return kept.select(self(), Tensor.scalar(self().dtype(), 0));
  }

  /** The diagonal, or one just outside of the matrix for all further ones: no number overflows. */
  private static int inside(int diagonal, Shape matrix) {
    return Math.max(-matrix.dim(-2), Math.min(matrix.dim(-1), diagonal));
  }

  /**
   * A diagonal of the last two axes, [..., n].
   *
   * @param offset 0 the main one, positive above it
   * @source NumPy diagonal of the last two axes
   */
  default Tensor diagonal(int offset) {
    Shape s = self().shape();
    Check.shape(s.rank() >= 2, "diagonal: needs two axes: %s; reshape it first", self().type());
    int rows = s.dim(-2);
    int columns = s.dim(-1);
    int d = inside(offset, s);
    int r = Math.max(0, -d);
    int c = Math.max(0, d);
    int n = Math.max(0, Math.min(rows - r, columns - c));
    Shape lead = s.slice(0, s.rank() - 2);
    if (n == 0) {
      return self().slice(-2, 0, 0).reshape(lead.concat(Shape.of(0)).dims());
    }
    Tensor flat =
        self()
            .slice(-2, r, r + n)
            .reshape(lead.concat(Shape.of(Check.size("diagonal", (long) n * columns))).dims());
    // from one diagonal element to the next it is a row and one element
    return flat.slice(-1, c, c + (n - 1) * (columns + 1) + 1, columns + 1);
  }

  /**
   * A matrix with the last axis as its diagonal and zeros around, [..., m, m], m = n + |offset|.
   *
   * @param offset 0 the main diagonal, positive above it
   * @source NumPy diag of a vector
   */
  default Tensor diag(int offset) {
    Shape s = self().shape();
    Check.shape(s.rank() >= 1, "diag: needs an axis: %s; reshape it first", self().type());
    int n = s.dim(-1);
    int m = Check.size("diag", n + Math.abs((long) offset));
    int r = Math.max(0, -offset);
    int c = Math.max(0, offset);
    if (n == 0) {
      return Tensor.scalar(self().dtype(), 0)
          .lift(self())
          .broadcastTo(s.slice(0, s.rank() - 1).concat(Shape.of(m, m)));
    }
    int all = Check.size("diag", (long) m * m);
    int first = r * m + c;
    int used = (n - 1) * (m + 1) + 1;
    Tensor flat = self().pad(-1, first, all - first - used, m, 0);
    return flat.reshape(s.slice(0, s.rank() - 1).concat(Shape.of(m, m)).dims());
  }

  /** At least this many axes, new ones of size 1 in front. */
  default Tensor atLeast(int rank) {
    Check.that(
        rank >= 0 && rank <= 64,
        "at_least: the number of axes must lie in [0, 64]: %d for %s; correct it",
        rank,
        self().type());
    int more = Math.max(0, rank - self().shape().rank());
    return self().expandDims(IntStream.range(0, more).toArray());
  }

  /**
   * Elements around an axis taken from inside.
   *
   * @param low how many before
   * @param high how many after
   * @param mode which; each works for any number of elements
   * @throws ShapeException if a number is negative or the axis is empty
   * @source NumPy pad
   */
  default Tensor pad(int axis, int low, int high, Padding mode) {
    int n = self().shape().dim(axis);
    Check.shape(
        low >= 0 && high >= 0 && (n > 0 || low == 0 && high == 0),
        "pad: low and high must not be negative, and the axis not empty: %d, %d on axis %d of %s;"
            + " slice to remove elements",
        low,
        high,
        axis,
        self().type());
    Check.size("pad", (long) low + n + high);
    List<Tensor> parts = new ArrayList<>();
    int i = -low;
    while (i < n + high) { // as long a run as is one slice, forwards, backwards or of one element
      int first = mode.source(i, n);
      int step = i + 1 < n + high ? mode.source(i + 1, n) - first : 1;
      int count = 1;
      while (i + count < n + high
          && Math.abs(step) <= 1
          && mode.source(i + count, n) == first + count * step) {
        count++;
      }
      int last = first + (count - 1) * step;
      Tensor run = self().slice(axis, Math.min(first, last), Math.max(first, last) + 1);
      parts.add(
          step == 0 ? run.repeat(count, axis) : step < 0 && count > 1 ? run.reverse(axis) : run);
      i += count;
    }
    return parts.isEmpty() ? self() : Movement.concat(axis, parts);
  }

  /**
   * Tensors of one type along a new axis.
   *
   * @param axis its place in the result
   * @source NumPy stack
   */
  static Tensor stack(int axis, List<Tensor> parts) {
    Check.shape(!parts.isEmpty(), "stack: needs at least one tensor: none given; pass one");
    for (Tensor t : parts) {
      Check.shape(
          t.type().equals(parts.get(0).type()),
          "stack: tensors must have one type: %s with %s; cast or broadcast one of them",
          parts.get(0).type(),
          t.type());
    }
    return Movement.concat(axis, parts.stream().map(t -> t.expandDims(axis)).toList());
  }

  /**
   * All broadcast to one shape by NumPy's rule.
   *
   * @throws ShapeException if they do not broadcast
   */
  static List<Tensor> broadcastArrays(List<Tensor> ts) {
    Shape s =
        ts.stream()
            .map(Tensor::shape)
            .reduce(Shape.SCALAR, (a, b) -> Shape.broadcast("broadcast_arrays", a, b));
    return ts.stream().map(t -> t.broadcastTo(s)).toList();
  }

  /**
   * One matrix an operand, each with an operand's values along its own axis: the coordinates of a
   * grid, in the order of the operands ({@code indexing="ij"}).
   *
   * @param axes vectors
   * @source NumPy meshgrid
   */
  static List<Tensor> meshgrid(List<Tensor> axes) {
    int[] dims = new int[axes.size()];
    for (int i = 0; i < dims.length; i++) {
      Check.shape(
          axes.get(i).shape().rank() == 1,
          "meshgrid: operands must be vectors: operand %d is %s; reshape it to [-1]",
          i,
          axes.get(i).type());
      dims[i] = axes.get(i).shape().dim(0);
    }
    return IntStream.range(0, dims.length)
        .mapToObj(i -> axes.get(i).broadcastInDim(Shape.of(dims), i))
        .toList();
  }
}
