package io.fragua.cpu;

import io.fragua.exec.Allocator;
import io.fragua.exec.Execution;
import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.Check;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;

/**
 * Interprets a graph with a buffer for each value and one for each result. Results are copied out
 * after all of them are known, so that they may be bound over donated operands, even crosswise. Not
 * thread-safe.
 */
final class ReferenceExecution implements Execution {
  private final Graph graph;
  private final Map<Integer, Buffer> bound;
  private final Allocator allocator;
  private final List<Buffer> owned = new ArrayList<>();
  private final Buffer[] values;
  private final Buffer[] computed; // per result: its value, or a copy if it is an operand itself
  private final Buffer[] outputs;
  private boolean closed;

  ReferenceExecution(Graph graph, Allocator allocator) {
    this(graph, Map.of(), allocator);
  }

  /**
   * With operands that were bound for all executions.
   *
   * @param bound operands that stay as they are, by position
   */
  ReferenceExecution(Graph graph, Map<Integer, Buffer> bound, Allocator allocator) {
    this.graph = graph;
    this.bound = bound;
    this.allocator = allocator;
    values = new Buffer[graph.values()];
    computed = new Buffer[graph.outputs().size()];
    outputs = new Buffer[graph.outputs().size()];
    try {
      for (int v = 0; v < values.length; v++) {
        Buffer given = graph.constant(v) != null ? graph.constant(v).buffer() : bound.get(v);
        values[v] = given != null ? given : allocate(graph.type(v));
      }
      for (int i = 0; i < outputs.length; i++) {
        int v = graph.outputs().get(i).value();
        outputs[i] = allocate(graph.type(v));
        computed[i] = v < graph.inputs().size() ? allocate(graph.type(v)) : values[v];
      }
    } catch (RuntimeException | OutOfMemoryError e) {
      close();
      throw e;
    }
  }

  private Buffer allocate(TensorType t) {
    Buffer b = allocator.allocate(t.byteSize());
    owned.add(b);
    return b;
  }

  @Override
  public Buffer input(int i) {
    open();
    checkInput(i);
    return values[i];
  }

  @Override
  public Buffer output(int i) {
    open();
    checkOutput(i);
    return outputs[i];
  }

  @Override
  public void bindInput(int i, Buffer buffer) {
    open();
    checkInput(i);
    checkSize("input \"" + graph.inputs().get(i).name() + "\"", graph.type(i), buffer);
    values[i] = buffer;
  }

  @Override
  public void bindOutput(int i, Buffer buffer) {
    open();
    checkOutput(i);
    Graph.Output o = graph.outputs().get(i);
    checkSize("output \"" + o.name() + "\"", graph.type(o.value()), buffer);
    outputs[i] = buffer;
  }

  @Override
  public void run() {
    open();
    int v = graph.inputs().size() + graph.constants().size();
    for (Graph.Equation e : graph.equations()) {
      Buffer[] in = e.inputs().stream().map(x -> values[x]).toArray(Buffer[]::new);
      List<TensorType> types = e.inputs().stream().map(graph::type).toList();
      int end = v + e.types().size();
      ReferenceKernels.compute(e, types, in, Arrays.copyOfRange(values, v, end));
      v = end;
    }
    for (int i = 0; i < outputs.length; i++) {
      int value = graph.outputs().get(i).value();
      if (computed[i] != values[value]) {
        computed[i].copyFrom(values[value]);
      }
    }
    for (int i = 0; i < outputs.length; i++) {
      outputs[i].copyFrom(computed[i]);
    }
  }

  /** All are told of at the end, when they are copied out. */
  @Override
  public void run(IntConsumer complete) {
    run();
    for (int i = 0; i < outputs.length; i++) {
      complete.accept(i);
    }
  }

  @Override
  public void close() {
    closed = true;
    owned.forEach(allocator::free);
    owned.clear();
  }

  private void open() {
    if (closed) {
      throw new IllegalStateException(
          "reference: an execution must be open: it is closed; make a new one from the program");
    }
  }

  private void checkInput(int i) {
    Check.that(
        i >= 0 && i < graph.inputs().size(),
        "reference: an operand must exist: position %d of %d; correct it",
        i,
        graph.inputs().size());
    if (bound.containsKey(i)) {
      throw Binding.alreadyBound(graph, i);
    }
  }

  private void checkOutput(int i) {
    Check.that(
        i >= 0 && i < outputs.length,
        "reference: a result must exist: position %d of %d; correct it",
        i,
        outputs.length);
  }

  private static void checkSize(String who, TensorType t, Buffer b) {
    Check.that(
        b.size() == t.byteSize(),
        "reference: a bound buffer must have its type's size: %s %s needs %d bytes, got %d; bind a"
            + " buffer of the right size",
        who,
        t,
        t.byteSize(),
        b.size());
  }
}
