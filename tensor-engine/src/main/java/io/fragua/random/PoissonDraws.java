package io.fragua.random;

import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.transform.Control;
import java.util.List;

/** Poisson numbers: small rates by multiplying uniform numbers, large ones by rejection. */
final class PoissonDraws {
  private static final double LARGE = 10;

  private PoissonDraws() {}

  /**
   * Draws them.
   *
   * @param lambda f32, of the shape to draw
   */
  static Tensor draw(Key key, Tensor lambda) {
    Tensor l = lambda.lift(key.tensor()).detach();
    Key k = key.lift(l);
    Tensor large = l.greaterEqual(Random.filled(l, LARGE));
    Tensor small = multiplied(k, large.select(Random.filled(l, 0), l));
    Tensor number = large.select(rejected(k, l, large), small);
    return l.equal(Random.filled(l, 0)).select(number.mul(0), number);
  }

  /** As many uniform numbers as can be multiplied before the product falls below e^-lambda. */
  private static Tensor multiplied(Key key, Tensor l) {
    Tensor none = Tensor.scalar(DType.I32, 0).lift(l).broadcastTo(l.shape());
    return Control.whileLoop(
            s -> List.of(s.get(2).greater(l.neg()).any()),
            s -> {
              List<Key> two = new Key(s.get(0)).split(2);
              Tensor more = s.get(2).greater(l.neg());
              Tensor u = Random.uniform(two.get(1), l.shape());
              return List.of(
                  two.get(0).tensor(), s.get(1).add(more.cast(DType.I32)), s.get(2).add(u.log()));
            },
            List.of(key.tensor(), none, Random.filled(l, 0)))
        .get(1)
        .sub(1);
  }

  /** A uniform number stretched to nearly the wanted density, drawn again until it is accepted. */
  private static Tensor rejected(Key key, Tensor lambda, Tensor wanted) {
    Tensor l =
        wanted.select(lambda, Random.filled(lambda, LARGE)); // what is not drawn must not be NaN
    Tensor b = l.sqrt().mul(2.53).add(0.931);
    Tensor a = b.mul(0.02483).sub(0.059);
    Tensor inverse = Random.filled(l, 1.1328).div(b.sub(3.4)).add(1.1239);
    Tensor sure = Random.filled(l, 0.9277).sub(Random.filled(l, 3.6224).div(b.sub(2)));
    Tensor log = l.log();
    Shape shape = l.shape();
    return Control.whileLoop(
            s -> List.of(s.get(2).any()),
            s -> {
              List<Key> three = new Key(s.get(0)).split(3);
              Tensor u = Random.uniform(three.get(1), shape).sub(0.5);
              Tensor v = Random.uniform(three.get(2), shape);
              Tensor far = Random.filled(u, 0.5).sub(u.abs());
              Tensor k = a.mul(2).div(far).add(b).mul(u).add(l).add(0.43).floor();
              Tensor density = k.mul(log).sub(l).sub(k.add(1).lgamma());
              Tensor ratio = v.mul(inverse).div(a.div(far.square()).add(b)).log();
              Tensor never = k.less(0).or(far.less(0.013).and(v.greater(far)));
              Tensor accepted =
                  far.greaterEqual(Random.filled(l, 0.07))
                      .and(v.lessEqual(sure))
                      .or(never.not().and(ratio.lessEqual(density)));
              Tensor taken = s.get(2).and(accepted);
              return List.of(
                  three.get(0).tensor(), taken.select(k, s.get(1)), s.get(2).and(accepted.not()));
            },
            List.of(key.tensor(), Random.filled(l, 0), wanted))
        .get(1)
        .cast(DType.I32);
  }
}
