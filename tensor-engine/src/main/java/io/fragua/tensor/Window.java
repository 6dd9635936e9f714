package io.fragua.tensor;

import java.util.Arrays;

/**
 * A window that moves over the spatial axes of a tensor [N, spatial..., C]: what convolutions and
 * pools share. Every list has one entry a spatial axis. Immutable.
 *
 * @param size elements a window takes along each axis
 * @param strides steps between windows
 * @param low elements of padding before the first
 * @param high elements of padding after the last
 * @param dilations distances between the elements that one window takes
 * @source JAX {@code lax.conv_general_dilated}, {@code lax.reduce_window}; ONNX Conv-11
 */
public record Window(int[] size, int[] strides, int[] low, int[] high, int[] dilations) {
  /**
   * Checks and copies the lists.
   *
   * @throws ShapeException if their lengths differ, or a size, stride or dilation is not positive,
   *     or padding is negative
   */
  public Window {
    int n = size.length;
    Check.shape(
        n >= 1
            && n <= 3
            && strides.length == n
            && low.length == n
            && high.length == n
            && dilations.length == n,
        "window: every list needs one entry for each of 1 to 3 spatial axes: size %s, strides %s,"
            + " low %s, high %s, dilations %s; make them equally long",
        Arrays.toString(size),
        Arrays.toString(strides),
        Arrays.toString(low),
        Arrays.toString(high),
        Arrays.toString(dilations));
    for (int i = 0; i < n; i++) {
      Check.shape(
          size[i] >= 1 && strides[i] >= 1 && dilations[i] >= 1 && low[i] >= 0 && high[i] >= 0,
          "window: sizes, strides and dilations must be positive, padding not negative: size %s,"
              + " strides %s, low %s, high %s, dilations %s; correct them (slice to crop)",
          Arrays.toString(size),
          Arrays.toString(strides),
          Arrays.toString(low),
          Arrays.toString(high),
          Arrays.toString(dilations));
    }
    size = size.clone();
    strides = strides.clone();
    low = low.clone();
    high = high.clone();
    dilations = dilations.clone();
  }

  /** A window of this size that moves by one element, without padding or dilation. */
  public static Window of(int... size) {
    int[] one = new int[size.length];
    Arrays.fill(one, 1);
    int[] zero = new int[size.length];
    return new Window(size, one, zero, zero, one);
  }

  /** The window that a row's settings describe, of this size. */
  public static Window of(Attrs a, int[] size) {
    return new Window(size, a.ints("strides"), a.ints("low"), a.ints("high"), a.ints("dilations"));
  }

  /** Other steps. */
  public Window withStrides(int... strides) {
    return new Window(size, strides, low, high, dilations);
  }

  /** Other distances between the elements of one window. */
  public Window withDilations(int... dilations) {
    return new Window(size, strides, low, high, dilations);
  }

  /** Other padding. */
  public Window withPadding(int[] low, int[] high) {
    return new Window(size, strides, low, high, dilations);
  }

  /**
   * Padding such that there is one window for every {@code stride} elements, the odd element of
   * padding after the last.
   *
   * @param input sizes of the spatial axes
   * @source TensorFlow and JAX, padding "SAME"
   */
  public Window same(int... input) {
    Check.shape(
        input.length == rank(),
        "window: needs one input size a spatial axis: %s for size %s; give %d sizes",
        Arrays.toString(input),
        Arrays.toString(size),
        rank());
    int[] before = new int[rank()];
    int[] after = new int[rank()];
    for (int i = 0; i < rank(); i++) {
      long windows = (input[i] + strides[i] - 1L) / strides[i];
      long needed = (windows - 1) * strides[i] + extent(i);
      int total = Check.size("window", Math.max(0, needed - input[i]));
      before[i] = total / 2;
      after[i] = total - before[i];
    }
    return withPadding(before, after);
  }

  /** Number of spatial axes. */
  public int rank() {
    return size.length;
  }

  /** Elements from the first to the last that a window takes along an axis, both included. */
  public int extent(int axis) {
    return Check.size("window", (size[axis] - 1L) * dilations[axis] + 1);
  }

  /**
   * How many windows there are along each axis.
   *
   * @param who named in the error
   * @param input sizes of the spatial axes
   * @throws ShapeException if a window does not fit into the padded input
   */
  public int[] outputs(String who, int... input) {
    int[] out = new int[rank()];
    for (int i = 0; i < rank(); i++) {
      long padded = (long) input[i] + low[i] + high[i];
      Check.shape(
          extent(i) <= padded,
          "%s: the window must fit into the padded input: size %s with dilations %s on input %s"
              + " with padding %s before and %s after; pad more, or use a smaller window",
          who,
          Arrays.toString(size),
          Arrays.toString(dilations),
          Arrays.toString(input),
          Arrays.toString(low),
          Arrays.toString(high));
      out[i] = Check.size(who, (padded - extent(i)) / strides[i] + 1);
    }
    return out;
  }

  /** The settings of a row: all but the size. */
  public Attrs attrs() {
    return Attrs.of("strides", strides)
        .with("low", low)
        .with("high", high)
        .with("dilations", dilations);
  }

  @Override
  public int[] size() {
    return size.clone();
  }

  @Override
  public int[] strides() {
    return strides.clone();
  }

  @Override
  public int[] low() {
    return low.clone();
  }

  @Override
  public int[] high() {
    return high.clone();
  }

  @Override
  public int[] dilations() {
    return dilations.clone();
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Window w && Arrays.equals(size, w.size) && attrs().equals(w.attrs());
  }

  @Override
  public int hashCode() {
    return toString().hashCode();
  }

  /** For instance {@code size=[3, 3], dilations=[1, 1], high=[1, 1], ...}. */
  @Override
  public String toString() {
    return "size=" + Arrays.toString(size) + ", " + attrs();
  }
}
