/**
 * Images in batches: geometry, colour, and random changes by explicit keys. A batch is floating [N,
 * H, W, C] with values in [0, 1]; functions do not clip, so that chains lose nothing. All are plain
 * functions of primitives: they trace, compile, map, and have gradients wherever the result changes
 * smoothly with the pixels. May use {@code tensor} to {@code random}.
 */
package io.fragua.image;
