/**
 * How good predictions are, over any number of batches. A metric is neither a layer nor a loss: it
 * has no gradient, it is computed on the host from what a network gave, and it holds a state that
 * grows with every batch, so that parts of a data set are measured apart and merged.
 */
package io.fragua.metrics;
