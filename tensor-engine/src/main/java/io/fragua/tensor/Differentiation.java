package io.fragua.tensor;

/**
 * Eager gradients, as in PyTorch: operations on a tensor that requires a gradient are remembered by
 * their results, and {@link #backward()} walks back from a number to all such tensors. The
 * derivatives are those of the op table, as in {@code Grad.grad}; that one is for functions, can be
 * compiled and applied again to its own result, this one is for code that runs line by line.
 *
 * <p>What is remembered belongs to the results: when they are garbage, it is. There is no state
 * beside that, so threads may go back from numbers of their own at the same time, also to the same
 * tensors, whose gradients are then added up.
 *
 * @source PyTorch {@code torch.autograd}
 */
public interface Differentiation {
  /** This tensor. */
  Tensor self();

  /**
   * A tensor of the same values that requires a gradient: {@link #grad} of it is where {@link
   * #backward()} puts one. This tensor stays as it is, but what requires a gradient already is
   * given back itself.
   *
   * @throws IllegalArgumentException if it is traced, or not floating
   */
  default Tensor requiresGrad() {
    return Tape.leaf(self());
  }

  /** True if a gradient would go back to or through this tensor. */
  default boolean isTracked() {
    return self().tape() != null;
  }

  /** The same values, without a gradient; traced, it is {@code stopGradient}. */
  default Tensor detach() {
    return self().isTraced() ? self().stopGradient() : self().withTape(null);
  }

  /**
   * The gradient that backward calls have added up; null if there was none.
   *
   * @return of this tensor's type, without a gradient itself
   * @throws IllegalArgumentException if this tensor was not made by {@link #requiresGrad}
   */
  default Tensor grad() {
    return Tape.of("grad", self()).grad();
  }

  /**
   * Forgets the gradient, so that the next backward call starts anew.
   *
   * @throws IllegalArgumentException if this tensor was not made by {@link #requiresGrad}
   */
  default void zeroGrad() {
    Tape.of("zero_grad", self()).zeroGrad();
  }

  /**
   * Adds the gradient of this number to {@link #grad} of every tensor that it was computed from and
   * that was made by {@link #requiresGrad}. What was remembered for it is then forgotten.
   *
   * @throws ShapeException if this is not one number
   * @throws IllegalArgumentException if it is traced, does not require a gradient, or was gone back
   *     from before
   */
  default void backward() {
    backward(false);
  }

  /**
   * As {@link #backward()}.
   *
   * @param retain true to go back from here, or from what shares a part with it, another time
   */
  default void backward(boolean retain) {
    Tape.backward(self(), null, retain);
  }

  /**
   * As {@link #backward()} from any tensor, given the gradient with respect to it.
   *
   * @param gradient of this tensor's type
   */
  default void backward(Tensor gradient) {
    Tape.backward(self(), gradient, false);
  }
}
