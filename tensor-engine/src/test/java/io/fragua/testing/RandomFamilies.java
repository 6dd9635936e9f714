package io.fragua.testing;

import io.fragua.nn.Activations;
import io.fragua.tensor.DType;
import io.fragua.tensor.Movement;
import io.fragua.tensor.Scatter;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.Window;
import io.fragua.testing.RandomProgram.Value;
import io.fragua.transform.Control;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Steps of a {@link RandomProgram} by rows with kernels of their own: order, running sums, writes
 * by index, products of batches, windows, loops, half types. Each gives null where its operand does
 * not suit it.
 */
final class RandomFamilies {
  private static final DType[] HALVES = {DType.BF16, DType.F16};

  private final Random random;

  RandomFamilies(Random random) {
    this.random = random;
  }

  private int axis(Tensor t) {
    return random.nextInt(t.shape().rank());
  }

  /** A step along an axis. */
  Value along(Value v) {
    Tensor t = v.t();
    if (t.shape().rank() == 0) {
      return null;
    }
    int axis = axis(t);
    int n = t.shape().dim(axis);
    boolean reverse = random.nextBoolean();
    double m = v.most();
    double e = v.error();
    return switch (random.nextInt(12)) {
      case 0 -> new Value(t.sort(axis, reverse), m, e);
      case 1 -> new Value(t.topK(random.nextInt(n + 1), axis).values(), m, e);
      case 2 -> new Value(t.cumsum(axis, reverse), n * m, n * e + RandomProgram.added(n) * m);
      case 3 -> new Value(t.cummax(axis, reverse), m, e);
      case 4 -> new Value(t.cummin(axis, reverse), m, e);
      case 5 -> m > 1 ? null : new Value(t.cumprod(axis, reverse), 1, n * (e + 2));
      case 6 ->
          m > 30 || n == 0
              ? null
              : new Value(t.logSumExp(axis), m + Math.log(n), e + 4 * (m + n) + 16);
      case 7 -> new Value(t.roll(random.nextInt(7) - 3, axis), m, e);
      case 8 -> new Value(t.repeat(1 + random.nextInt(3), axis), m, e);
      case 9 -> t.shape().rank() < 2 ? null : new Value(t.tril(random.nextInt(5) - 2), m, e);
      case 10 ->
          n == 0
              ? null
              : new Value(t.var(0, axis), 4 * m * m, 8 * m * (e + RandomProgram.added(n) * m) + 8);
      default ->
          n == 0 ? null : new Value(t.mean(axis), m, e + RandomProgram.added(n) * m / n + 2 * m);
    };
  }

  /** Positions along an axis, which only an exact value decides alike everywhere. */
  Value places(Value v) {
    Tensor t = v.t();
    if (!v.exact() || t.shape().rank() == 0) {
      return null;
    }
    int axis = axis(t);
    int n = t.shape().dim(axis);
    return switch (random.nextInt(4)) {
      case 0 -> new Value(t.argsort(axis, random.nextBoolean()), n, 0);
      case 1 -> new Value(t.topK(random.nextInt(n + 1), axis).indices(), n, 0);
      case 2 -> n == 0 ? null : new Value(t.argmin(axis), n, 0);
      default -> {
        Tensor sorted = t.reshape(-1).sort(0);
        yield new Value(sorted.searchSorted(t, random.nextBoolean()), sorted.shape().size(), 0);
      }
    };
  }

  /** Reads and writes where integers say. */
  Value indexed(Value v, Tensor ids) {
    Tensor t = v.t();
    if (t.shape().rank() == 0) {
      return null;
    }
    int axis = axis(t);
    int n = t.shape().dim(axis);
    Tensor start = ids.shape().size() == 0 ? ids.sum() : ids.reshape(-1).slice(0, 0, 1).sum();
    int size = random.nextInt(n + 1);
    double m = v.most();
    double e = v.error();
    switch (random.nextInt(4)) {
      case 0:
        return new Value(t.dynamicSlice(axis, start, size), m, e);
      case 1:
        Tensor piece = t.slice(axis, 0, size).mul(0.5);
        return new Value(t.dynamicUpdateSlice(axis, start, piece), m, e);
      case 2:
        if (n == 0 || !v.exact()) {
          return null;
        }
        return new Value(t.takeAlongAxis(t.argsort(axis), axis), m, e);
      default:
        int rows = t.shape().dim(0);
        if (rows == 0) {
          return null;
        }
        Tensor at = ids.maximum(0).minimum(rows - 1);
        Tensor updates = t.gather(at).mul(0.5);
        Scatter[] modes = {Scatter.SET, Scatter.MIN, Scatter.MAX};
        return new Value(t.scatter(modes[random.nextInt(3)], at, updates), m, e);
    }
  }

