package io.fragua.spark.train;

import io.fragua.exec.Execution;
import io.fragua.graph.Graph;
import io.fragua.nn.RunningVariance;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;

/**
 * All memory of one worker's steps, and the programs bound to it: nothing is copied between them
 * and nothing is allocated in a step. Parameters, statistics and optimizer state are updated in
 * place. Everything that workers add up lies in one buffer, so that a step needs one all-reduce.
 */
final class Workspace implements AutoCloseable {
  /** Where the row count lies among the sums. */
  private static final int ROWS = 0;

  /** Place of the wish to stop among the sums. */
  private static final int STOP = 1;

  private final Programs.Compiled programs;
  private final RowLayout layout;
  private final int batch;
  private final boolean bf16;
  private final List<RunningVariance> variances;
  private final int shards;
  private ShardTree tree; // null unless sums are in the order of a tree
  private Buckets buckets; // null unless the gradients are large, and not summed as a tree
  private IntConsumer complete;

  /** Memory by operand name, shared by the graphs. */
  private final Operands operands;

  /** Of it what a training changes. */
  private ModelMemory model;

  /** Names and sizes of what is learnt. */
  private final Map<String, int[]> learnt = new LinkedHashMap<>();

  /** Names and sizes of all that a training changes: what is learnt, and the optimizer's state. */
  private final Map<String, int[]> lasting = new LinkedHashMap<>();

  private final ByteBuffer[] tiles;
  private final ByteBuffer weight;
  private final boolean ones;
  private RunningStatistics statistics;
  private Buffer sums;
  private FloatBuffer sumFloats;
  private int lossAt;
  private int weightSumAt;
  private int exactFloats;
  private Execution gradient;
  private Execution update;
  private Execution evaluate;
  private Buffer evaluatedLoss;
  private Buffer evaluatedWeightSum;
  private List<String> metrics = List.of();
  private final List<Buffer> evaluatedMetrics = new ArrayList<>();
  private Map<String, Buffer> best;

  /** The memory of worker {@code rank} of so many. */
  Workspace(TrainPlan plan, Programs.Compiled programs, int rank, int workers) {
    this.programs = programs;
    shards = plan.shards() > 0 ? plan.shards() : workers;
    layout = plan.layout();
    batch = plan.batch();
    bf16 = plan.bf16();
    variances = plan.variances();
    operands = new Operands("training, rank " + rank);
    tiles = new ByteBuffer[layout.tiles()];
    try {
      Graph gradientGraph = programs.gradient().graph();
      leaves("param:", plan.params(), true);
      leaves("state:", plan.state(), true);
      leaves("opt:", plan.optState(), false);
      model = new ModelMemory(plan.params(), plan.state(), plan.optState(), rank);
      model.named().forEach(operands::put);
      for (int t = 0; t < tiles.length; t++) {
        tiles[t] = operands.add(layout.names().get(t), (long) batch * layout.bytes(t)).bytes();
      }
      ones = !layout.names().contains("weight");
      weight = (ones ? operands.add("weight", 4L * batch) : operands.get("weight")).bytes();
      operands.add("key", 8);
      operands.add("shard", 4);
      if (programs.evaluate() != null) {
        metrics = PlanCheck.metrics(programs.evaluate().graph());
      }
      operands.add("votes", 4L * votesEach() * shards);
      sums(gradientGraph, plan.shards() > 0 ? workers : 0, rank);

      gradient = operands.execution(programs.gradient());
      operands.bindOutputs(gradient, gradientGraph, name -> "sum of " + name);
      update = operands.execution(programs.update());
      operands.bindOutputs(update, programs.update().graph(), name -> name);
      if (programs.evaluate() != null) {
        evaluate = operands.execution(programs.evaluate());
        Graph g = programs.evaluate().graph();
        evaluatedLoss = evaluate.output(g.output("loss"));
        evaluatedWeightSum = evaluate.output(g.output("weight_sum"));
        for (String name : metrics) {
          evaluatedMetrics.add(evaluate.output(g.output("metric:" + name)));
        }
      }
      bindState();
    } catch (Throwable t) {
      close();
      throw t;
    }
  }

  private void leaves(String prefix, List<TrainPlan.Leaf> leaves, boolean learns) {
    for (TrainPlan.Leaf l : leaves) {
      lasting.put(prefix + l.name(), l.dims());
      if (learns) {
        learnt.put(prefix + l.name(), l.dims());
      }
    }
  }

