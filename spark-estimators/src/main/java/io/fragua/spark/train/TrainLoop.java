package io.fragua.spark.train;

import java.nio.FloatBuffer;
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
  private final RowSwap swap;
  private final TrainListener listener;
  private final Runnable check;
  private final Runnable learn = this::learn;
  private final Sizes sizes;
  private final Workspace work;
  private final StepKey key;
  private final CheckpointSaver saver;
  private final Course at;
  private int swapped; // times that rows were swapped

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
   * @param swap of rows before every epoch; null for none
   * @param listener hears of steps and epochs; only rank 0's is called
   * @param check called every step; throws to give up
   * @param from where to begin; the workspace holds the tensors of then
   * @param saver writes checkpoints on rank 0; null elsewhere and without any
   */
  TrainLoop(
      TrainPlan plan,
      Workspace work,
      List<WorkerStore> shards,
      int first,
      Sizes sizes,
      Collective ring,
      RowSwap swap,
      TrainListener listener,
      Runnable check,
      Position from,
      CheckpointSaver saver) {
    this.plan = plan;
    this.shards = shards;
    this.first = first;
    this.sizes = sizes;
    this.ring = ring;
    this.swap = swap;
    this.listener = listener;
    this.check = check;
    key = new StepKey(plan.seed());
    this.work = work;
    this.saver = saver;
    at = new Course(from, plan.patience());
  }

  /**
   * Trains.
   *
   * @throws IllegalArgumentException if the loss is no longer a finite number
   */
  List<EpochMetrics> run() {
    while (!at.ended && at.epoch < plan.epochs()) {
      epoch();
    }
    if (saver != null) {
      saver.await();
    }
    if (plan.patience() > 0) {
      ring.change(work::recall);
    }
    return at.history;
  }

  private void epoch() {
    long total = Sizes.sum(sizes.training());
    int steps = sizes.steps(plan.batch());
    at.beginEpoch();
    for (; swap != null && swapped <= at.epoch; swapped++) { // after a checkpoint, all there were
      shards.get(0).swap(swap, new Swaps(plan.seed(), swapped, sizes.training()));
    }
    boolean ahead = swap == null && at.epoch + 1 < plan.epochs();
    for (int i = 0; i < shards.size(); i++) {
      shards.get(i).shuffle(plan.seed(), at.epoch, first + i, ahead);
    }
    boolean stopped = steps(steps, total);
    checkWeights(at.weights);
    long seen = done(at.step, steps);
    if (ring.rank() == 0) {
      listener.step(at.epoch, plan.epochs(), seen, total, at.loss / at.weights);
    }
    EpochMetrics m = measured(seen);
    at.history.add(m);
    boolean asked = agree(m);
    if (at.stopping.improves(m.validationLoss())) {
      ring.change(work::remember);
    }
    at.ended = asked | stopped | at.stopping.ends();
    at.endEpoch();
    if (saver != null && (saver.dueAfterEpoch(at.epoch) || at.ended || at.epoch == plan.epochs())) {
      save();
    }
  }

  private EpochMetrics measured(long seen) {
    double[] held = Sizes.sum(sizes.validation()) > 0 ? validate() : null;
    return EpochMetrics.of(at.epoch, at.loss, at.weights, held, work.metrics(), seen, at.elapsed());
  }

  /** The steps of the epoch that are left; true if the listener asked to stop. */
  private boolean steps(int steps, long total) {
    long reported = System.nanoTime();
    while (at.step < steps) {
      check.run();
      step(at.step, steps);
      at.loss += work.loss();
      at.weights += work.weightSum();
      if (!Double.isFinite(at.loss)) {
        throw diverged(at.epoch, at.step, steps);
      }
      at.step++;
      if (work.stopAsked()) {
        return true;
      }
      if (ring.rank() == 0 && at.step < steps && System.nanoTime() - reported > 200_000_000L) {
        reported = System.nanoTime();
        long seen = done(at.step, steps);
        listener.step(at.epoch, plan.epochs(), seen, total, at.loss / at.weights);
      }
      if (saver != null && at.step < steps && saver.dueAfterSteps(1, at.globalStep)) {
        save();
      }
    }
    return false;
  }

  private void save() {
    long rows = done(at.step, sizes.steps(plan.batch()));
    saver.save(at.position(rows), TrainTask.file(work.everything()));
  }

  /** Tells the listener of an epoch; true on all ranks if it asks to stop. */
  private boolean agree(EpochMetrics m) {
    if (ring.rank() == 0) {
      listener.epoch(m);
    }
    FloatBuffer f = work.votes().bytes().asFloatBuffer();
    f.put(0, listener.stopRequested() ? 1 : 0); // only rank 0's listener ever does
    ring.allReduce(work.votes(), 0, 1, false);
    return f.get(0) > 0;
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
        key.write(at.globalStep, first + i, w.key());
        w.shard(first + i);
        w.runGradient(ring);
      } else {
        w.noGradient(ring);
      }
      w.askToStop(listener.stopRequested()); // only rank 0's listener ever does
      w.complete(rows);
    }
    at.globalStep++;
    w.reduce(ring);
    ring.change(learn);
  }

  /** With the sums of all workers. */
  private void learn() {
    work.takeState();
    if (work.weightSum() > 0) { // a step whose rows all weigh nothing teaches nothing
      work.update().run();
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

  /** What a shard's {@link #validate} gives, summed over all workers in the order of the shards. */
  private double[] validate() {
    FloatBuffer f = work.votes().bytes().asFloatBuffer();
    for (int i = 0; i < f.capacity(); i++) {
      f.put(i, 0);
    }
    int each = work.votesEach();
    for (int i = 0; i < shards.size(); i++) {
      double[] sums = validate(plan, shards.get(i), work, check);
      for (int k = 0; k < sums.length; k++) { // a double travels as two floats, the second the rest
        int at = each * (first + i) + 2 * k;
        float most = (float) sums[k];
        f.put(at, most).put(at + 1, Float.isInfinite(most) ? 0 : (float) (sums[k] - most));
      }
    }
    ring.allReduce(work.votes(), 0, f.capacity(), false);
    double[] totals = new double[each / 2];
    for (int at = 0; at + each <= f.capacity(); at += each) {
      for (int k = 0; k < totals.length; k++) {
        totals[k] += (double) f.get(at + 2 * k) + f.get(at + 2 * k + 1);
      }
    }
    return totals;
  }

  /** Sums over a shard's validation rows: of weighted losses, weights, and weighted metrics. */
  static double[] validate(TrainPlan plan, WorkerStore store, Workspace work, Runnable check) {
    double[] sums = new double[2 + work.metrics().size()];
    for (int from = 0; from < store.validationRows(); from += plan.batch()) {
      check.run();
      int rows = Math.min(plan.batch(), store.validationRows() - from);
      store.gatherValidation(from, rows, work.tiles());
      work.pad(rows);
      work.evaluate().run();
      sums[0] += work.evaluatedLoss();
      sums[1] += work.evaluatedWeightSum();
      for (int i = 2; i < sums.length; i++) {
        sums[i] += work.evaluatedMetric(i - 2);
      }
    }
    return sums;
  }

  /** Whether the rows of an epoch weigh something. */
  static void checkWeights(double sum) {
    if (!(sum > 0)) {
      throw new IllegalArgumentException(
          "train: the weights of the rows must add up to more than 0: "
              + sum
              + "; correct the weight column");
    }
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
