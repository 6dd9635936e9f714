package io.fragua.spark.train;

import io.fragua.tensor.Tensor;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.spark.SparkEnv;

/**
 * The driver's side of {@link LocalSgdJob}: rounds, epochs, checkpoints. It stands between two
 * rounds where {@link TrainLoop} stands between two steps. Used by one thread.
 */
final class LocalSgdLoop {
  private final TrainRequest request;
  private final TrainPlan plan;
  private final LocalSgdJob job;
  private final CheckpointSaver saver;
  private final Course at; // whose steps of an epoch are rounds
  private final List<String> metrics;
  private float[] values;
  private float[] best; // parameters and statistics; null until there is an epoch that is the best

  /**
   * A loop that is ready to run, from the checkpoint that the plan names if there is one.
   *
   * @param saver writes checkpoints; null without any
   */
  LocalSgdLoop(TrainRequest request, TrainPlan plan, LocalSgdJob job, CheckpointSaver saver) {
    this.request = request;
    this.plan = plan;
    this.job = job;
    this.saver = saver;
    metrics = request.evaluate() == null ? List.of() : PlanCheck.metrics(request.evaluate());
    values = plan.values();
    Position from =
        plan.checkpoints() == null
            ? Position.START
            : plan.checkpoints()
                .restore(SparkEnv.get().blockManager().blockManagerId().host(), this::restore);
    at = new Course(from, plan.patience());
  }

  /** Trains. */
  TrainTask.Outcome run() {
    while (!at.ended && at.epoch < plan.epochs()) {
      epoch();
    }
    if (saver != null) {
      saver.await();
    }
    float[] learnt = plan.patience() > 0 ? best : plan.learnt(values);
    return new TrainTask.Outcome(TrainTask.file(plan.tensors(learnt)), at.history);
  }

  private void epoch() {
    at.beginEpoch();
    boolean stopped = rounds();
    LocalSgdTask.Learnt held =
        request.validationColumn() == null ? null : job.validate(at.epoch, values);
    long validation = held == null ? 0 : held.rows();
    TrainTask.checkRows(at.rows, validation, plan.patience());
    TrainLoop.checkWeights(at.weights);
    double[] sums = validation == 0 ? null : held.sums();
    EpochMetrics m =
        EpochMetrics.of(at.epoch, at.loss, at.weights, sums, metrics, at.rows, at.elapsed());
    at.history.add(m);
    request.listener().epoch(m);
    if (at.stopping.improves(m.validationLoss())) {
      best = plan.learnt(values);
    }
    at.ended = request.listener().stopRequested() | stopped | at.stopping.ends();
    at.endEpoch();
    if (saver != null && (saver.dueAfterEpoch(at.epoch) || at.ended || at.epoch == plan.epochs())) {
      save();
    }
  }

  /** The rounds of the epoch that are left; true if the listener asked to stop. */
  private boolean rounds() {
    int n = job.rounds();
    int[] order = IntStream.range(0, n).toArray();
    new Shuffle(plan.seed(), at.epoch, -1, n, 1).permute(0, order, 0, n);
    int more = request.distribution().localSteps();
    while (at.step < n) {
      LocalSgdTask.Learnt l = job.round(at.epoch, at.step, order[at.step], values);
      values = l.values();
      at.rows += l.rows();
      at.loss += l.sums()[0];
      at.weights += l.sums()[1];
      at.step++;
      at.globalStep += more;
      long all = at.step == n ? at.rows : Math.max(at.rows, request.rows());
      request.listener().step(at.epoch, plan.epochs(), at.rows, all, at.loss / at.weights);
      if (at.weights > 0 && request.listener().stopRequested()) {
        return true;
      }
      if (saver != null && at.step < n && saver.dueAfterSteps(more, at.globalStep)) {
        save();
      }
    }
    return false;
  }

  private void save() {
    Map<String, Tensor> all = plan.tensors(values);
    if (best != null) {
      plan.tensors(best).forEach((n, t) -> all.put("best:" + n, t));
    }
    saver.save(at.position(at.rows), TrainTask.file(all));
  }

  /** Takes what {@link #save} gave. */
  private void restore(Map<String, Tensor> given, String who) {
    Map<String, Tensor> mine = plan.tensors(values);
    if (given.keySet().stream().anyMatch(n -> n.startsWith("best:"))) {
      plan.tensors(plan.learnt(values)).forEach((n, t) -> mine.put("best:" + n, t));
    }
    Checkpoint.copy(given, mine, who);
    int length = values.length;
    int all = mine.values().stream().mapToInt(t -> t.buffer().size() / 4).sum();
    FloatBuffer both = FloatBuffer.allocate(all);
    mine.values().forEach(t -> both.put(t.buffer().bytes().asFloatBuffer()));
    values = Arrays.copyOf(both.array(), length);
    best = all > length ? Arrays.copyOfRange(both.array(), length, all) : null;
  }
}
