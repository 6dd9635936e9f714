package io.fragua.cpu;

import io.fragua.exec.Allocator;
import io.fragua.exec.Execution;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A program with its fixed operands; what depends on them alone is there once. */
final class BoundProgram implements Program {
  private final CpuProgram program;
  private final Allocator memory;
  private final List<Buffer> kept;

  /** Memory that executions share, by slot. */
  private final Map<Integer, Buffer> shared;

  private final Executions executions = new Executions();

  BoundProgram(CpuProgram program, Map<Integer, Buffer> operands, Allocator memory) {
    this.program = program;
    this.memory = memory;
    try (CpuExecution first = program.newExecution(memory)) {
      operands.forEach(first::bindInput);
      shared = new HashMap<>(first.kept());
      program.executions().begin(); // while another is open, so that nobody closes it in between
    }
    kept = List.copyOf(shared.values());
    program.steps().stream()
        .skip(program.once())
        .flatMap(s -> s.reads().stream())
        .filter(v -> v.kind == Value.Kind.INPUT && operands.containsKey(v.input))
        .forEach(v -> shared.put(program.plan().places().get(v).slot(), operands.get(v.input)));
  }

  CpuProgram program() {
    return program;
  }

  Executions executions() {
    return executions;
  }

  Map<Integer, Buffer> shared() {
    return shared;
  }

  boolean isFixed(int input) {
    return program.options().fixed().contains(input);
  }

  @Override
  public Graph graph() {
    return program.graph();
  }

  @Override
  public Execution newExecution(Allocator allocator) {
    executions.begin();
    return new CpuExecution(this, allocator); // ends it if it fails
  }

  @Override
  public Program bindFixed(Map<Integer, Buffer> operands, Allocator allocator) {
    return program.bindFixed(operands, allocator);
  }

  @Override
  public long workspaceBytes() {
    return program.workspaceBytes();
  }

  @Override
  public String explain() {
    return program.explain();
  }

  @Override
  public Map<String, String> passes() {
    return program.passes();
  }

  @Override
  public void close() {
    if (executions.close()) {
      kept.forEach(memory::free);
      program.executions().end();
    }
  }
}
