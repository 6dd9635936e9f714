package io.fragua.spark.train;

import java.io.Serializable;

/**
 * What one pass over the training rows gave.
 *
 * @param epoch counted from 0
 * @param trainLoss weighted mean of the rows' losses, each under the parameters of its step
 * @param validationLoss weighted mean over the validation rows after the epoch; null without any
 * @param rows training rows seen, all workers together
 * @param seconds from the first step to the end of the validation pass
 */
public record EpochMetrics(
    int epoch, double trainLoss, Double validationLoss, long rows, double seconds)
    implements Serializable {}
