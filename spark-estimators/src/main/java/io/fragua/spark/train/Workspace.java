package io.fragua.spark.train;

import io.fragua.exec.Allocator;
import io.fragua.exec.Execution;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * All memory of one worker's steps, and the programs bound to it: nothing is copied between them
 * and nothing is allocated in a step. Parameters, statistics and optimizer state are updated in
 * place. Everything that workers add up lies in one buffer, so that a step needs one all-reduce.
 */
final class Workspace implements AutoCloseable {
  private final RowLayout layout;
  private final int batch;
  private final Allocator allocator;
  private final List<Buffer> owned = new ArrayList<>();
  private final List<Execution> executions = new ArrayList<>();

  /** Memory by operand name, shared by the graphs. */
  private final Map<String, Buffer> named = new HashMap<>();

  /** Names and sizes of what is learnt. */
  private final Map<String, int[]> learnt = new LinkedHashMap<>();

  private final ByteBuffer[] tiles;
  private final ByteBuffer weight;
  private final boolean ones;
  private final List<FloatBuffer[]> state = new ArrayList<>(); // pairs: sum, current
  private Buffer sums;
  private FloatBuffer sumFloats;
  private int lossAt;
  private int weightSumAt;
  private int rowsAt;
  private Execution gradient;
  private Execution update;
  private Execution evaluate;
  private Buffer evaluatedLoss;
  private Buffer evaluatedWeightSum;
  private Map<String, Buffer> best;

  Workspace(TrainPlan plan, Programs.Compiled programs, int rank) {
    layout = plan.layout();
    batch = plan.batch();
    allocator = new Allocator("training, rank " + rank);
    tiles = new ByteBuffer[layout.tiles()];
    try {
      Graph gradientGraph = programs.gradient().graph();
      leaves("param:", plan.params(), true);
      leaves("state:", plan.state(), true);
      leaves("opt:", plan.optState(), false);
      for (int t = 0; t < tiles.length; t++) {
        tiles[t] = buffer(layout.names().get(t), (long) batch * layout.bytes(t)).bytes();
      }
      ones = !layout.names().contains("weight");
      weight = (ones ? buffer("weight", 4L * batch) : named.get("weight")).bytes();
      buffer("key", 8);
      buffer("shard", 4).bytes().putInt(0, rank);
      sums(gradientGraph);

      gradient = execution(programs.gradient());
      bindOutputs(gradient, gradientGraph, "sum of ");
      update = execution(programs.update());
      bindOutputs(update, programs.update().graph(), "");
      if (programs.evaluate() != null) {
        evaluate = execution(programs.evaluate());
        Graph g = programs.evaluate().graph();
        evaluatedLoss = evaluate.output(g.output("loss"));
        evaluatedWeightSum = evaluate.output(g.output("weight_sum"));
      }
      for (TrainPlan.Leaf s : plan.state()) {
        state.add(
            new FloatBuffer[] {
              named.get("sum of state:" + s.name()).bytes().asFloatBuffer(),
              named.get("state:" + s.name()).bytes().asFloatBuffer()
            });
      }
    } catch (Throwable t) {
      close();
      throw t;
    }
  }

  private Buffer buffer(String name, long size) {
    Buffer b = allocator.allocate(size);
    owned.add(b);
    named.put(name, b);
    return b;
  }

  private void leaves(String prefix, List<TrainPlan.Leaf> leaves, boolean learns) {
    for (TrainPlan.Leaf l : leaves) {
      buffer(prefix + l.name(), l.value().length).bytes().put(0, l.value());
      if (learns) {
        learnt.put(prefix + l.name(), l.dims());
      }
    }
  }

  /** One buffer with a slice for each result of the gradient graph, and one for the row count. */
  private void sums(Graph g) {
    long at = 0;
    Map<String, Integer> offsets = new LinkedHashMap<>();
    for (Graph.Output o : g.outputs()) {
      offsets.put(o.name(), Math.toIntExact(at));
      at = align(at + g.type(o.value()).byteSize());
    }
    rowsAt = Math.toIntExact(at) / 4;
    sums = buffer("sums", at + Buffer.ALIGNMENT);
    sumFloats = sums.bytes().asFloatBuffer();
    for (Graph.Output o : g.outputs()) {
      int size = Math.toIntExact(g.type(o.value()).byteSize());
      named.put("sum of " + o.name(), sums.slice(offsets.get(o.name()), size));
      if (!named.containsKey(o.name())) { // gradients and weight_sum are operands of the update
        named.put(o.name(), named.get("sum of " + o.name()));
      }
    }
    lossAt = offsets.get("loss") / 4;
    weightSumAt = offsets.get("weight_sum") / 4;
  }

