package io.fragua.cpu;

import io.fragua.exec.Allocator;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Precision;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.Check;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;

/** A graph compiled for the CPU: steps, and where their values lie. */
final class CpuProgram implements Program {
  private final Graph graph;
  private final CompileOptions options;
  private final List<Step> steps = new ArrayList<>();
  private final boolean bf16;
  private final int once;
  private final int pieces;
  private final boolean inPieces;
  private final Planner.Plan plan;
  private final Completion completion;
  private final Allocator memory = new Allocator("cpu program");
  private final Buffer constants;
  private final Executions executions = new Executions();

  CpuProgram(Graph graph, CompileOptions options) {
    this(graph, options, multipliesBf16(options), 1);
  }

  /**
   * As compiled for another CPU.
   *
   * @param bf16 true if it multiplies bf16; if not, BF16 rounds values that lie as f32
   */
  CpuProgram(Graph graph, CompileOptions options, boolean bf16) {
    this(graph, options, bf16, 1);
  }

  /**
   * As {@link #CpuProgram(Graph, CompileOptions)}, for executions that compute a piece each.
   *
   * @param pieces into how many equal pieces the first axis of all that is not fixed is cut; see
   *     {@link #inPieces}
   */
  CpuProgram(Graph graph, CompileOptions options, int pieces) {
    this(graph, options, multipliesBf16(options), pieces);
  }

  private static boolean multipliesBf16(CompileOptions options) {
    return options.precision() != Precision.STRICT && OneDnn.multipliesBf16();
  }

  private CpuProgram(Graph graph, CompileOptions options, boolean bf16, int pieces) {
    this.bf16 = bf16;
    this.graph = graph;
    this.options = options;
    this.pieces = pieces;
    checkDonated();
    Simplify.Result simple = Simplify.run(graph);
    Map<Integer, Value> over = over(simple);
    Clusters.Result fused = Clusters.run(rewritten(simple, (pass, values) -> {}), over);
    Set<Value> stored = fused.stored();
    fused.clusters().forEach(c -> checkSizes(c, stored));
    Set<Value> known = Fixed.values(fused, options.fixed());
    try {
      for (Cluster c : fused.clusters()) {
        Step s = step(c, stored, fused.order(), known);
        if (s != null) {
          steps.addAll(s.all());
        }
      }
      once = Fixed.first(steps, options.fixed(), fused.results());
      List<Step> always = steps.subList(once, steps.size());
      inPieces = inPieces(always, simple.inputs());
      List<Step> tiled =
          pieces > 1
              ? List.copyOf(always)
              : Tiles.run(List.copyOf(always), fused.results(), over, options.threads());
      always.clear();
      steps.addAll(tiled);
      plan = Planner.plan(steps, once, simple.inputs(), fused.results(), options.donated());
      completion = Completion.of(steps, plan, graph);
      constants = memory.allocate(plan.constantBytes());
    } catch (RuntimeException | Error e) {
      steps.forEach(Step::close);
      throw e;
    }
    for (Value v : plan.constants()) {
      constants
          .slice(plan.places().get(v).offset(), (int) v.type.byteSize())
          .copyFrom(v.constant.buffer());
    }
  }

  /**
   * The passes between simplify and fuse: what a step can take in of those that follow it, in which
   * type values lie, and reductions that threads can share, tile by tile.
   *
   * @param after hears each pass's name and what it leaves
   */
  private List<View> rewritten(Simplify.Result simple, BiConsumer<String, List<View>> after) {
    List<View> values = Rewrite.run(simple.outputs(), this::absorbed);
    after.accept("absorb", values);
    if (options.precision() != Precision.STRICT) {
      values = stored(values);
      after.accept("store", values);
    }
    values = Rewrite.run(values, (old, now, uses) -> SharedReduce.split(now, options.threads()));
    after.accept("share", values);
    return values;
  }

  private List<View> stored(List<View> values) {
    if (options.precision() == Precision.BF16) {
      return Bf16Storage.run(values, bf16);
    }
    return bf16 ? Bf16Operands.run(values) : values;
  }

