package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Movement;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.transform.Control;
import java.util.List;

/** Losses of sequences: one number a row. */
public final class SequenceLosses {
  /** The logarithm of a probability that counts as none: finite, so that gradients are. */
  private static final double NONE = -1e5;

  private SequenceLosses() {}

  /**
   * Connectionist temporal classification: -log of the probability that a label sequence is what
   * remains of the frames' classes when repetitions, then blanks are dropped. All alignments are
   * summed, frame by frame in one loop.
   *
   * @param logits [B, T, K], class 0 being the blank
   * @param logitLengths i32 [B], how many frames of each row are real; null if all are
   * @param labels i32 [B, N], from 1 to K - 1; what is behind the length does not matter
   * @param labelLengths i32 [B], how many labels of each row are real; null if all are
   * @return [B]; about 1e5 for a row whose labels do not fit into its frames, infinity in f16
   * @throws IndexOutOfBoundsException when computed, if a label lies outside of [0, K) or a length
   *     outside of what it counts
   * @throws io.fragua.tensor.ShapeException if the types do not fit
   * @source Graves et al., ICML 2006; Optax {@code ctc_loss}
   */
  public static Tensor ctc(Tensor logits, Tensor logitLengths, Tensor labels, Tensor labelLengths) {
    check(logits, logitLengths, labels, labelLengths);
    int t = logits.shape().dim(1);
    Tensor frames = inside(logits, logitLengths, t);
    Tensor counts = inside(logits, labelLengths, labels.shape().dim(1));
    DType wide = logits.dtype().wide(); // half types hold no sums of logarithms, f16 not even NONE
    Tensor states = withBlanks(real(labels.lift(logits), counts, logits.shape().dim(2)));
    Shape s = states.shape(); // [B, 2 N + 1]
    Tensor emitted = emitted(logits.cast(wide).logSoftmax(2), states);
    // a label follows the one before without a blank between, if they differ
    Tensor before = shifted(states, 2, -1);
    Tensor skips = states.notEqual(before).and(states.greater(Tensor.scalar(DType.I32, 0)));
    Tensor none = Tensor.scalar(wide, NONE);
    Tensor start =
        states
            .iotaLike(DType.I32, s, 1)
            .equal(Tensor.scalar(DType.I32, 0))
            .lift(logits)
            .select(Tensor.scalar(wide, 0), none);
    Tensor frame = states.iotaLike(DType.I32, Shape.of(t, s.dim(0)), 0);
    Tensor real =
        frames == null ? frame.greaterEqual(Tensor.scalar(DType.I32, 0)) : frame.less(frames);
    Control.Step step =
        (carry, x) -> {
          Tensor a = carry.get(0);
          Tensor skipped = skips.select(shifted(a, 2, NONE), none);
          Tensor next = sum(a, shifted(a, 1, NONE), skipped).add(x.get(0));
          Tensor on = x.get(1).expandDims(1).broadcastTo(s);
          return new Control.Scan(List.of(on.select(next, a)), List.of());
        };
    Tensor last = Control.scan(step, List.of(start), List.of(emitted, real)).carry().get(0);
    return ended(last, counts).neg().cast(logits.dtype());
  }

  /**
   * As {@link #ctc(Tensor, Tensor, Tensor, Tensor)}, with another class as the blank.
   *
   * @param labels i32 [B, N], from 0 to K - 1 without the blank; what is behind the length does not
   *     matter
   * @param blank in [0, K); Optax's and PyTorch's default is 0, TensorFlow's is K - 1
   */
  public static Tensor ctc(
      Tensor logits, Tensor logitLengths, Tensor labels, Tensor labelLengths, int blank) {
    check(logits, logitLengths, labels, labelLengths);
    int k = logits.shape().dim(2);
    Check.that(
        blank >= 0 && blank < k, "ctc: the blank is one of %d classes: %d; correct it", k, blank);
    if (blank == 0) {
      return ctc(logits, logitLengths, labels, labelLengths);
    }
    // the blank goes before all others; what lies outside of the classes stays there
    Tensor moved =
        Movement.concat(
            2,
            List.of(
                logits.slice(2, blank, blank + 1),
                logits.slice(2, 0, blank),
                logits.slice(2, blank + 1, k)));
    Tensor l = labels.lift(logits);
    Tensor zero = Tensor.scalar(DType.I32, 0);
    Tensor at = Tensor.scalar(DType.I32, blank);
    Tensor before = l.less(at).and(l.greaterEqual(zero));
    Tensor renamed = l.equal(at).select(zero, before.select(l.add(1), l));
    return ctc(moved, logitLengths, renamed, labelLengths);
  }

