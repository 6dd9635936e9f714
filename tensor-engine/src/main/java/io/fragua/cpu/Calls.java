package io.fragua.cpu;

import io.fragua.exec.CompileOptions;
import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.TensorType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Which step computes a row that is neither fused nor a product. A row that is not named here runs
 * by its definition, one element after another, and {@code explain} says so.
 */
final class Calls {
  /** Makes the step for a value whose arguments are dense. */
  interface Factory {
    Step of(Value v, CompileOptions options);
  }

  /** As {@link Factory}, for a row with several results. */
  interface Many {
    Step of(Value v, List<Value> results, CompileOptions options);
  }

  private static final Map<String, Factory> STEPS = new HashMap<>();
  private static final Map<String, Many> MANY = new HashMap<>();

  static {
    STEPS.put("argmax", (v, o) -> new ArgmaxStep(v));
    MANY.put("cond", CondStep::new);
    MANY.put("scan", ScanStep::new);
    MANY.put("while_loop", WhileStep::new);
    CumulativeStep.ROWS.forEach(op -> STEPS.put(op, (v, o) -> new CumulativeStep(v, o.threads())));
    STEPS.put("conv", Calls::conv);
    STEPS.put("conv_input_grad", Calls::conv);
    STEPS.put("conv_kernel_grad", Calls::conv);
    List.of("sum_pool", "max_pool", "max_pool_grad", "max_pool_take")
        .forEach(op -> STEPS.put(op, PoolStep::new));
    STEPS.put("scatter", (v, o) -> new ScatterStep(v, o.threads()));
    STEPS.put("dynamic_slice", (v, o) -> DynamicSliceStep.of(v));
    STEPS.put("dynamic_update_slice", (v, o) -> DynamicSliceStep.of(v));
    MANY.put("sort", SortStep::new);
    STEPS.put("fft", (v, o) -> new FftStep(v));
    Lapack.ROWS.forEach(r -> MANY.put(r, (v, results, o) -> new LibraryStep(v, results, "LAPACK")));
  }

  private Calls() {}

  /** The step that computes these, all results of the row. */
  static Step step(Value v, List<Value> results, CompileOptions options) {
    Factory one = STEPS.get(v.op.name());
    Many many = MANY.get(v.op.name());
    if (many != null) {
      return many.of(v, results, options);
    }
    return one != null ? one.of(v, options) : new Interpreted(v, results);
  }

  private static Step conv(Value v, CompileOptions options) {
    DType t = v.args.get(0).base().type.dtype();
    boolean byOneDnn = t == DType.F32 || t == DType.BF16 && OneDnn.multipliesBf16();
    return byOneDnn && !ConvFaults.isEmpty(v)
        ? Convs.step(v, options)
        : new Interpreted(v, List.of(v));
  }

  /** The row's definition. */
  private static final class Interpreted extends CallsStep {
    private final Graph.Equation equation;
    private final List<TensorType> types;

    Interpreted(Value v, List<Value> results) {
      super(v, results);
      equation =
          new Graph.Equation(
              v.op,
              v.attrs,
              IntStream.range(0, v.args.size()).boxed().toList(),
              results.stream().map(r -> r.type).toList());
      types = IntStream.range(0, v.args.size()).mapToObj(this::operand).toList();
      ReferenceKernels.require(equation);
    }

    @Override
    void run(Buffer[] in, Buffer[] out, Buffer scratch) {
      ReferenceKernels.compute(equation, types, in, out);
    }

    @Override
    String describe() {
      return super.describe() + ", interpreted";
    }
  }
}
