package io.fragua.arrow;

import io.fragua.exec.Allocator;
import io.fragua.exec.Backends;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Execution;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.graph.GraphJson;
import io.fragua.graph.Tracer;
import io.fragua.io.Safetensors;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A compiled model with its weights, and what is made of them for its products: one of each per
 * process, shared by its tasks. Thread-safe.
 */
final class LoadedModel implements AutoCloseable {
  private final Allocator memory;
  private final Program compiled;
  private final Program program; // with the weights

  LoadedModel(ScoreModel m, ModelKey key) {
    Graph graph = only(m.graph(key.rows()), key.outputs(m));
    Map<String, Tensor> tensors = Safetensors.read(m.safetensors(), "model " + m.uid()).tensors();
    Map<Integer, Buffer> weights = new HashMap<>(); // by input position
    Set<String> tiles = new HashSet<>();
    m.tiles().forEach(t -> tiles.add(t.name()));
    for (int i = 0; i < graph.inputs().size(); i++) {
      Graph.Input in = graph.inputs().get(i);
      if (!tiles.contains(in.name())) {
        Tensor w = tensors.get(in.name());
        Check.that(
            w != null && w.type().equals(in.type()),
            "model %s: the weights must hold every input that is no tile: \"%s\" %s, found %s; the"
                + " model is damaged",
            m.uid(),
            in.name(),
            in.type(),
            w == null ? "none" : w.type());
        weights.put(i, w.buffer());
      }
    }
    CompileOptions options =
        CompileOptions.DEFAULT
            .withPrecision(key.precision())
            .withThreads(key.threads())
            .withFixed(weights.keySet());
    compiled = Backends.get(key.backend()).compile(graph, options);
    memory = new Allocator("model " + m.uid());
    try {
      program = compiled.bindFixed(weights, memory);
    } catch (RuntimeException | Error e) {
      memory.close();
      compiled.close();
      throw e;
    }
  }

  /** The part of the graph that the columns need, with all its inputs. */
  private static Graph only(Graph graph, List<OutputSpec> columns) {
    List<String> names = columns.stream().map(OutputSpec::graphOutput).distinct().toList();
    return Tracer.trace(
        graph.inputs(),
        names,
        args -> {
          List<Tensor> results = graph.call(args);
          return names.stream().map(n -> results.get(graph.output(n))).toList();
        });
  }

  Graph graph() {
    return program.graph();
  }

  /** An execution with the weights; the tiles are its own memory. */
  Execution newExecution(Allocator allocator) {
    return program.newExecution(allocator);
  }

  @Override
  public void close() {
    program.close();
    compiled.close();
    memory.close();
  }

  /**
   * Checks on the driver that graph, tiles and outputs fit together.
   *
   * @throws IllegalArgumentException naming the first that does not
   */
  static void check(ScoreModel m) {
    Graph graph = GraphJson.read(m.graphJson());
    for (TileSpec t : m.tiles()) {
      TensorType type = graph.inputs().get(graph.input(t.name())).type();
      Shape s = type.shape();
      boolean fits =
          type.dtype() == t.dtype()
              && s.rank() >= 1
              && s.dim(0) == m.batchRows()
              && (s.rank() == 2 && s.dim(1) == t.width() || s.rank() == 1 && t.width() == 1);
      Check.that(
          fits,
          "model %s: a tile must have the type of its graph input: tile %s is %s[%d, %d], the input"
              + " %s; trace the graph for this batch size and these columns",
          m.uid(),
          t.name(),
          t.dtype(),
          m.batchRows(),
          t.width(),
          type);
    }
    for (OutputSpec o : m.outputs()) {
      TensorType type = graph.outputTypes().get(graph.output(o.graphOutput()));
      Shape s = type.shape();
      boolean vector = o.kind() == OutputSpec.Kind.VECTOR;
      boolean fits =
          s.rank() == (vector ? 2 : 1)
              && s.dim(0) == m.batchRows()
              && type.dtype() != DType.BOOL
              && (o.kind() != OutputSpec.Kind.INT || type.dtype().isInteger());
      Check.that(
          fits,
          "model %s: column %s (%s) needs a result of shape %s: \"%s\" is %s; reshape or cast it in"
              + " the graph",
          m.uid(),
          o.column(),
          o.kind(),
          vector ? "[" + m.batchRows() + ", K]" : "[" + m.batchRows() + "]",
          o.graphOutput(),
          type);
    }
  }
}
