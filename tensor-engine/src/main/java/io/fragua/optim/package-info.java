/**
 * Optimizers as pairs of pure functions (init, update) over named tensors, as in Optax: {@link
 * io.fragua.optim.Transforms} has the verbs, {@link io.fragua.optim.Optimizers} the brands, which
 * only chain verbs. An update is traced and compiled like any other function. May use {@code
 * tensor} to {@code random}, and {@code nn} for {@link io.fragua.nn.ParamTree}.
 */
package io.fragua.optim;
