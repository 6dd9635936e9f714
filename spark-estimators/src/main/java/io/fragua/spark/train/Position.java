package io.fragua.spark.train;

import java.io.Serializable;
import java.util.ArrayList;

/**
 * Where a training stands between two steps: with the tensors, all that is needed to go on to the
 * same bits. Shuffles and keys are functions of seed, epoch, step and rank, so that epoch and step
 * are the state of the random numbers and the place in the data too.
 *
 * @param epoch that runs, counted from 0; the number of epochs when all are done
 * @param step of the epoch that comes next
 * @param globalStep steps made since the beginning
 * @param rows learnt from in the epoch so far
 * @param loss sum over the epoch so far
 * @param weights sum over the epoch so far
 * @param seconds the epoch took so far
 * @param best validation loss; infinite before there is one
 * @param worse epochs since the best
 * @param ended whether nothing is left to do, however many epochs were asked for
 * @param history of the epochs that are done
 */
record Position(
    int epoch,
    int step,
    long globalStep,
    long rows,
    double loss,
    double weights,
    double seconds,
    double best,
    int worse,
    boolean ended,
    ArrayList<EpochMetrics> history)
    implements Serializable {
  static final Position START =
      new Position(0, 0, 0, 0, 0, 0, 0, Double.POSITIVE_INFINITY, 0, false, new ArrayList<>());

  Position {
    history = new ArrayList<>(history);
  }
}