  private static void check(
      Tensor logits, Tensor logitLengths, Tensor labels, Tensor labelLengths) {
    Shape x = logits.shape();
    Check.shape(
        x.rank() == 3 && logits.dtype().isFloating() && x.dim(2) > 0,
        "ctc: logits must be floating [B, T, K]: %s; reshape or cast them",
        logits.type());
    Check.shape(
        labels.dtype() == DType.I32
            && labels.shape().rank() == 2
            && labels.shape().dim(0) == x.dim(0),
        "ctc: labels must be i32 [B, N]: %s for logits %s; cast or reshape them",
        labels.type(),
        logits.type());
    for (Tensor n : new Tensor[] {logitLengths, labelLengths}) {
      Check.shape(
          n == null || n.dtype() == DType.I32 && n.shape().equals(Shape.of(x.dim(0))),
          "ctc: lengths must be i32 [B]: %s for logits %s; cast or reshape them",
          n == null ? null : n.type(),
          logits.type());
    }
  }

  /** These lengths, checked; null if there are none. */
  private static Tensor inside(Tensor logits, Tensor lengths, int most) {
    return lengths == null ? null : Inside.of("ctc", "length", lengths.lift(logits), most + 1);
  }

  /** The labels, checked, with blanks behind their length. */
  private static Tensor real(Tensor labels, Tensor labelLengths, int classes) {
    if (labelLengths == null) {
      return Inside.of("ctc", "label", labels, classes);
    }
    Tensor at = labels.iotaLike(DType.I32, labels.shape(), 1);
    Tensor inside = at.less(labelLengths.lift(labels).expandDims(1));
    Tensor looked = inside.select(labels, Tensor.scalar(DType.I32, 0));
    return Inside.of("ctc", "label", looked, classes);
  }

  /** blank, label, blank, label, ..., blank. */
  private static Tensor withBlanks(Tensor labels) {
    int b = labels.shape().dim(0);
    int n = labels.shape().dim(1);
    Tensor zero = Tensor.scalar(DType.I32, 0).lift(labels);
    Tensor blanks = zero.broadcastTo(Shape.of(b, n, 1));
    Tensor pairs = Movement.concat(2, List.of(blanks, labels.expandDims(2)));
    Tensor end = zero.broadcastTo(Shape.of(b, 1));
    return Movement.concat(1, List.of(pairs.reshape(b, 2 * n), end));
  }

  /** [T, B, S] from logarithms [B, T, K] of probabilities: those of the states' classes. */
  private static Tensor emitted(Tensor log, Tensor states) {
    Shape x = log.shape();
    Tensor table = log.transpose(0, 2, 1).reshape(x.dim(0) * x.dim(2), x.dim(1));
    Tensor row = states.iotaLike(DType.I32, states.shape(), 0);
    Tensor at = row.mul(Tensor.scalar(DType.I32, x.dim(2))).add(states);
    return table.gather(at).transpose(2, 0, 1);
  }

  /** The states so many further on, {@code value} taking the first places. */
  private static Tensor shifted(Tensor a, int by, double value) {
    int n = a.shape().dim(1);
    return a.pad(1, by, 0, value).slice(1, 0, n);
  }

  /** log(exp(a) + exp(b) + exp(c)). */
  private static Tensor sum(Tensor a, Tensor b, Tensor c) {
    Tensor max = a.maximum(b).maximum(c).stopGradient(); // its gradients cancel
    Tensor exps = a.sub(max).exp().add(b.sub(max).exp()).add(c.sub(max).exp());
    return exps.log().add(max);
  }

  /** Of the alignments that end in the last label or the blank behind it. */
  private static Tensor ended(Tensor last, Tensor labelLengths) {
    Shape s = last.shape();
    Tensor end =
        labelLengths == null
            ? Tensor.scalar(DType.I32, s.dim(1) - 1).lift(last).broadcastTo(s)
            : labelLengths.lift(last).mul(Tensor.scalar(DType.I32, 2)).expandDims(1).broadcastTo(s);
    Tensor state = last.iotaLike(DType.I32, s, 1);
    Tensor one = Tensor.scalar(DType.I32, 1);
    Tensor ends = state.equal(end).or(state.equal(end.sub(one)));
    Tensor of = ends.select(last, Tensor.scalar(last.dtype(), NONE));
    Tensor max = of.max(1).stopGradient();
    return of.sub(max.expandDims(1)).exp().sum(1).log().add(max);
  }
}
