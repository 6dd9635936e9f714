package io.fragua.spark.train;

import java.util.ArrayList;

/**
 * A {@link Position} that moves: where a training stands while it goes on. Begins at one and gives
 * the next one for a checkpoint. Used by one thread.
 */
final class Course {
  /** Epoch that runs, counted from 0; the number of epochs when all are done. */
  int epoch;

  /** Of the epoch, that comes next. */
  int step;

  /** Steps made since the beginning. */
  long globalStep;

  /** Learnt from in the epoch so far, where the loop counts them. */
  long rows;

  /** Sum over the epoch so far. */
  double loss;

  /** Sum over the epoch so far. */
  double weights;

  /** Whether nothing is left to do, however many epochs were asked for. */
  boolean ended;

  final EarlyStopping stopping;
  final ArrayList<EpochMetrics> history;
  private double seconds; // that the epoch took before it was begun here
  private long began;

  /**
   * Goes on from a position.
   *
   * @param patience epochs without a better loss before the training ends; 0 for never
   */
  Course(Position from, int patience) {
    epoch = from.epoch();
    step = from.step();
    globalStep = from.globalStep();
    rows = from.rows();
    loss = from.loss();
    weights = from.weights();
    seconds = from.seconds();
    ended = from.ended();
    stopping = new EarlyStopping(patience, from);
    history = new ArrayList<>(from.history());
  }

  /** The epoch begins, or goes on after a checkpoint. */
  void beginEpoch() {
    began = System.nanoTime() - (long) (seconds * 1e9);
  }

  /** Seconds that the epoch took so far. */
  double elapsed() {
    return (System.nanoTime() - began) / 1e9;
  }

  /** The epoch is done: the next one has no steps yet. */
  void endEpoch() {
    epoch++;
    step = 0;
    rows = 0;
    loss = 0;
    weights = 0;
    seconds = 0;
  }

  /** Where it stands, with so many rows learnt from in the epoch. */
  Position position(long rowsSoFar) {
    return new Position(
        epoch,
        step,
        globalStep,
        rowsSoFar,
        loss,
        weights,
        step == 0 ? 0 : elapsed(),
        stopping.best(),
        stopping.worse(),
        ended,
        history);
  }
}
