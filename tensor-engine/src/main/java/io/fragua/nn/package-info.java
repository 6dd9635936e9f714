/**
 * Neural networks as functions of named parameters. A {@link io.fragua.nn.Layer} asks its {@link
 * io.fragua.nn.Scope} for parameters by name; {@link io.fragua.nn.Network} runs it once on types to
 * find them and draw initial values, and any number of times on tensors, concrete or traced. Layers
 * hold settings, never values. Parameter names and shapes are those of Flax ({@code
 * dense_0.kernel}, [in, out]). May use {@code tensor} to {@code random}.
 */
package io.fragua.nn;
