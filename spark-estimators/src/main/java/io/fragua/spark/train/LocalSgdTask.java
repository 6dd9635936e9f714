package io.fragua.spark.train;

import io.fragua.arrow.NativeCache;
import io.fragua.exec.Backends;
import io.fragua.nn.RunningVariance;
import java.io.Serializable;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.sql.util.ArrowUtils;

/**
 * A few steps of one worker by itself, as a task of an ordinary stage: a function of the rows and
 * values it is given, so that Spark may repeat it.
 *
 * @param epoch whose order of rows it takes
 * @param firstStep number of its first step, which together with the partition decides its keys
 */
record LocalSgdTask(TrainPlan plan, int epoch, long firstStep) {
  /** How long compiled programs are kept for the next task, in milliseconds. */
  private static final long KEEP_MS = 5000;

  /**
   * What a worker has come to.
   *
   * @param values what {@link TrainPlan#values} orders; empty if nothing was learnt
   * @param rows it learnt from, or evaluated
   * @param sums over them of weighted losses, of weights, and of weighted metrics if evaluated, if
   *     learnt from of how far the running variances have followed them
   */
  record Learnt(float[] values, long rows, double[] sums) implements Serializable {}

  /** Learns from all training rows of these chunks, once. */
  Learnt learn(Iterator<byte[]> chunks, float[] values) throws InterruptedException {
    return with(chunks, values, (store, work) -> learn(store, work, values));
  }

  /** Evaluates all validation rows of these chunks; nothing is learnt. */
  Learnt validate(Iterator<byte[]> chunks, float[] values) throws InterruptedException {
    return with(chunks, values, this::validate);
  }

  private interface Body {
    Learnt run(WorkerStore store, Workspace work);
  }

  private Learnt with(Iterator<byte[]> chunks, float[] values, Body body)
      throws InterruptedException {
    NativeCache.prepare();
    TaskContext context = TaskContext.get();
    Programs programs = Programs.acquire(plan, Backends.cpu(), context.cpus(), context.cpus());
    String name = "fragua training " + plan.id() + " partition " + context.partitionId();
    long budget = StoreBudget.of(SparkEnv.get().conf(), Runtime.getRuntime().availableProcessors());
    try (WorkerStore store =
        new WorkerStore(
            plan.layout(),
            ArrowUtils.rootAllocator(),
            name,
            budget,
            new SpillFiles(SparkEnv.get()),
            false)) {
      while (chunks.hasNext()) {
        context.killTaskIfInterrupted();
        store.add(chunks.next());
      }
      store.finish();
      try (Workspace work = new Workspace(plan, programs.get(), 0, 1)) {
        work.restore(values);
        programs.begin();
        return body.run(store, work);
      }
    } finally {
      programs.release(KEEP_MS);
    }
  }

  private Learnt learn(WorkerStore store, Workspace work, float[] start) {
    int partition = TaskContext.getPartitionId();
    StepKey key = new StepKey(plan.seed());
    int steps = (store.rows() + plan.batch() - 1) / plan.batch();
    store.shuffle(plan.seed(), epoch, partition, false);
    List<RunningVariance> variances = plan.variances();
    double[] sums = new double[2 + variances.size()];
    for (int s = 0; s < steps; s++) {
      TaskContext.get().killTaskIfInterrupted();
      int from = TrainLoop.share(store.rows(), s, steps);
      int rows = TrainLoop.share(store.rows(), s + 1, steps) - from;
      store.gather(from, rows, work.tiles());
      work.pad(rows);
      key.write(firstStep + s, partition, work.key());
      work.gradient().run();
      work.complete(rows);
      work.takeState();
      sums[0] += work.loss();
      sums[1] += work.weightSum();
      if (!Double.isFinite(sums[0])) {
        throw TrainLoop.diverged(epoch, s, steps);
      }
      if (work.weightSum() > 0) {
        work.update().run();
      }
    }
    float[] learnt = work.values();
    for (int i = 0; i < variances.size(); i++) {
      RunningVariance v = variances.get(i).after(steps);
      RunningStatistics.addSquares(
          plan.statistic(start, v.mean()),
          plan.statistic(learnt, v.mean()),
          plan.statistic(learnt, v.variance()),
          v.gain());
      sums[2 + i] = store.rows() * v.gain();
    }
    return new Learnt(learnt, store.rows(), sums);
  }

  private Learnt validate(WorkerStore store, Workspace work) {
    double[] sums = TrainLoop.validate(plan, store, work, TaskContext.get()::killTaskIfInterrupted);
    return new Learnt(new float[0], store.validationRows(), sums);
  }
}