  /**
   * One buffer with a slice for each result of the gradient graph, and one for the row count. The
   * gradients come last, because they alone may be rounded on their way, in the order of buckets.
   */
  private void sums(Graph g, int treeWorkers, int rank) {
    Map<String, Integer> sizes = new LinkedHashMap<>();
    g.outputs().forEach(o -> sizes.put(o.name(), Math.toIntExact(g.type(o.value()).byteSize())));
    List<Integer> gradients = Buckets.order(g);
    List<String> order = new ArrayList<>(sizes.keySet());
    List<String> last = gradients.stream().map(o -> g.outputs().get(o).name()).toList();
    order.removeAll(last);
    int exact = order.size();
    order.addAll(last);
    Map<String, Integer> offsets = new LinkedHashMap<>();
    int[] starts = new int[order.size() + 1]; // in floats
    long at = Buffer.ALIGNMENT; // the row count's place
    for (int i = 0; i < order.size(); i++) {
      starts[i] = Math.toIntExact(at / 4);
      offsets.put(order.get(i), Math.toIntExact(at));
      at = align(at + sizes.get(order.get(i)));
    }
    starts[order.size()] = Math.toIntExact(at / 4);
    exactFloats = starts[exact];
    if (treeWorkers > 0) {
      tree = new ShardTree(shards, treeWorkers, rank, Math.toIntExact(at / 4));
      tree.bind(operands.add("shards", tree.bytes()));
      sums = tree.memory().slice(0, Math.toIntExact(at));
    } else {
      sums = operands.add("sums", at);
      int[] each = Arrays.copyOfRange(starts, exact, starts.length);
      buckets = Buckets.cut(sums, gradients, each, Buckets.BYTES, bf16);
      complete = buckets == null ? null : buckets::complete;
    }
    sumFloats = sums.bytes().asFloatBuffer();
    offsets.forEach(
        (name, offset) -> {
          Buffer slice = sums.slice(offset, sizes.get(name));
          operands.put("sum of " + name, slice);
          operands.putIfAbsent(name, slice); // gradients and weight_sum are operands of the update
        });
    lossAt = offsets.get("loss") / 4;
    weightSumAt = offsets.get("weight_sum") / 4;
  }

  private static long align(long n) {
    return (n + Buffer.ALIGNMENT - 1) & -Buffer.ALIGNMENT;
  }

  private void bindState() {
    statistics = new RunningStatistics(variances);
    for (String name : model.named().keySet()) {
      if (name.startsWith(RunningStatistics.PREFIX)) {
        FloatBuffer sum = operands.get("sum of " + name).bytes().asFloatBuffer();
        statistics.add(name, sum, operands.get(name).bytes().asFloatBuffer());
      }
    }
  }

  /** What a training changes, which this workspace uses and does not alone own. */
  ModelMemory model() {
    return model;
  }

  /**
   * Goes on with the memory of another worker of this process, which makes the updates; gives back
   * its own.
   *
   * @param shared counts this workspace among its users; may be its own
   */
  void use(ModelMemory shared) {
    if (shared == model) {
      return;
    }
    model.release(); // nothing that is bound to it runs before it is bound anew
    model = shared;
    shared.named().forEach(operands::put);
    operands.bindInputs(gradient, programs.gradient().graph());
    if (evaluate != null) {
      operands.bindInputs(evaluate, programs.evaluate().graph());
    }
    bindState();
    operands.close(update);
    update = null;
  }

  /** Where a batch goes, one per tile of the layout. */
  ByteBuffer[] tiles() {
    return tiles;
  }

  /** The two words of the step's key. */
  ByteBuffer key() {
    return operands.get("key").bytes();
  }

  /** Says whose rows the next batch holds. */
  void shard(int number) {
    operands.get("shard").bytes().putInt(0, number);
  }

  /** Completes a batch of {@code rows} rows: the others are zeros and weigh nothing. */
  void pad(int rows) {
    for (int t = 0; t < tiles.length; t++) {
      Operands.zero(tiles[t], rows * layout.bytes(t), batch * layout.bytes(t));
    }
    if (ones) {
      for (int i = 0; i < batch; i++) {
        weight.putFloat(4 * i, i < rows ? 1 : 0);
      }
    }
  }

  Execution gradient() {
    return gradient;
  }

  /** Runs {@link #gradient}; the others may begin to add up what it has completed. */
  void runGradient(Collective workers) {
    if (buckets == null) {
      gradient.run();
    } else {
      begin(workers);
      gradient.run(complete);
    }
  }

  private void begin(Collective workers) {
    buckets.begin();
    workers.begin(buckets);
  }

  /** Null on a worker whose memory another one updates. */
  Execution update() {
    return update;
  }

  Execution evaluate() {
    return evaluate;
  }

  /** What the workers add up, after the gradient has been computed. */
  Buffer sums() {
    return sums;
  }

  /** Floats of a shard's validation: two for each of loss, weights and metrics. */
  int votesEach() {
    return 2 * (2 + metrics.size());
  }

  /** {@link #votesEach} floats for each shard, for its validation. */
  Buffer votes() {
    return operands.get("votes");
  }

  /** Adds up over the workers; gradients are rounded on their way if the plan says so. */
  void reduce(Collective workers) {
    if (tree != null) {
      workers.allReduce(tree);
      tree.clear();
      return;
    }
    int gradients = sumFloats.capacity() - exactFloats;
    if (buckets != null) {
      workers.finish(buckets);
      workers.allReduce(sums, 0, exactFloats, false);
    } else if (bf16) {
      workers.allReduce(sums, 0, exactFloats, false);
      workers.allReduce(sums, exactFloats, gradients, true);
    } else {
      workers.allReduce(sums, 0, exactFloats + gradients, false);
    }
  }

