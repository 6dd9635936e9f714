/**
 * Data-parallel training in a barrier stage: dealing rows to workers ({@code ChunkWriter}), the
 * worker's off-heap store, the collective over TCP, the loop of steps, and progress to the driver.
 *
 * <p>Invariants: every training row counts once an epoch; all ranks hold the same bits after each
 * step; same rows, seed and number of workers give the same model, whatever fits in memory and
 * however often an executor or the driver was lost on the way; a dead worker is noticed within
 * seconds, replaced a few times, and then an error that names it.
 */
package io.fragua.spark.train;
