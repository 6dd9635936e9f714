package io.fragua.cpu;

import io.fragua.exec.CompileOptions;
import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import java.util.List;

/** One of two functions; the other is not run. */
final class CondStep extends LoopStep {
  private final CpuProgram yes;
  private final CpuProgram no;

  CondStep(Value call, List<Value> all, CompileOptions options) {
    super(call, needed(all, 0), 0);
    // operands may change from run to run, so none is fixed
    int n = call.args.size() - 1;
    yes = compile(asked((Graph) call.attrs.body("on_true"), all, results), options, 0, n);
    no = compile(asked((Graph) call.attrs.body("on_false"), all, results), options, 0, n);
  }

  @Override
  long scratchBytes() {
    return Math.max(workspace(yes), workspace(no));
  }

  @Override
  Bound bind(CpuExecution x) {
    return new Run(x);
  }

  private final class Run implements Bound {
    private final CpuExecution x;
    private final CpuExecution first;
    private final CpuExecution second;
    private Buffer condition;

    Run(CpuExecution x) {
      this.x = x;
      first = yes.nested(x, scratch(x, 0, yes.plan().workspaceBytes()));
      try {
        second = no.nested(x, scratch(x, 0, no.plan().workspaceBytes()));
      } catch (RuntimeException | Error e) {
        first.close();
        throw e;
      }
    }

    @Override
    public void rebind() {
      condition = operand(x, 0).buffer;
      for (CpuExecution f : List.of(first, second)) {
        for (int i = 1; i < call.args.size(); i++) {
          f.bindInput(i - 1, operand(x, i));
        }
        for (int i = 0; i < results.size(); i++) {
          f.bindOutput(i, result(x, i));
        }
      }
    }

    @Override
    public void run() {
      CpuExecution f = condition.bytes().get(0) != 0 ? first : second;
      f.stale(); // others have used the workspace
      f.run();
    }

    @Override
    public void close() {
      first.close();
      second.close();
    }
  }

  @Override
  String describe() {
    return "cond: one of two programs";
  }
}
