package io.fragua.cpu;

import io.fragua.tensor.Buffer;
import io.fragua.tensor.TensorType;
import java.util.List;

/**
 * A step that computes one row by code of its own, from whole operands in memory to a whole result.
 * Rows are given their class in {@link Calls}.
 */
abstract class CallStep extends Step {
  /** What is computed; its arguments are dense. */
  final Value result;

  CallStep(Value v) {
    super(v.args.stream().map(View::base).distinct().toList(), List.of(v));
    result = v;
  }

  /** Type of an operand, as the row sees it. */
  final TensorType operand(int i) {
    View a = result.args.get(i);
    return a.base().type.with(a.shape());
  }

  /**
   * Computes. Buffers have the sizes of their types.
   *
   * @param in the operands
   * @param out the result; its memory holds anything
   * @param scratch {@link #scratchBytes} bytes that hold anything
   */
  abstract void run(Buffer[] in, Buffer out, Buffer scratch);

  @Override
  Bound bind(CpuExecution x) {
    return new Run(x);
  }

  private final class Run implements Bound {
    private final CpuExecution x;
    private final Buffer[] in = new Buffer[result.args.size()];
    private Buffer out;
    private Buffer scratch;

    Run(CpuExecution x) {
      this.x = x;
    }

    @Override
    public void rebind() {
      for (int i = 0; i < in.length; i++) {
        Value base = result.args.get(i).base();
        in[i] = x.buffer(x.place(base), base.type.byteSize());
      }
      out = x.buffer(x.place(result), result.type.byteSize());
      scratch = x.buffer(x.scratch(CallStep.this), scratchBytes());
    }

    @Override
    public void run() {
      CallStep.this.run(in, out, scratch);
    }

    @Override
    public void close() {}
  }

  @Override
  String describe() {
    List<String> types =
        result.args.stream().map(a -> a.base().type.with(a.shape()).toString()).toList();
    return result.name() + " " + types + " to " + result.type;
  }
}
