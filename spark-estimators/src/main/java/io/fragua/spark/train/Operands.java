package io.fragua.spark.train;

import io.fragua.exec.Allocator;
import io.fragua.exec.Execution;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * Memory by operand name, and the executions of programs that share it: operands and results of one
 * name are in one place, so nothing is copied between programs. Used by one thread.
 */
final class Operands implements AutoCloseable {
  private final Allocator allocator;
  private final List<Buffer> owned = new ArrayList<>();
  private final List<Execution> executions = new ArrayList<>();
  private final Map<String, Buffer> named = new HashMap<>();

  /**
   * No memory yet.
   *
   * @param owner for reports of leaks
   */
  Operands(String owner) {
    allocator = new Allocator(owner);
  }

  /** Memory without a name, for what no program reads; not set. */
  Buffer allocate(long size) {
    Buffer b = allocator.allocate(size);
    owned.add(b);
    return b;
  }

  /** New memory of this name; not set. */
  Buffer add(String name, long size) {
    Buffer b = allocate(size);
    named.put(name, b);
    return b;
  }

  /** New memory of this name, all zeros. */
  Buffer zeros(String name, long size) {
    Buffer b = add(name, size);
    zero(b.bytes(), 0, b.size());
    return b;
  }

  /** Gives memory a name, which may have more than one and may belong to somebody else. */
  void put(String name, Buffer b) {
    named.put(name, b);
  }

  /** Gives memory a name unless other memory has it. */
  void putIfAbsent(String name, Buffer b) {
    named.putIfAbsent(name, b);
  }

  /** The memory of this name; null if there is none. */
  Buffer get(String name) {
    return named.get(name);
  }

  /** An execution that reads its operands here; its results are its own until they are bound. */
  Execution execution(Program p) {
    Execution e = p.newExecution(allocator);
    executions.add(e);
    bindInputs(e, p.graph());
    return e;
  }

  /** Reads operands from what has their names now. */
  void bindInputs(Execution e, Graph g) {
    for (int i = 0; i < g.inputs().size(); i++) {
      e.bindInput(i, named.get(g.inputs().get(i).name()));
    }
  }

  /** Writes results to what has their names here. */
  void bindOutputs(Execution e, Graph g, UnaryOperator<String> name) {
    for (int o = 0; o < g.outputs().size(); o++) {
      e.bindOutput(o, named.get(name.apply(g.outputs().get(o).name())));
    }
  }

  /** Frees an execution before the others. */
  void close(Execution e) {
    executions.remove(e);
    e.close();
  }

  /** Sets bytes to zero. */
  static void zero(ByteBuffer b, int from, int to) {
    int i = from;
    for (; i + 8 <= to; i += 8) {
      b.putLong(i, 0);
    }
    for (; i < to; i++) {
      b.put(i, (byte) 0);
    }
  }

  /** Frees the executions and all memory that was allocated here. */
  @Override
  public void close() {
    executions.forEach(Execution::close);
    executions.clear();
    owned.forEach(allocator::free);
    owned.clear();
    allocator.close();
  }
}
