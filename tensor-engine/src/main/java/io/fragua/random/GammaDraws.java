package io.fragua.random;

import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.transform.Control;
import io.fragua.transform.CustomVjp;
import io.fragua.transform.Fn;
import java.util.List;

/**
 * Gamma numbers by rejection: (1 + c x)^3 d, with x normal, has nearly the wanted density, and is
 * drawn again until a uniform number u accepts it. Each element has keys of its own, so that it
 * does not depend on how often others are drawn again; all are drawn in each step of the loop, and
 * those that are accepted stay as they are.
 */
final class GammaDraws {
  /** What one step leaves: keys, x^2, v = (1 + c x)^3, u. */
  private record State(Keys keys, Tensor x2, Tensor v, Tensor u) {
    static State of(List<Tensor> t) {
      return new State(new Keys(t.get(0), t.get(1)), t.get(2), t.get(3), t.get(4));
    }

    List<Tensor> tensors() {
      return List.of(keys.high(), keys.low(), x2, v, u);
    }

    /** Which elements have not been accepted yet. */
    Tensor rejected(Tensor d) {
      Tensor one = Random.filled(x2, 1);
      Tensor quick = u.greaterEqual(one.sub(x2.square().mul(0.0331)));
      Tensor bound = x2.mul(0.5).add(d.mul(one.sub(v).add(v.log())));
      return quick.and(u.log().greaterEqual(bound));
    }
  }

  private GammaDraws() {}

  /**
   * Numbers, or their logarithms, with the gradient of numbers that keep their probability.
   *
   * @param alpha f32, of the shape to draw
   */
  static Tensor draw(Key key, Tensor alpha, boolean log) {
    Tensor a = alpha.lift(key.tensor());
    Shape shape = a.shape();
    int n = Random.count(shape);
    Keys keys = Keys.of(key.lift(a), n);
    Tensor y = draws(keys, a.detach().reshape(n), log).reshape(shape.dims());
    Fn number = in -> List.of(in.get(1));
    return CustomVjp.customVjp(
            number,
            (in, g) -> {
              Tensor slope = slope(in.get(0), in.get(1), log);
              return List.of(g.get(0).mul(slope), Random.filled(in.get(1), 0));
            })
        .call(a, y);
  }

  /** A number that underflowed stays 0. */
  private static Tensor slope(Tensor a, Tensor y, boolean log) {
    if (log) {
      return a.randomLoggammaGrad(y);
    }
    Tensor zero = Random.filled(y, 0);
    return y.greater(zero).select(y.mul(a.randomLoggammaGrad(y.log())), zero);
  }

  private static Tensor draws(Keys keys, Tensor a, boolean log) {
    // Below 1 a number of alpha + 1 is drawn and made smaller by a power of a uniform number.
    Tensor small = a.less(1);
    Tensor d = small.select(a.add(1), a).sub(1f / 3);
    Tensor c = Random.filled(d, 1f / 3).div(d.sqrt());
    Tensor zero = Random.filled(a, 0);
    Tensor one = Random.filled(a, 1);
    State start = new State(keys.child(0), zero, one, Random.filled(a, 2)); // which is rejected
    State end =
        State.of(
            Control.whileLoop(
                s -> List.of(State.of(s).rejected(d).any()),
                s -> step(State.of(s), d, c).tensors(),
                start.tensors()));
    Tensor u = Random.unit(keys.child(1).bits());
    Tensor valid = a.greaterEqual(zero);
    Tensor nan = Random.filled(a, Double.NaN);
    if (!log) {
      Tensor power = small.select(one.sub(u).pow(one.div(a)), one);
      return valid.select(d.mul(end.v()).mul(power), nan);
    }
    Tensor e = u.neg().log1p();
    Tensor power = small.and(e.less(0)).select(e.mul(one.div(a)), zero);
    return valid.select(d.log().add(end.v().log()).add(power), nan);
  }

  private static State step(State s, Tensor d, Tensor c) {
    Tensor rejected = s.rejected(d);
    List<Tensor> x = positive(s.keys().child(1), rejected, c);
    Tensor v = x.get(1).mul(x.get(1)).mul(x.get(1));
    Keys next = s.keys().child(0);
    return new State(
        new Keys(
            rejected.select(next.high(), s.keys().high()),
            rejected.select(next.low(), s.keys().low())),
        rejected.select(x.get(0).square(), s.x2()),
        rejected.select(v, s.v()),
        rejected.select(Random.unit(s.keys().child(2).bits()), s.u()));
  }

  /** Normal x for which 1 + c x is above 0, and that. */
  private static List<Tensor> positive(Keys keys, Tensor wanted, Tensor c) {
    Tensor one = Random.filled(c, 1);
    return Control.whileLoop(
            s -> List.of(again(s.get(3)).any()),
            s -> {
              Tensor again = again(s.get(3));
              Keys k = new Keys(s.get(0), s.get(1));
              Tensor x = Random.normal(k.child(1).bits());
              Keys next = k.child(0);
              return List.of(
                  again.select(next.high(), k.high()),
                  again.select(next.low(), k.low()),
                  again.select(x, s.get(2)),
                  again.select(x.mul(c).add(1), s.get(3)));
            },
            List.of(keys.high(), keys.low(), one, wanted.select(one.neg(), one)))
        .subList(2, 4);
  }

  private static Tensor again(Tensor v) {
    return v.lessEqual(Random.filled(v, 0));
  }
}
