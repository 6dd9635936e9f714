package io.fragua.cpu;

import io.fragua.cpu.CpuExecution.Piece;
import io.fragua.exec.CompileOptions;
import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import java.util.List;

/** A loop on a condition. The carries live in the memory of the results and are updated there. */
final class WhileStep extends LoopStep {
  /** Bytes in front of the workspaces, for the condition's result. */
  private static final int FRONT = 64;

  private final int consts;
  private final CpuProgram condition;
  private final CpuProgram body;

  WhileStep(Value call, List<Value> all, CompileOptions options) {
    super(call, all, all.size());
    consts = carries + call.attrs.integer("condition_consts");
    condition = compile((Graph) call.attrs.body("condition"), options, 0, carries);
    body = compile((Graph) call.attrs.body("body"), options, carries, carries);
  }

  @Override
  long scratchBytes() {
    return FRONT + workspace(condition) + workspace(body);
  }

  @Override
  Bound bind(CpuExecution x) {
    return new Run(x);
  }

  private final class Run implements Bound {
    private final CpuExecution x;
    private final CpuExecution test;
    private final CpuExecution step;
    private final Piece holds;
    private final Buffer[] init = new Buffer[carries];
    private final Buffer[] carry = new Buffer[carries];

    Run(CpuExecution x) {
      this.x = x;
      holds = new Piece(scratch(x, 0, 1));
      test = condition.nested(x, scratch(x, FRONT, condition.plan().workspaceBytes()));
      try {
        step =
            body.nested(x, scratch(x, FRONT + workspace(condition), body.plan().workspaceBytes()));
      } catch (RuntimeException | Error e) {
        test.close();
        throw e;
      }
      test.bindOutput(0, holds);
    }

    @Override
    public void rebind() {
      for (int i = 0; i < carries; i++) {
        init[i] = operand(x, i).buffer;
        Piece p = result(x, i);
        carry[i] = p.buffer;
        test.bindInput(i, p);
        step.bindInput(i, p);
        step.bindOutput(i, p);
      }
      for (int i = carries; i < call.args.size(); i++) {
        if (i < consts) {
          test.bindInput(i, operand(x, i));
        } else {
          step.bindInput(i - consts + carries, operand(x, i));
        }
      }
    }

    @Override
    public void run() {
      for (int i = 0; i < carries; i++) {
        carry[i].copyFrom(init[i]);
      }
      test.stale();
      step.stale();
      test.run();
      while (holds.buffer.bytes().get(0) != 0) {
        step.run();
        test.run();
      }
    }

    @Override
    public void close() {
      test.close();
      step.close();
    }
  }

  @Override
  String describe() {
    return "while_loop with " + carries + " carries: the condition, then the body";
  }
}