  private static long align(long n) {
    return (n + Buffer.ALIGNMENT - 1) & -Buffer.ALIGNMENT;
  }

  private Execution execution(Program p) {
    Execution e = p.newExecution(allocator);
    executions.add(e);
    List<Graph.Input> inputs = p.graph().inputs();
    for (int i = 0; i < inputs.size(); i++) {
      e.bindInput(i, named.get(inputs.get(i).name()));
    }
    return e;
  }

  private void bindOutputs(Execution e, Graph g, String prefix) {
    for (int o = 0; o < g.outputs().size(); o++) {
      e.bindOutput(o, named.get(prefix + g.outputs().get(o).name()));
    }
  }

  /** Where a batch goes, one per tile of the layout. */
  ByteBuffer[] tiles() {
    return tiles;
  }

  /** The two words of the step's key. */
  ByteBuffer key() {
    return named.get("key").bytes();
  }

  /** Completes a batch of {@code rows} rows: the others are zeros and weigh nothing. */
  void pad(int rows) {
    for (int t = 0; t < tiles.length; t++) {
      zero(tiles[t], rows * layout.bytes(t), batch * layout.bytes(t));
    }
    if (ones) {
      for (int i = 0; i < batch; i++) {
        weight.putFloat(4 * i, i < rows ? 1 : 0);
      }
    }
  }

  private static void zero(ByteBuffer b, int from, int to) {
    for (int i = from; i < to; i += 4) {
      b.putInt(i, 0);
    }
  }

  Execution gradient() {
    return gradient;
  }

  Execution update() {
    return update;
  }

  Execution evaluate() {
    return evaluate;
  }

  /** What the workers add up, after {@link #gradient} has run. */
  Buffer sums() {
    return sums;
  }

  /** Length of {@link #sums}. */
  int sumFloats() {
    return rowsAt + 1;
  }

  /** The contribution of a worker without rows. */
  void clearSums() {
    zero(sums.bytes(), 0, sums.size());
  }

  /**
   * Running statistics are averaged over the workers, each weighted by its rows: before the sum
   * each is multiplied by them. One worker alone keeps its own, to the bit.
   */
  void weighState(int rows, int workers) {
    sumFloats.put(rowsAt, rows);
    if (workers > 1) {
      for (FloatBuffer[] s : state) {
        scale(s[0], s[0], rows);
      }
    }
  }

  /** Makes the averaged statistics the current ones, after the sum. */
  void takeState(int workers) {
    float factor = workers > 1 ? 1 / sumFloats.get(rowsAt) : 1;
    for (FloatBuffer[] s : state) {
      scale(s[0], s[1], factor);
    }
  }

  private static void scale(FloatBuffer from, FloatBuffer to, float factor) {
    for (int i = 0; i < to.capacity(); i++) {
      to.put(i, from.get(i) * factor);
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

  /** Keeps a copy of parameters and statistics. */
  void remember() {
    if (best == null) {
      best = new HashMap<>();
      for (String name : learnt.keySet()) {
        Buffer b = allocator.allocate(named.get(name).size());
        owned.add(b);
        best.put(name, b);
      }
    }
    best.forEach((name, b) -> b.copyFrom(named.get(name)));
  }

  /** Puts back what was kept. */
  void recall() {
    best.forEach((name, b) -> named.get(name).copyFrom(b));
  }

  /** Parameters and statistics with their prefixes; copies. */
  Map<String, Tensor> learnt() {
    Map<String, Tensor> m = new LinkedHashMap<>();
    learnt.forEach(
        (name, dims) -> {
          Buffer copy = Buffer.collected(named.get(name).size());
          copy.copyFrom(named.get(name));
          m.put(name, Tensor.of(TensorType.of(DType.F32, dims), copy));
        });
    return m;
  }

  @Override
  public void close() {
    executions.forEach(Execution::close);
    executions.clear();
    owned.forEach(allocator::free);
    owned.clear();
    allocator.close();
  }
}
