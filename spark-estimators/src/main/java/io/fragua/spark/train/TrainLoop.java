package io.fragua.spark.train;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The steps of one worker: gather a batch, compute gradients, sum them over the workers, update.
 * Every rank sees the same sums and therefore takes the same decisions. Used by one thread.
 */
final class TrainLoop {
  private final TrainPlan plan;
  private final List<WorkerStore> shards;
  private final int first;
  private final Collective ring;
  private final TrainListener listener;
  private final Runnable check;
  private final Sizes sizes;
  private final Workspace work;
  private final StepKey key;
  private long globalStep;

  /**
   * Rows by shard; a worker is one shard unless bits must not depend on the number of workers.
   *
   * @param training rows of each shard
   * @param validation rows of each shard
   */
  record Sizes(long[] training, long[] validation) {
    static long sum(long[] v) {
      long s = 0;
      for (long x : v) {
        s += x;
      }
      return s;
    }

    /** Steps of an epoch: what the fullest shard needs. */
    int steps(int batch) {
      long most = 0;
      for (long n : training) {
        most = Math.max(most, n);
      }
      return Math.toIntExact((most + batch - 1) / batch);
    }
  }

  /**
   * A loop that is ready to run.
   *
   * @param shards rows of this worker, which computes them one after the other
   * @param first number of the first of these shards
   * @param work the parameters at the start, and what was learnt at the end
   * @param listener hears of steps and epochs; only rank 0's is called
   * @param check called every step; throws to give up
   */
  TrainLoop(
      TrainPlan plan,
      Workspace work,
      List<WorkerStore> shards,
      int first,
      Sizes sizes,
      Collective ring,
      TrainListener listener,
      Runnable check) {
    this.plan = plan;
    this.shards = shards;
    this.first = first;
    this.sizes = sizes;
    this.ring = ring;
    this.listener = listener;
    this.check = check;
    key = new StepKey(plan.seed());
    this.work = work;
  }

  /**
   * Trains.
   *
   * @throws IllegalArgumentException if the loss is no longer a finite number
   */
  List<EpochMetrics> run() {
    long total = Sizes.sum(sizes.training());
    boolean validate = Sizes.sum(sizes.validation()) > 0;
    List<EpochMetrics> history = new ArrayList<>();
    double best = Double.POSITIVE_INFINITY;
    int worse = 0;
    for (int epoch = 0; epoch < plan.epochs(); epoch++) {
      long start = System.nanoTime();
      double trainLoss = epoch(epoch, total);
      Double validationLoss = validate ? validate() : null;
      EpochMetrics m =
          new EpochMetrics(
              epoch, trainLoss, validationLoss, total, (System.nanoTime() - start) / 1e9);
      history.add(m);
      if (ring.rank() == 0) {
        listener.epoch(m);
      }
      if (plan.patience() > 0) {
        if (validationLoss < best) {
          best = validationLoss;
          worse = 0;
          work.remember();
        } else if (++worse >= plan.patience()) {
          break;
        }
      }
    }
    if (plan.patience() > 0) {
      work.recall();
    }
    return history;
  }

  private double epoch(int epoch, long total) {
    int steps = sizes.steps(plan.batch());
    for (int i = 0; i < shards.size(); i++) {
      shards.get(i).shuffle(plan.seed(), epoch, first + i);
    }
    double loss = 0;
    double weights = 0;
    long reported = System.nanoTime();
    for (int s = 0; s < steps; s++) {
      check.run();
      step(s, steps);
      loss += work.loss();
      weights += work.weightSum();
      if (!Double.isFinite(loss)) {
        throw diverged(epoch, s, steps);
      }
      if (ring.rank() == 0 && System.nanoTime() - reported > 200_000_000L) {
        reported = System.nanoTime();
        listener.step(epoch, plan.epochs(), done(s + 1, steps), total, loss / weights);
      }
    }
    if (!(weights > 0)) {
      throw new IllegalArgumentException(
          "train: the weights of the rows must add up to more than 0: "
              + weights
              + "; correct the weight column");
    }
    if (ring.rank() == 0) {
      listener.step(epoch, plan.epochs(), total, total, loss / weights);
    }
    return loss / weights;
  }

  private void step(int step, int steps) {
    Workspace w = work;
    for (int i = 0; i < shards.size(); i++) {
      WorkerStore store = shards.get(i);
      int from = share(store.rows(), step, steps);
      int rows = share(store.rows(), step + 1, steps) - from;
      if (rows > 0) {
        store.gather(from, rows, w.tiles());
        w.pad(rows);
        key.write(globalStep, first + i, w.key());
        w.shard(first + i);
        w.gradient().run();
      } else {
        w.clearSums();
      }
      w.complete(rows);
    }
    globalStep++;
    w.reduce(ring);
    w.takeState();
    if (w.weightSum() > 0) { // a step whose rows all weigh nothing teaches nothing
      w.update().run();
    }
  }

  /** First row of a step: rows are spread evenly, so that no step is nearly empty. */
  static int share(long rows, int step, int steps) {
    return (int) (rows * step / steps);
  }

  private long done(int step, int steps) {
    long n = 0;
    for (long r : sizes.training()) {
      n += share(r, step, steps);
    }
    return n;
  }

  /** Mean loss over the validation rows of all workers, summed in the order of the shards. */
  private double validate() {
    FloatBuffer f = work.votes().bytes().asFloatBuffer();
    for (int i = 0; i < f.capacity(); i++) {
      f.put(i, 0);
    }
    for (int i = 0; i < shards.size(); i++) {
      double[] sums = validate(plan, shards.get(i), work, check);
      for (int k = 0; k < 2; k++) { // a double travels as two floats, the second what is left
        int at = 4 * (first + i) + 2 * k;
        f.put(at, (float) sums[k]).put(at + 1, (float) (sums[k] - (float) sums[k]));
      }
    }
    ring.allReduce(work.votes(), 0, f.capacity(), false);
    double loss = 0;
    double weights = 0;
    for (int at = 0; at < f.capacity(); at += 4) {
      loss += (double) f.get(at) + f.get(at + 1);
      weights += (double) f.get(at + 2) + f.get(at + 3);
    }
    return validationLoss(loss, weights);
  }

  /**
   * The mean of losses.
   *
   * @throws IllegalArgumentException if it is no finite number
   */
  static double validationLoss(double loss, double weights) {
    double mean = loss / weights;
    if (!Double.isFinite(mean)) {
      throw new IllegalArgumentException(
          "train: the validation loss must be a finite number: "
              + mean
              + "; lower learningRate, set clipNorm, standardize the inputs, and give validation"
              + " rows a weight above 0");
    }
    return mean;
  }

  /** Sum of weighted losses, and of weights, over a shard's validation rows. */
  static double[] validate(TrainPlan plan, WorkerStore store, Workspace work, Runnable check) {
    double[] sums = new double[2];
    for (int from = 0; from < store.validationRows(); from += plan.batch()) {
      check.run();
      int rows = Math.min(plan.batch(), store.validationRows() - from);
      store.gatherValidation(from, rows, work.tiles());
      work.pad(rows);
      work.evaluate().run();
      sums[0] += work.evaluatedLoss();
      sums[1] += work.evaluatedWeightSum();
    }
    return sums;
  }

  static IllegalArgumentException diverged(int epoch, int step, int steps) {
    return new IllegalArgumentException(
        "train: the loss must stay a finite number: it did not in epoch "
            + (epoch + 1)
            + ", step "
            + (step + 1)
            + " of "
            + steps
            + "; lower learningRate, set clipNorm, or standardize the inputs");
  }
}
