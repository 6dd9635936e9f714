package io.fragua.examples.bench;

import io.fragua.exec.Allocator;
import io.fragua.exec.Backends;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Execution;
import io.fragua.exec.Profile;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.graph.Tracer;
import io.fragua.nn.Network;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

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

  /**
   * Compiles a network that is not training, its parameters and state fixed.
   *
   * @param x its operand, a batch
   * @param options precision and threads
   */
  static ProgramRun inference(
      Network.Body body, Network.Variables v, Tensor x, CompileOptions options) {
    Map<String, Tensor> in = new LinkedHashMap<>(Map.of("x", x));
    in.putAll(v.params().asMap());
    in.putAll(v.state().asMap());
    List<Graph.Input> inputs = new ArrayList<>();
    in.forEach((k, t) -> inputs.add(new Graph.Input(k, t.type())));
    int params = 1 + v.params().size();
    Graph g =
        Tracer.trace(
            inputs,
            List.of("y"),
            a -> {
              Network.Variables now =
                  new Network.Variables(
                      v.params().withLeaves(a.subList(1, params)),
                      v.state().withLeaves(a.subList(params, a.size())));
              return List.of(Network.apply(body, now, a.subList(0, 1), false, null, null).output());
            });
    Set<Integer> fixed = new HashSet<>();
    for (int i = 1; i < inputs.size(); i++) {
      fixed.add(i);
    }
    return new ProgramRun(g, options.withFixed(fixed), in, 1);
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