  /** So many elements, again and again those there are. */
  private static Tensor elements(Tensor t, int... dims) {
    int size = (int) Shape.of(dims).size();
    Tensor flat = t.reshape(-1);
    int there = (int) flat.shape().size();
    if (there < size) {
      flat = Movement.concat(0, Collections.nCopies(size / there + 1, flat));
    }
    return flat.slice(0, 0, size).reshape(dims);
  }

  /** Products of batches of matrices that are parts of others; heads may become features. */
  Value batches(Value a, Value b) {
    if (a.t().shape().size() == 0 || b.t().shape().size() == 0) {
      return null;
    }
    int[] s = random.ints(5, 1, 6).toArray();
    int k = s[3];
    Tensor y = part(a.t(), s[0], s[1], s[2], k).matmul(part(b.t(), s[0], s[1], k, s[4]));
    if (random.nextInt(3) > 0) {
      y = y.transpose(0, 2, 1, 3);
      y =
          switch (random.nextInt(3)) {
            case 0 -> y.reshape(s[0], s[2], s[1] * s[4]);
            case 1 -> y.reshape(s[0] * s[2], s[1] * s[4]);
            default -> y.reshape(s[0] * s[2], s[1], s[4]);
          };
    }
    Value v = sum(y, k, a.most() * b.most(), a.error() * b.most() + b.error() * a.most());
    double m = v.most();
    double e = v.error();
    return switch (random.nextInt(6)) {
      case 0 -> new Value(y.mul(0.5), m, e + m);
      case 1 -> new Value(y.tanh(), 1, e + 4);
      case 2 -> new Value(y.logistic(), 1, e + 4);
      case 3 -> new Value(Activations.gelu(y), m, 2 * e + 8 * m + 8);
      case 4 ->
          new Value(
              y.add(elements(b.t(), y.shape().dim(-1))),
              m + b.most(),
              e + b.error() + m + b.most());
      default -> v;
    };
  }

  /** A tensor of this shape: some lines of a larger one, whose axes may lie in another order. */
  private Tensor part(Tensor t, int... dims) {
    int axis = random.nextInt(dims.length);
    int step = 1 + random.nextInt(3);
    int from = random.nextInt(2);
    int limit = from + (dims[axis] - 1) * step + 1;
    int[] whole = dims.clone();
    whole[axis] = limit + random.nextInt(2);
    boolean turned = random.nextInt(3) == 0; // the last two axes
    if (turned) {
      int last = whole.length - 1;
      int rows = whole[last - 1];
      whole[last - 1] = whole[last];
      whole[last] = rows;
    }
    Tensor x = elements(t, whole);
    return (turned ? x.transpose() : x).slice(axis, from, limit, step);
  }

