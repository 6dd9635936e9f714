package io.fragua.cpu;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Window;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * A convolution as oneDNN describes it: logical axes [N, C, spatial...] and [G, O, I, spatial...],
 * with strides that say that channels are last. So nothing is transposed.
 */
final class ConvShape {
  final Shape input;
  final Shape kernel;
  final Shape output;
  final Window window;
  private final int groups;

  private ConvShape(Attrs a, Shape input, Shape kernel, Shape output) {
    this(
        input,
        kernel,
        output,
        Window.of(a, kernel.slice(0, kernel.rank() - 2).dims()),
        a.integer("groups"));
  }

  private ConvShape(Shape input, Shape kernel, Shape output, Window window, int groups) {
    this.input = input;
    this.kernel = kernel;
    this.output = output;
    this.window = window;
    this.groups = groups;
  }

  /** Of a convolution, or of one of its gradients. */
  static ConvShape of(Value v) {
    Shape a = v.args.get(0).shape();
    Shape b = v.args.get(1).shape();
    return switch (v.op.name()) {
      case "conv" -> new ConvShape(v.attrs, a, b, v.shape());
      case "conv_input_grad" -> new ConvShape(v.attrs, v.shape(), b, a);
      default -> new ConvShape(v.attrs, a, v.shape(), b);
    };
  }

  int images() {
    return input.dim(0);
  }

  /** The same of so many images. */
  ConvShape images(int n) {
    Shape images = Shape.of(n);
    return new ConvShape(
        images.concat(input.slice(1, input.rank())),
        kernel,
        images.concat(output.slice(1, output.rank())),
        window,
        groups);
  }

  /** Sizes of an image. */
  static long[] dims(Shape image) {
    return firstChannels(LongStream.of(longs(image.dims())).toArray());
  }

  /** Strides of an image. */
  static long[] strides(Shape image) {
    return firstChannels(image.strides());
  }

  private static long[] firstChannels(long[] v) {
    long[] out = new long[v.length];
    out[0] = v[0];
    out[1] = v[v.length - 1];
    System.arraycopy(v, 1, out, 2, v.length - 2);
    return out;
  }

  long[] kernelDims() {
    long in = kernel.dim(-2);
    long out = kernel.dim(-1);
    return kernel(groups, out / groups, in, longs(window.size()));
  }

  long[] kernelStrides() {
    long[] s = kernel.strides();
    int r = window.rank();
    return kernel(kernel.dim(-1) / groups, 1, s[r], Arrays.copyOf(s, r));
  }

  private long[] kernel(long group, long out, long in, long[] spatial) {
    LongStream head = groups == 1 ? LongStream.of(out, in) : LongStream.of(group, out, in);
    return LongStream.concat(head, LongStream.of(spatial)).toArray();
  }

  long[] windowStrides() {
    return longs(window.strides());
  }

  /** oneDNN counts the gaps, not the distances. */
  long[] gaps() {
    return LongStream.of(longs(window.dilations())).map(d -> d - 1).toArray();
  }

  long[] low() {
    return longs(window.low());
  }

  /**
   * Padding after the last element as far as windows reach: oneDNN wants no element left over. May
   * be negative.
   */
  long[] high() {
    int[] out = output.slice(1, output.rank() - 1).dims();
    return IntStream.range(0, out.length)
        .mapToLong(
            i ->
                (out[i] - 1L) * window.strides()[i]
                    + window.extent(i)
                    - input.dim(1 + i)
                    - window.low()[i])
        .toArray();
  }

  private static long[] longs(int[] v) {
    return Arrays.stream(v).asLongStream().toArray();
  }

  double flops() {
    return 2.0 * output.size() * kernel.size() / Math.max(1, kernel.dim(-1));
  }

  @Override
  public String toString() {
    return input + " by " + kernel + (groups == 1 ? "" : " in " + groups + " groups");
  }
}
