package io.fragua.cpu;

import io.fragua.tensor.Buffer;
import io.fragua.tensor.TensorType;
import java.util.List;

/**
 * A step that computes one row by code of its own, from whole operands in memory to whole results.
 * Rows are given their class in {@link Calls}; one with a single result is easier as a {@link
 * CallStep}.
 */
abstract class CallsStep extends Step {
  /** What is computed; its arguments are dense. */
  final Value call;

  /** All results of the row, in order. */
  final List<Value> results;

  CallsStep(Value call, List<Value> results) {
    super(call.args.stream().map(View::base).distinct().toList(), results);
    this.call = call;
    this.results = List.copyOf(results);
  }

  /** Type of an operand, as the row sees it. */
  final TensorType operand(int i) {
    View a = call.args.get(i);
    return a.base().type.with(a.shape());
  }

  /**
   * Computes. Buffers have the sizes of their types.
   *
   * @param in the operands
   * @param out the results; their memory holds anything
   * @param scratch {@link #scratchBytes} bytes that hold anything
   */
  abstract void run(Buffer[] in, Buffer[] out, Buffer scratch);

  @Override
  Bound bind(CpuExecution x) {
    return new Run(x);
  }

  private final class Run implements Bound {
    private final CpuExecution x;
    private final Buffer[] in = new Buffer[call.args.size()];
    private final Buffer[] out = new Buffer[results.size()];
    private Buffer scratch;

    Run(CpuExecution x) {
      this.x = x;
    }

    @Override
    public void rebind() {
      for (int i = 0; i < in.length; i++) {
        in[i] = x.buffer(call.args.get(i).base());
      }
      for (int i = 0; i < out.length; i++) {
        out[i] = x.buffer(results.get(i));
      }
      scratch = x.buffer(x.scratch(CallsStep.this), scratchBytes());
    }

    @Override
    public void run() {
      CallsStep.this.run(in, out, scratch);
    }

    @Override
    public void unbind() {
      java.util.Arrays.fill(in, null);
      java.util.Arrays.fill(out, null);
    }

    @Override
    public void close() {}
  }

  @Override
  String describe() {
    List<TensorType> in = call.args.stream().map(a -> a.base().type.with(a.shape())).toList();
    List<TensorType> out = results.stream().map(r -> r.type).toList();
    return call.name() + " " + in + " to " + (out.size() == 1 ? out.get(0) : out);
  }
}
