package io.fragua.cpu;

import io.fragua.exec.CompileOptions;
import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.Check;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * A step that runs compiled functions. Their workspace is scratch memory of this step, their
 * operands and results are bound to memory of the program around, row by row where there are rows,
 * so that nothing is copied into or out of a function.
 */
abstract class LoopStep extends Step {
  private static final int ALIGN = 64;

  /** What is computed; its arguments are dense. */
  final Value call;

  /** The results that are computed, in order. */
  final List<Value> results;

  /** How many of the first results go from step to step, taking the place of the first operands. */
  final int carries;

  private final List<CpuProgram> programs = new ArrayList<>();

  LoopStep(Value call, List<Value> results, int carries) {
    super(call.args.stream().map(View::base).distinct().toList(), results);
    this.call = call;
    this.results = results;
    this.carries = carries;
  }

  /** Results that somebody reads, and the first ones in any case. */
  static List<Value> needed(List<Value> results, int first) {
    return IntStream.range(0, results.size())
        .filter(i -> i < first || results.get(i).id >= 0)
        .mapToObj(results::get)
        .toList();
  }

  /** The function with those results that are computed. */
  static Graph asked(Graph g, List<Value> all, List<Value> needed) {
    Set<Value> set = new HashSet<>(needed);
    List<Graph.Output> outputs =
        IntStream.range(0, all.size())
            .filter(i -> set.contains(all.get(i)))
            .mapToObj(g.outputs()::get)
            .toList();
    return new Graph(g.inputs(), g.constants(), g.equations(), outputs);
  }

  /**
   * Compiles a function.
   *
   * @param carried how many of its results take the place of its first operands
   * @param fixed the first of the operands that stay the same from step to step
   */
  final CpuProgram compile(Graph g, CompileOptions around, int carried, int fixed) {
    return compile(g, around, carried, fixed, 1);
  }

  /**
   * As {@link #compile(Graph, CompileOptions, int, int)}, in pieces that run at the same time with
   * one thread each.
   *
   * @return null if it cannot be cut into so many
   */
  final CpuProgram compile(Graph g, CompileOptions around, int carried, int fixed, int pieces) {
    Map<Integer, Integer> donated = new HashMap<>();
    IntStream.range(0, carried).forEach(i -> donated.put(i, i));
    Set<Integer> same = new HashSet<>();
    IntStream.range(fixed, g.inputs().size()).forEach(same::add);
    try {
      int threads = pieces == 1 ? around.threads() : 1;
      CpuProgram p =
          new CpuProgram(g, new CompileOptions(around.precision(), threads, donated, same), pieces);
      if (pieces > 1 && !p.inPieces()) {
        p.close();
        return null;
      }
      programs.add(p);
      Check.that(
          p.plan().workspaceBytes() <= Arena.most(),
          "cpu: the body of a loop or branch needs at most %d bytes of workspace: %d; use smaller"
              + " batches",
          Arena.most(),
          p.plan().workspaceBytes());
      return p;
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  static long aligned(long bytes) {
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
  }

  static long workspace(CpuProgram p) {
    return aligned(p.plan().workspaceBytes());
  }

  /** A piece of this step's scratch memory. */
  final Buffer scratch(CpuExecution x, long offset, long size) {
    Place p = x.scratch(this);
    return x.buffer(new Place(p.slot(), Math.toIntExact(p.offset() + offset)), size);
  }

  final CpuExecution.Piece operand(CpuExecution x, int i) {
    return new CpuExecution.Piece(x.buffer(call.args.get(i).base()));
  }

  final CpuExecution.Piece result(CpuExecution x, int i) {
    return new CpuExecution.Piece(x.buffer(results.get(i)));
  }

  /** A carry may take the place of what it starts as, if that is not read besides. */
  @Override
  boolean inPlace(Value read, Value written) {
    int i = results.indexOf(written);
    return i < carries
        && call.args.get(i).base() == read
        && call.args.stream().filter(a -> a.base() == read).count() == 1;
  }

  @Override
  String details() {
    StringBuilder s = new StringBuilder();
    programs.forEach(p -> s.append(p.explain()));
    return s.toString();
  }

  @Override
  void close() {
    programs.forEach(CpuProgram::close);
  }
}