  /** Convolutions, their gradients, pools and resizing of one or two axes. */
  Value windows(Value a, Value b) {
    if (a.t().shape().size() == 0 || b.t().shape().size() == 0) {
      return null;
    }
    int spatial = 1 + random.nextInt(2);
    int[] sides = random.ints(spatial, 3, 10).toArray();
    int[] size = random.ints(spatial, 1, 4).toArray();
    int whole = random.nextInt(2 * spatial); // a window may be as long as an axis
    if (whole < spatial) {
      size[whole] = sides[whole];
    }
    int groups = 1 + random.nextInt(2);
    int channels = groups * (random.nextInt(4) == 0 ? 1 : 1 + random.nextInt(9));
    int features = groups * (1 + random.nextInt(9));
    Window w =
        Window.of(size)
            .withStrides(random.ints(spatial, 1, 5).toArray())
            .withPadding(padding(size), padding(size));
    Tensor x = elements(a.t(), dims(1 + random.nextInt(3), sides, channels));
    double taps = Shape.of(size).size();
    double m = a.most();
    double e = a.error();
    double products = m * b.most();
    double errors = e * b.most() + b.error() * m;
    int kind = random.nextInt(8);
    if (kind < 3) {
      Tensor k = elements(b.t(), dims(size, channels / groups, features));
      Tensor y = x.conv(k, w, groups);
      double n = taps * channels / groups;
      Value forward = sum(y, n, products, errors);
      if (kind == 0) {
        return forward;
      }
      // The gradients as functions of other operands of the right shapes.
      Tensor g = elements(b.t(), y.shape().dims());
      if (kind == 1) {
        Tensor other = elements(a.t(), k.shape().dims());
        return sum(
            g.convInputGrad(other, sides, w, groups), taps * features / groups, products, errors);
      }
      double places = (double) y.shape().size() / features;
      return sum(x.convKernelGrad(g, w, groups), places, products, errors);
    }
    return switch (kind) {
      case 3 -> sum(x.sumPool(w), taps, m, e);
      case 4 -> new Value(x.maxPool(Window.of(size)), m, e);
      case 5 -> new Value(x.avgPool(Window.of(size), false), m, e + 2 * taps * m);
      case 6 -> new Value(x.resizeNearest(random.ints(spatial, 1, 12).toArray()), m, e);
      default ->
          new Value(
              x.resizeLinear(random.nextBoolean(), random.ints(spatial, 1, 12).toArray()),
              m,
              2 * e + 64 * m);
    };
  }

  /** Less than a window, so that none lies outside. */
  private int[] padding(int[] size) {
    return IntStream.of(size).map(random::nextInt).toArray();
  }

  private static Value sum(Tensor t, double terms, double most, double error) {
    double n = Math.max(1, terms);
    return new Value(t, n * most, n * error + RandomProgram.added(n) * most + 1);
  }

  private static int[] dims(int first, int[] middle, int last) {
    return Shape.of(first).concat(Shape.of(middle)).concat(Shape.of(last)).dims();
  }

  private static int[] dims(int[] spatial, int in, int out) {
    return Shape.of(spatial).concat(Shape.of(in, out)).dims();
  }

  /** A loop or a branch. */
  Value loop(Value v, Tensor condition) {
    Tensor t = v.t();
    double m = v.most();
    double e = v.error();
    switch (random.nextInt(4)) {
      case 0:
        Tensor yes = condition.shape().rank() == 0 ? condition : condition.any();
        return new Value(
            Control.cond(yes, x -> List.of(x.get(0).neg()), x -> List.of(x.get(0).mul(0.5)), t)
                .get(0),
            m,
            e);
      case 1:
        int times = random.nextInt(4);
        return new Value(
            Control.foriLoop(
                    0,
                    times,
                    (i, x) -> List.of(x.get(0).mul(0.5).add(i.cast(t.dtype()))),
                    List.of(t))
                .get(0),
            m + times,
            e + 4 * times * (m + times));
      default:
        if (t.shape().rank() == 0) {
          return null;
        }
        int n = t.shape().dim(0);
        Tensor zero = Tensor.zeros(t.dtype(), t.shape().slice(1, t.shape().rank()).dims());
        Control.Scan all =
            Control.scan(
                (carry, x) -> {
                  Tensor next = carry.get(0).mul(0.5).add(x.get(0));
                  return new Control.Scan(List.of(next), List.of(next.neg()));
                },
                List.of(zero),
                List.of(t),
                n,
                random.nextBoolean());
        return new Value(
            random.nextBoolean() ? all.ys().get(0) : all.carry().get(0), 2 * m, 2 * e + 8 * m);
    }
  }

  /** Through 16 bits and back: every step rounds, so that an exact value stays one. */
  Value half(Value v) {
    if (!v.exact() || v.most() > 100) {
      return null;
    }
    DType h = HALVES[random.nextInt(HALVES.length)];
    Tensor t = v.t().cast(h);
    Tensor r =
        switch (random.nextInt(5)) {
          case 0 -> t;
          case 1 -> t.add(t.mul(0.375));
          case 2 -> t.maximum(Tensor.scalar(h, 0.5)).neg();
          case 3 -> t.div(t.abs().add(1));
          default -> t.shape().rank() == 0 ? t.square() : t.sort(axis(t));
        };
    return new Value(r.cast(v.t().dtype()), 2 * v.most() * Math.max(1, v.most()), 0);
  }
}
