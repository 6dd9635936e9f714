package io.fragua.spark.train;

import io.fragua.tensor.Tensor;
import java.nio.FloatBuffer;
import java.util.ArrayList;
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
  private final ArrayList<EpochMetrics> history;
  private final EarlyStopping stopping;
  private final List<String> metrics;
  private float[] values;
  private float[] best; // parameters and statistics; null until there is an epoch that is the best
  private int epoch;
  private int round;
  private long steps;
  private long rows;
  private double loss;
  private double weights;
  private double seconds;
  private boolean ended;
  private long began;

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
    stopping = new EarlyStopping(plan.patience(), from);
    history = new ArrayList<>(from.history());
    epoch = from.epoch();
    round = from.step();
    steps = from.globalStep();
    loss = from.loss();
    weights = from.weights();
    rows = from.rows();
    seconds = from.seconds();
    ended = from.ended();
  }

  /** Trains. */
  TrainTask.Outcome run() {
    while (!ended && epoch < plan.epochs()) {
      epoch();
    }
    if (saver != null) {
      saver.await();
    }
    float[] learnt = plan.patience() > 0 ? best : plan.learnt(values);
    return new TrainTask.Outcome(TrainTask.file(plan.tensors(learnt)), history);
  }

  private void epoch() {
    began = System.nanoTime() - (long) (seconds * 1e9);
    boolean stopped = rounds();
    LocalSgdTask.Learnt held =
        request.validationColumn() == null ? null : job.validate(epoch, values);
    long validation = held == null ? 0 : held.rows();
    TrainTask.checkRows(rows, validation, plan.patience());
    TrainLoop.checkWeights(weights);
    double[] sums = validation == 0 ? null : held.sums();
    EpochMetrics m = EpochMetrics.of(epoch, loss, weights, sums, metrics, rows, elapsed());
    history.add(m);
    request.listener().epoch(m);
    if (stopping.improves(m.validationLoss())) {
      best = plan.learnt(values);
    }
    ended = request.listener().stopRequested() | stopped | stopping.ends();
    epoch++;
    round = 0;
    rows = 0;
    loss = 0;
    weights = 0;
    seconds = 0;
    if (saver != null && (saver.dueAfterEpoch(epoch) || ended || epoch == plan.epochs())) {
      save();
    }
  }

  /** The rounds of the epoch that are left; true if the listener asked to stop. */
  private boolean rounds() {
    int n = job.rounds();
    int[] order = IntStream.range(0, n).toArray();
    new Shuffle(plan.seed(), epoch, -1, n, 1).permute(0, order, 0, n);
    int more = request.distribution().localSteps();
    while (round < n) {
      LocalSgdTask.Learnt l = job.round(epoch, round, order[round], values);
      values = l.values();
      rows += l.rows();
      loss += l.sums()[0];
      weights += l.sums()[1];
      round++;
      steps += more;
      long all = round == n ? rows : Math.max(rows, request.rows());
      request.listener().step(epoch, plan.epochs(), rows, all, loss / weights);
      if (weights > 0 && request.listener().stopRequested()) {
        return true;
      }
      if (saver != null && round < n && saver.dueAfterSteps(more, steps)) {
        save();
      }
    }
    return false;
  }

  private double elapsed() {
    return (System.nanoTime() - began) / 1e9;
  }

  private void save() {
    Map<String, Tensor> all = plan.tensors(values);
    if (best != null) {
      plan.tensors(best).forEach((n, t) -> all.put("best:" + n, t));
    }
    saver.save(
        new Position(
            epoch,
            round,
            steps,
            rows,
            loss,
            weights,
            round == 0 ? 0 : elapsed(),
            stopping.best(),
            stopping.worse(),
            ended,
            history),
        TrainTask.file(all));
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
