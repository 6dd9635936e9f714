package io.fragua.spark.train;

import io.fragua.exec.Precision;
import io.fragua.graph.GraphJson;
import io.fragua.nn.ParamTree;
import io.fragua.nn.RunningVariance;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What the workers need to know, in a form that travels: graphs as text, tensors as bytes.
 *
 * @param id of the job, unique
 * @param layout of a row
 * @param gradient graph as JSON
 * @param update graph as JSON
 * @param evaluate graph as JSON, or null
 * @param params initial values
 * @param state initial running statistics
 * @param variances which of the statistics are variances
 * @param optState initial optimizer state
 * @param batch rows of a step on one worker
 * @param epochs passes over the rows
 * @param seed of shuffles and keys
 * @param patience epochs without a better validation loss; 0 never stops early
 * @param precision of contractions
 * @param shards into which rows are cut whatever the number of workers; 0 for as many as workers
 * @param bf16 whether gradients are rounded on their way
 * @param global whether workers swap rows before every epoch
 * @param checkpoints where to and from; null for none
 */
record TrainPlan(
    String id,
    RowLayout layout,
    String gradient,
    String update,
    String evaluate,
    List<Leaf> params,
    List<Leaf> state,
    List<RunningVariance> variances,
    List<Leaf> optState,
    int batch,
    int epochs,
    long seed,
    int patience,
    Precision precision,
    int shards,
    boolean bf16,
    boolean global,
    CheckpointPlan checkpoints)
    implements Serializable {
  /**
   * A named tensor's initial value.
   *
   * @param name without prefix
   * @param dims sizes of its axes
   * @param value its bytes, f32
   */
  record Leaf(String name, int[] dims, byte[] value) implements Serializable {}

  /** The plan of a request without checkpoints. */
  static TrainPlan of(String id, TrainRequest r) {
    return of(id, r, null);
  }

  /** The plan of a request. */
  static TrainPlan of(String id, TrainRequest r, CheckpointPlan checkpoints) {
    return new TrainPlan(
        id,
        RowLayout.of(r.tiles()),
        GraphJson.write(r.gradient()),
        GraphJson.write(r.update()),
        r.evaluate() == null ? null : GraphJson.write(r.evaluate()),
        leaves(r.params()),
        leaves(r.state()),
        r.variances(),
        leaves(r.optState()),
        r.localBatch(),
        r.epochs(),
        r.seed(),
        r.patience(),
        r.precision(),
        r.distribution().shards(),
        r.distribution().bf16(),
        r.distribution().global() && r.numWorkers() > 1,
        checkpoints);
  }

  /** Initial values of parameters, statistics and optimizer state, one after the other. */
  float[] values() {
    List<Leaf> all = new ArrayList<>(params);
    all.addAll(state);
    all.addAll(optState);
    int n = all.stream().mapToInt(l -> l.value().length / 4).sum();
    FloatBuffer values = FloatBuffer.allocate(n);
    for (Leaf l : all) {
      values.put(ByteBuffer.wrap(l.value()).order(ByteOrder.nativeOrder()).asFloatBuffer());
    }
    return values.array();
  }

  /** Those of {@link #values} that are learnt: parameters and statistics, which come first. */
  float[] learnt(float[] values) {
    int n =
        Stream.of(params, state).flatMap(List::stream).mapToInt(l -> l.value().length / 4).sum();
    return Arrays.copyOf(values, n);
  }

  /** The part of {@link #values} that is a statistic. */
  FloatBuffer statistic(float[] values, String name) {
    int at = params.stream().mapToInt(l -> l.value().length / 4).sum();
    int i = 0;
    for (; !state.get(i).name().equals(name); i++) {
      at += state.get(i).value().length / 4;
    }
    return FloatBuffer.wrap(values, at, state.get(i).value().length / 4).slice();
  }

  /** What {@link #values} or {@link #learnt} gave as tensors, by the graphs' names; copies. */
  Map<String, Tensor> tensors(float[] values) {
    Map<String, List<Leaf>> groups = new LinkedHashMap<>();
    groups.put("param:", params);
    groups.put("state:", state);
    groups.put("opt:", optState);
    Map<String, Tensor> all = new LinkedHashMap<>();
    FloatBuffer from = FloatBuffer.wrap(values);
    groups.forEach(
        (prefix, leaves) -> {
          for (Leaf l : leaves) {
            if (from.hasRemaining()) {
              Buffer b = Buffer.collected(l.value().length);
              b.bytes().asFloatBuffer().put(0, from, from.position(), l.value().length / 4);
              from.position(from.position() + l.value().length / 4);
              all.put(prefix + l.name(), Tensor.of(TensorType.of(DType.F32, l.dims()), b));
            }
          }
        });
    return all;
  }

  static List<Leaf> leaves(ParamTree tree) {
    List<Leaf> all = new ArrayList<>();
    for (String name : tree.names()) {
      all.add(new Leaf(name, tree.get(name).shape().dims(), bytes(tree.get(name))));
    }
    return all;
  }

  private static byte[] bytes(Tensor t) {
    Buffer b = t.buffer();
    byte[] out = new byte[b.size()];
    b.bytes().get(0, out);
    return out;
  }
}
