package io.fragua.optim;

import static io.fragua.optim.Verb.average;
import static io.fragua.optim.Verb.count;
import static io.fragua.optim.Verb.gathered;
import static io.fragua.optim.Verb.notNegative;
import static io.fragua.optim.Verb.unit;
import static io.fragua.optim.Verb.zeros;

import io.fragua.nn.ParamTree;
import io.fragua.optim.GradientTransform.Update;
import io.fragua.tensor.Tensor;

/**
 * Relatives of {@link Transforms#scaleByAdam}: m is the average of gradients, v of their squares, t
 * the step from 1, as there. State: {@code count}, {@code mu.*}, {@code nu.*} and what is said.
 */
public final class Moments {
  private Moments() {}

  /** What a step of this family makes of the new averages. */
  @FunctionalInterface
  private interface Rule {
    /** Updates; {@code c1} and {@code c2} are 1 - b1^t and 1 - b2^t. */
    ParamTree apply(ParamTree g, ParamTree mu, ParamTree nu, Tensor t, Tensor c1, Tensor c2);
  }

  private static GradientTransform adamLike(
      String who, String text, double b1, double b2, double eps, Rule rule) {
    unit(who, "b1", b1);
    unit(who, "b2", b2);
    notNegative(who, "eps", eps);
    return new Verb(
        text + "(" + b1 + ", " + b2 + ", " + eps + ")",
        p -> count().concat(zeros(p).prefixed("mu.")).concat(zeros(p).prefixed("nu.")),
        (g, s, p) -> {
          Tensor t = s.get("count").add(1);
          ParamTree mu = g.zip(s.under("mu."), (x, m) -> average(b1, m, x));
          ParamTree nu = g.zip(s.under("nu."), (x, v) -> average(b2, v, x.square()));
          ParamTree u = rule.apply(g, mu, nu, t, gathered(b1, t), gathered(b2, t));
          return new Update(
              u, ParamTree.of("count", t).concat(mu.prefixed("mu.")).concat(nu.prefixed("nu.")));
        });
  }

  private static Tensor over(Tensor x, Tensor scalar) {
    return x.div(scalar.cast(x.dtype()));
  }

  /**
   * Adam with Nesterov's look ahead: u = (b1 m / (1 - b1^(t + 1)) + (1 - b1) g / (1 - b1^t)) /
   * (sqrt(v / (1 - b2^t)) + eps).
   *
   * @source Dozat, ICLR workshop 2016; {@code optax.scale_by_adam(nesterov=True)}
   */
  public static GradientTransform scaleByNadam(double b1, double b2, double eps) {
    return adamLike(
        "scale_by_nadam",
        "scaleByNadam",
        b1,
        b2,
        eps,
        (g, mu, nu, t, c1, c2) -> {
          Tensor next = gathered(b1, t.add(1));
          ParamTree m = mu.zip(g, (x, y) -> over(x, next).mul(b1).add(over(y, c1).mul(1 - b1)));
          return m.zip(nu, (x, v) -> x.div(over(v, c2).sqrt().add(eps)));
        });
  }

  /**
   * Adam that trusts its second moments only when they are of enough gradients: with r = 2 / (1 -
   * b2) - 1 and q = r - 2 t b2^t / (1 - b2^t), u = m' sqrt((q - 4) (q - 2) r / ((r - 4) (r - 2) q))
   * / (sqrt(v') + eps) for q of 5 or more, else u = m', where m' = m / (1 - b1^t), v' = v / (1 -
   * b2^t).
   *
   * @param b2 above 2 / 3
   * @source Liu et al., ICLR 2020; {@code optax.scale_by_radam}
   */
  public static GradientTransform scaleByRadam(double b1, double b2, double eps) {
    io.fragua.tensor.Check.that(
        b2 > 2 / 3.0, "scale_by_radam: b2 is above 2 / 3: %s; correct it", b2);
    double r = 2 / (1 - b2) - 1;
    return adamLike(
        "scale_by_radam",
        "scaleByRadam",
        b1,
        b2,
        eps,
        (g, mu, nu, t, c1, c2) -> {
          Tensor q = gatheredLength(b2, r, t);
          Tensor one = Tensor.scalar(t.dtype(), 1);
          Tensor known = q.greaterEqual(one.mul(5));
          Tensor safe = known.select(q, one.mul(5));
          Tensor share = safe.sub(4).mul(safe.sub(2)).div(safe).mul(r / ((r - 4) * (r - 2))).sqrt();
          return mu.zip(
              nu,
              (x, v) -> {
                Tensor m = over(x, c1);
                Tensor full = m.mul(share.cast(x.dtype())).div(over(v, c2).sqrt().add(eps));
                return known.select(full, m);
              });
        });
  }

  /**
   * r - 2 t b2^t / (1 - b2^t). For small t both terms are large and nearly equal, so with x = -t
   * log(b2) a series of x / (e^x - 1) gives their difference.
   */
  private static Tensor gatheredLength(double b2, double r, Tensor t) {
    double rate = -Math.log(b2);
    Tensor x = t.mul(rate);
    Tensor x2 = x.square();
    Tensor series = x2.mul(1 / 30240.0).sub(1 / 720.0).mul(x2).add(1 / 12.0).mul(x2).mul(2 / rate);
    Tensor early = t.sub(series).add(r - 2 / rate);
    Tensor late = t.mul(-2).div(x.minimum(80).expm1()).add(r);
    return x.less(0.5).select(early, late);
  }

