package io.fragua.examples.bench;

import io.fragua.exec.Allocator;
import io.fragua.exec.Backends;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Execution;
import io.fragua.exec.Profile;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/** A compiled graph with its operands bound; a run is one {@link Execution#run}. */
final class ProgramRun implements Workload.Ours {
  private final Map<String, Tensor> inputs;
  private final int firstRuns;
  private final Allocator memory = new Allocator("bench");
  private final Program program;
  private final Execution execution;

  /**
   * Compiles and binds.
   *
   * @param inputs the graph's operands by name; copied, so that donated ones may be overwritten
   * @param firstRuns runs before results are compared
   */
  ProgramRun(Graph graph, CompileOptions options, Map<String, Tensor> inputs, int firstRuns) {
    this.inputs = inputs;
    this.firstRuns = firstRuns;
    program = Backends.cpu().compile(graph, options);
    execution = program.newExecution(memory);
    for (int i = 0; i < graph.inputs().size(); i++) {
      execution.input(i).copyFrom(inputs.get(graph.inputs().get(i).name()).buffer());
    }
    options.donated().forEach((o, i) -> execution.bindOutput(o, execution.input(i)));
  }

  @Override
  public Map<String, Tensor> inputs() {
    return inputs;
  }

  @Override
  public Map<String, Tensor> outputs() {
    for (int i = 0; i < firstRuns; i++) {
      run();
    }
    Map<String, Tensor> results = new LinkedHashMap<>();
    Graph g = program.graph();
    for (int o = 0; o < g.outputs().size(); o++) {
      Buffer copy = Buffer.collected(execution.output(o).size());
      copy.copyFrom(execution.output(o));
      results.put(g.outputs().get(o).name(), Tensor.of(g.outputTypes().get(o), copy));
    }
    return results;
  }

  @Override
  public void run() {
    execution.run();
  }

  @Override
  public Profile profile(int runs) {
    return execution.profile(runs);
  }

  @Override
  public void close() {
    execution.close();
    program.close();
    memory.close();
  }
}