  /** Instead of {@link #runGradient}, for a shard without rows; {@link #complete} it too. */
  void noGradient(Collective workers) {
    Operands.zero(sums.bytes(), 0, sums.size());
    if (buckets != null) {
      begin(workers);
      buckets.completeAll();
    }
  }

  /** Says, before a shard is completed, whether its worker wants the training to stop. */
  void askToStop(boolean stop) {
    sumFloats.put(STOP, stop ? 1 : 0);
  }

  /** After the sum: whether any worker wants to stop. */
  boolean stopAsked() {
    return sumFloats.get(STOP) > 0;
  }

  /**
   * Completes the sums of a shard: running statistics of several are weighted by their rows. One
   * shard alone keeps its own, to the bit.
   */
  void complete(int rows) {
    sumFloats.put(ROWS, rows);
    if (rows > 0 && shards > 1) {
      statistics.weigh(rows);
    }
    if (tree != null) {
      tree.add();
    }
  }

  /** Makes the statistics of all shards the current ones, after the sum. */
  void takeState() {
    if (shards > 1) {
      statistics.takeMean(sumFloats.get(ROWS));
    } else {
      statistics.take();
    }
  }

  /** Sum of the step's weighted losses, all workers together, after the sum. */
  double loss() {
    return sumFloats.get(lossAt);
  }

  /** Sum of the step's weights. */
  double weightSum() {
    return sumFloats.get(weightSumAt);
  }

  double evaluatedLoss() {
    return evaluatedLoss.bytes().getFloat(0);
  }

  double evaluatedWeightSum() {
    return evaluatedWeightSum.bytes().getFloat(0);
  }

  /** Names of what is measured besides the loss. */
  List<String> metrics() {
    return metrics;
  }

  /** Weighted sum of a metric over the rows of the batch that was evaluated. */
  double evaluatedMetric(int i) {
    return evaluatedMetrics.get(i).bytes().getFloat(0);
  }

  /** Keeps a copy of parameters and statistics. */
  void remember() {
    if (best == null) {
      best = new HashMap<>();
      for (String name : learnt.keySet()) {
        best.put(name, operands.allocate(operands.get(name).size()));
      }
    }
    best.forEach((name, b) -> b.copyFrom(operands.get(name)));
  }

  /** Puts back what was kept. */
  void recall() {
    best.forEach((name, b) -> operands.get(name).copyFrom(b));
  }

  /** Parameters, statistics and optimizer state, one after the other; a copy. */
  float[] values() {
    int count = model.buffers().stream().mapToInt(b -> b.size() / 4).sum();
    FloatBuffer values = FloatBuffer.allocate(count);
    model.buffers().forEach(b -> values.put(b.bytes().asFloatBuffer()));
    return values.array();
  }

  /** Sets what {@link #values} gives. */
  void restore(float[] values) {
    FloatBuffer from = FloatBuffer.wrap(values);
    model
        .buffers()
        .forEach(
            b -> {
              from.limit(from.position() + b.size() / 4);
              b.bytes().asFloatBuffer().put(from);
            });
  }

  /** Parameters and statistics with their prefixes; copies. */
  Map<String, Tensor> learnt() {
    Map<String, Tensor> m = new LinkedHashMap<>();
    learnt.forEach(
        (name, dims) -> {
          Buffer copy = Buffer.collected(operands.get(name).size());
          copy.copyFrom(operands.get(name));
          m.put(name, Tensor.of(TensorType.of(DType.F32, dims), copy));
        });
    return m;
  }

  /** All that a checkpoint holds, by operand name; the tensors are this workspace's own memory. */
  Map<String, Tensor> everything() {
    Map<String, Tensor> m = new LinkedHashMap<>();
    lasting.forEach((name, dims) -> m.put(name, tensor(dims, operands.get(name))));
    if (best != null) {
      best.forEach((name, b) -> m.put("best:" + name, tensor(lasting.get(name), b)));
    }
    return m;
  }

  private static Tensor tensor(int[] dims, Buffer b) {
    return Tensor.of(TensorType.of(DType.F32, dims), b);
  }

  /**
   * Takes what {@link #everything} gave.
   *
   * @param who the file, for errors
   * @throws IllegalArgumentException if it is not exactly that
   */
  void restore(Map<String, Tensor> tensors, String who) {
    boolean withBest = tensors.keySet().stream().anyMatch(n -> n.startsWith("best:"));
    if (withBest) {
      remember();
    }
    Checkpoint.copy(tensors, everything(), who);
  }

  @Override
  public void close() {
    if (model != null) { // what is bound to it does not run any more
      model.release();
      model = null;
    }
    operands.close();
  }
}
