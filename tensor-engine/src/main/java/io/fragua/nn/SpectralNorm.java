package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;

/**
 * The layer with each kernel W replaced by W / sigma, where sigma is W's largest singular value: no
 * change of the input is made longer by the kernel. A kernel of several axes counts as the matrix
 * [..., last axis]; parameters of fewer than two axes stay as they are.
 *
 * <p>Sigma is estimated by power iteration, v = normalised(u W'), u = normalised(v W), sigma = v W
 * u', from the u of the application before, so that one step each time is enough. No gradient goes
 * through u and v. They move on in training and stay otherwise.
 *
 * <p>Shapes and parameters: the layer's. State: {@code <kernel>_u} [1, out], normal at first, and
 * {@code <kernel>_sigma} [], 1 at first, beside each kernel.
 *
 * @param layer what has kernels
 * @param steps of the power iteration at each application, at least 1
 * @param epsilon added to squared lengths, not negative
 * @source Miyato et al., ICLR 2018; Flax {@code SpectralNorm}
 */
public record SpectralNorm(Layer layer, int steps, double epsilon) implements Layer {
  /** Checks the settings. */
  public SpectralNorm {
    Settings.given("spectral_norm", "a layer", layer);
    Check.that(steps >= 1, "spectral_norm: needs at least one step: %d; correct it", steps);
    Settings.epsilon("spectral_norm", epsilon);
  }

  /** With one step and epsilon 1e-12. */
  public SpectralNorm(Layer layer) {
    this(layer, 1, 1e-12);
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    return layer.apply(s.changed(this::normalised), x);
  }

  private Tensor normalised(Scope s, String name, Tensor w) {
    if (w.shape().rank() < 2) {
      return w;
    }
    int out = w.shape().dim(-1);
    Tensor matrix = w.reshape((int) w.shape().without(w.shape().rank() - 1).size(), out);
    Tensor u = s.state(name + "_u", Shape.of(1, out), Initializers.normal(1));
    s.state(name + "_sigma", Shape.of(), 1);
    Tensor v = null;
    for (int i = 0; i < steps; i++) {
      v = WeightNorm.unit(u.matmul(matrix.transpose()), epsilon, 1);
      Tensor next = WeightNorm.unit(v.matmul(matrix), epsilon, 1);
      // A kernel of zeros has no direction, and from none there would be no way back.
      u = next.square().sum().greater(0).broadcastTo(u.shape()).select(next, u);
    }
    u = u.stopGradient();
    Tensor sigma = v.stopGradient().matmul(matrix).mul(u).sum();
    if (s.training()) {
      s.update(name + "_u", u);
      s.update(name + "_sigma", sigma.stopGradient());
    }
    Tensor one = Tensor.scalar(w.dtype(), 1);
    return w.div(sigma.equal(Tensor.scalar(w.dtype(), 0)).select(one, sigma));
  }

  @Override
  public String toString() {
    return "SpectralNorm(" + layer + ", " + steps + ")";
  }
}