  /** Donated operands by the number of the result that may lie there. */
  private Map<Integer, Value> over(Simplify.Result simple) {
    Map<Integer, Value> over = new HashMap<>();
    options.donated().forEach((o, i) -> over.put(o, simple.inputs().get(i)));
    return over;
  }

  private Value absorbed(Value old, Value now, Rewrite.Uses uses) {
    return now.kind == Value.Kind.REDUCE
        ? Bag.fused(old, now, uses)
        : Epilogue.fused(old, now, uses, bf16 || options.precision() == Precision.BF16);
  }

  /**
   * True if a piece of each result depends on nothing but that piece of what is not fixed: rows of
   * a batch, for instance, that do not mix.
   */
  private boolean inPieces(List<Step> always, List<Value> inputs) {
    Set<Value> inside = new HashSet<>();
    inputs.stream().filter(v -> !Fixed.isFixed(v, options.fixed())).forEach(inside::add);
    always.forEach(s -> inside.addAll(s.writes()));
    return pieces > 1
        && inside.stream().allMatch(v -> v.size() % pieces == 0)
        && always.stream().allMatch(s -> s.inPieces(pieces, inside));
  }

  /** Everything that will be in memory must fit a buffer; what stays in a kernel has no size. */
  private static void checkSizes(Cluster c, Set<Value> stored) {
    for (Value v : c.members) {
      if (v.kind != Value.Kind.IOTA && (stored.contains(v) || !v.isFusable())) {
        v.type.fits(v.name());
      }
    }
  }

  private Step step(Cluster c, Set<Value> stored, Order order, Set<Value> known) {
    Value v = c.members.get(0);
    int n = known.contains(v) ? 1 : pieces;
    return switch (v.kind) {
      case INPUT, CONSTANT, IOTA, RESULT -> null;
      case ELEMENTWISE, REDUCE -> KernelStep.of(c, stored, options.threads(), n);
      case MATMUL ->
          switch (v.type.dtype()) {
            case F64 -> new Matmul64Step(v);
            case I32, I64 -> new MatmulIntegerStep(v);
            default ->
                n == pieces && PackedMatmul.fits(v, known, options, n)
                    ? PackedMatmul.step(v, options, n)
                    : new MatmulStep(v, options);
          };
      case COPY, CONCAT, PAD -> new MoveStep(v, n);
      case GATHER, SCATTER -> new IndexStep(v, options.threads());
      case CALL -> Calls.step(v, List.of(v), options);
      case CALLS -> Calls.step(v, results(v, order), options);
    };
  }

  /** All results of a row that has several, also those that nobody reads. */
  private static List<Value> results(Value calls, Order order) {
    List<TensorType> in = calls.args.stream().map(a -> a.base().type.with(a.shape())).toList();
    List<TensorType> types = calls.op.inferAll(in, calls.attrs);
    List<Value> all = new ArrayList<>();
    for (int i = 0; i < types.size(); i++) {
      int number = i;
      TensorType t = types.get(i);
      all.add(
          order.users(calls).stream()
              .filter(r -> r.attrs.integer("result") == number)
              .findFirst()
              .orElseGet(() -> Value.result(calls, t, number)));
    }
    return all;
  }

  private void checkDonated() {
    List<TensorType> out = graph.outputTypes();
    for (Map.Entry<Integer, Integer> d : options.donated().entrySet()) {
      int o = d.getKey();
      int i = d.getValue();
      Check.that(
          o >= 0
              && o < out.size()
              && i >= 0
              && i < graph.inputs().size()
              && out.get(o).equals(graph.inputs().get(i).type())
              && options.donated().values().stream().filter(x -> x == i).count() == 1,
          "compile: a donated operand must have its result's type and serve one result: result %d"
              + " of %s over operand %d of %s; correct the map",
          o,
          out,
          i,
          graph.inputs());
    }
  }

  @Override
  public Graph graph() {
    return graph;
  }

  List<Step> steps() {
    return steps;
  }

  /** Floating-point operations of a run, as far as known. */
  double flops() {
    return steps.stream().skip(once).mapToDouble(Step::flops).sum();
  }

  /** How many steps, from the first, depend on fixed operands alone. */
  int once() {
    return once;
  }

