/**
 * Random numbers from explicit keys: the same key gives the same bits, on every backend, eager or
 * compiled, and the bits are those of JAX. Nothing here holds state. May use {@code tensor} to
 * {@code transform}.
 */
package io.fragua.random;