  /**
   * Adam that goes far where gradients are as they were expected: v is the average of (g - m)^2,
   * which grows by {@code root} in every step, u = m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps).
   *
   * @source Zhuang et al., NeurIPS 2020; {@code optax.scale_by_belief}
   */
  public static GradientTransform scaleByBelief(double b1, double b2, double eps, double root) {
    unit("scale_by_belief", "b1", b1);
    unit("scale_by_belief", "b2", b2);
    notNegative("scale_by_belief", "eps", eps);
    notNegative("scale_by_belief", "root", root);
    return new Verb(
        "scaleByBelief(" + b1 + ", " + b2 + ", " + eps + ", " + root + ")",
        p -> count().concat(zeros(p).prefixed("mu.")).concat(zeros(p).prefixed("nu.")),
        (g, s, p) -> {
          Tensor t = s.get("count").add(1);
          ParamTree mu = g.zip(s.under("mu."), (x, m) -> average(b1, m, x));
          ParamTree far = g.zip(mu, (x, m) -> x.sub(m).square());
          ParamTree nu = far.zip(s.under("nu."), (x, v) -> average(b2, v, x).add(root));
          Tensor c1 = gathered(b1, t);
          Tensor c2 = gathered(b2, t);
          return new Update(
              mu.zip(nu, (m, v) -> over(m, c1).div(over(v, c2).sqrt().add(eps))),
              ParamTree.of("count", t).concat(mu.prefixed("mu.")).concat(nu.prefixed("nu.")));
        });
  }

  /**
   * Adam whose second moments never shrink: w = max(w, v / (1 - b2^t)), u = m / (1 - b1^t) /
   * (sqrt(w) + eps). Further state: {@code nu_max.*}.
   *
   * @source Reddi et al., ICLR 2018; {@code optax.scale_by_amsgrad}
   */
  public static GradientTransform scaleByAmsgrad(double b1, double b2, double eps) {
    GradientTransform moments =
        adamLike("scale_by_amsgrad", "", b1, b2, eps, (g, mu, nu, t, c1, c2) -> mu);
    return new Verb(
        "scaleByAmsgrad(" + b1 + ", " + b2 + ", " + eps + ")",
        p -> moments.init(p).concat(zeros(p).prefixed("nu_max.")),
        (g, s, p) -> {
          ParamTree next = moments.update(g, s, p).state();
          Tensor t = next.get("count");
          Tensor c1 = gathered(b1, t);
          Tensor c2 = gathered(b2, t);
          ParamTree most =
              next.under("nu.").zip(s.under("nu_max."), (v, w) -> over(v, c2).maximum(w));
          return new Update(
              next.under("mu.").zip(most, (m, w) -> over(m, c1).div(w.sqrt().add(eps))),
              next.concat(most.prefixed("nu_max.")));
        });
  }

  /**
   * m = b1 m + (1 - b1) g; v = max(|g| + eps, b2 v); u = m / (1 - b1^t) / v: Adam by the largest
   * gradient instead of the mean square.
   *
   * @source Kingma and Ba, ICLR 2015, section 7.1; {@code optax.scale_by_adamax}
   */
  public static GradientTransform scaleByAdamax(double b1, double b2, double eps) {
    unit("scale_by_adamax", "b1", b1);
    unit("scale_by_adamax", "b2", b2);
    notNegative("scale_by_adamax", "eps", eps);
    return new Verb(
        "scaleByAdamax(" + b1 + ", " + b2 + ", " + eps + ")",
        p -> count().concat(zeros(p).prefixed("mu.")).concat(zeros(p).prefixed("nu.")),
        (g, s, p) -> {
          Tensor t = s.get("count").add(1);
          Tensor c1 = gathered(b1, t);
          ParamTree mu = g.zip(s.under("mu."), (x, m) -> average(b1, m, x));
          ParamTree nu = g.zip(s.under("nu."), (x, v) -> x.abs().add(eps).maximum(v.mul(b2)));
          return new Update(
              mu.zip(nu, (m, v) -> over(m, c1).div(v)),
              ParamTree.of("count", t).concat(mu.prefixed("mu.")).concat(nu.prefixed("nu.")));
        });
  }

  /**
   * e = rho e + (1 - rho) g^2; u = g sqrt(d + eps) / sqrt(e + eps); d = rho d + (1 - rho) u^2:
   * steps in the units of the parameters. State: {@code e_g.*}, {@code e_x.*}.
   *
   * @param eps above 0, or nothing ever moves; Optax's default is 1e-6
   * @source Zeiler, 2012; {@code optax.scale_by_adadelta}
   */
  public static GradientTransform scaleByAdadelta(double rho, double eps) {
    unit("scale_by_adadelta", "rho", rho);
    notNegative("scale_by_adadelta", "eps", eps);
    return new Verb(
        "scaleByAdadelta(" + rho + ", " + eps + ")",
        p -> zeros(p).prefixed("e_g.").concat(zeros(p).prefixed("e_x.")),
        (g, s, p) -> {
          ParamTree squares = g.zip(s.under("e_g."), (x, e) -> average(rho, e, x.square()));
          ParamTree before = s.under("e_x.");
          ParamTree root = before.zip(squares, (d, e) -> d.add(eps).sqrt().div(e.add(eps).sqrt()));
          ParamTree u = g.zip(root, Tensor::mul);
          ParamTree steps = u.zip(before, (x, d) -> average(rho, d, x.square()));
          return new Update(u, squares.prefixed("e_g.").concat(steps.prefixed("e_x.")));
        });
  }
}