  /** How many executions compute the program together, a piece each. */
  int pieces() {
    return pieces;
  }

  /** True if it can be computed in those pieces. */
  boolean inPieces() {
    return inPieces;
  }

  Planner.Plan plan() {
    return plan;
  }

  /** When its results are complete. */
  Completion completion() {
    return completion;
  }

  Buffer constants() {
    return constants;
  }

  CompileOptions options() {
    return options;
  }

  @Override
  public CpuExecution newExecution(Allocator allocator) {
    executions.begin();
    return new CpuExecution(this, allocator); // ends it if it fails
  }

  /** Its executions, among which programs that have its fixed operands count too. */
  Executions executions() {
    return executions;
  }

  @Override
  public Program bindFixed(Map<Integer, Buffer> operands, Allocator allocator) {
    Binding.checkFixed(graph, options, operands);
    return new BoundProgram(this, operands, allocator);
  }

  /** As {@link #nested(CpuExecution, Buffer, int)}, of a program that is not computed in pieces. */
  CpuExecution nested(CpuExecution around, Buffer workspace) {
    return nested(around, workspace, 0);
  }

  /**
   * An execution inside a step of another: with its threads, and this workspace.
   *
   * @param workspace {@link Planner.Plan#workspaceBytes} bytes
   * @param piece which piece it computes
   */
  CpuExecution nested(CpuExecution around, Buffer workspace, int piece) {
    executions.begin();
    return new CpuExecution(this, around, workspace, piece);
  }

  @Override
  public long workspaceBytes() {
    return plan.workspaceBytes() + plan.constantBytes();
  }

  @Override
  public String explain() {
    long kept = plan.keptBytes();
    StringBuilder s = new StringBuilder();
    s.append(
        String.format(
            Locale.ROOT,
            "cpu program: %d equations in %d steps, %s, %d thread%s, vectors of %d lanes%n",
            graph.equations().size(),
            steps.size(),
            options.precision() == Precision.BF16 && !bf16
                ? "BF16 in f32 (this CPU does not multiply bf16)"
                : options.precision(),
            options.threads(),
            options.threads() == 1 ? "" : "s",
            VectorRuntime.LANES));
    int n = 0;
    for (Step t : steps) {
      boolean inPlace = plan.inPlace().contains(t);
      long read = t.bytesRead(inPlace);
      long written = t.bytesWritten(inPlace);
      s.append(String.format(Locale.ROOT, "%4d  %s%s", n, n < once ? "once: " : "", t.describe()));
      n++;
      s.append(String.format(Locale.ROOT, "; reads %,d, writes %,d bytes", read, written));
      if (t.flops() > 0) {
        s.append(String.format(Locale.ROOT, "; %,.0f flops", t.flops()));
      }
      s.append("\n").append(t.details().indent(6));
    }
    for (Planner.FinalCopy c : plan.copies()) {
      s.append("      copy to output ")
          .append(graph.outputs().get(c.output()).name())
          .append(": ")
          .append(String.format(Locale.ROOT, "%,d bytes%n", c.bytes()));
    }
    s.append(
        String.format(
            Locale.ROOT,
            "peak: %,d bytes of workspace an execution, %s%,d bytes of constants; %,.0f flops in"
                + " contractions%n",
            plan.workspaceBytes(),
            kept == 0 ? "" : String.format(Locale.ROOT, "%,d of them of fixed operands, ", kept),
            plan.constantBytes(),
            flops()));
    return s.toString();
  }

  @Override
  public Map<String, String> passes() {
    Map<String, String> s = new LinkedHashMap<>();
    s.put("graph", graph.toString());
    Simplify.Result simple = Simplify.run(graph);
    s.put("simplify", PassPrinter.values(simple.outputs()));
    List<View> values = rewritten(simple, (pass, v) -> s.put(pass, PassPrinter.values(v)));
    s.put("fuse", PassPrinter.clusters(Clusters.run(values, over(simple))));
    s.put("plan", PassPrinter.plan(this));
    return s;
  }

  @Override
  public void close() {
    if (executions.close()) {
      steps.forEach(Step::close);
      memory.free(constants);
      memory.close();
    }
  }
}
