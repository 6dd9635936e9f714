package io.fragua.cpu;

import io.fragua.cpu.CpuExecution.Piece;
import io.fragua.exec.CompileOptions;
import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import java.util.List;

/**
 * A loop over rows. The carries live in the memory of the results and are updated there; rows of
 * operands and results are bound as they lie; what depends on constants alone is computed once a
 * run.
 */
final class ScanStep extends LoopStep {
  private final int xs;
  private final int length;
  private final boolean reverse;
  private final CpuProgram body;

  ScanStep(Value call, List<Value> all, CompileOptions options) {
    super(call, needed(all, call.attrs.integer("carries")), call.attrs.integer("carries"));
    xs = call.attrs.integer("xs");
    length = call.attrs.integer("length");
    reverse = call.attrs.integer("reverse") == 1;
    Graph g = ReferenceControl.saving((Graph) call.attrs.body("body"), call.attrs.ints("save"));
    body = compile(asked(g, all, results), options, carries, carries + xs);
  }

  @Override
  long scratchBytes() {
    return workspace(body);
  }

  @Override
  double flops() {
    return body.flops() * length;
  }

  @Override
  Bound bind(CpuExecution x) {
    return new Run(x);
  }

  private final class Run implements Bound {
    private final CpuExecution x;
    private final CpuExecution step;
    private final Buffer[] init = new Buffer[carries];
    private final Buffer[] carry = new Buffer[carries];

    /** [operand or result][row]. */
    private final Piece[][] in = new Piece[xs][length];

    private final Piece[][] out = new Piece[results.size() - carries][length];

    Run(CpuExecution x) {
      this.x = x;
      step = body.nested(x, scratch(x, 0, body.plan().workspaceBytes()));
    }

    @Override
    public void rebind() {
      for (int i = 0; i < carries; i++) {
        init[i] = operand(x, i).buffer;
        Piece p = result(x, i);
        carry[i] = p.buffer;
        step.bindInput(i, p);
        step.bindOutput(i, p);
      }
      for (int i = 0; i < xs; i++) {
        rows(operand(x, carries + i).buffer, in[i]);
      }
      for (int i = carries + xs; i < call.args.size(); i++) {
        step.bindInput(i, operand(x, i));
      }
      for (int i = 0; i < out.length; i++) {
        rows(result(x, carries + i).buffer, out[i]);
      }
    }

    private void rows(Buffer b, Piece[] rows) {
      for (int i = 0; i < length; i++) {
        int size = b.size() / length;
        rows[i] = new Piece(b.slice(i * size, size));
      }
    }

    @Override
    public void run() {
      for (int i = 0; i < carries; i++) {
        carry[i].copyFrom(init[i]);
      }
      step.stale();
      for (int s = 0; s < length; s++) {
        int row = reverse ? length - 1 - s : s;
        for (int i = 0; i < xs; i++) {
          step.bindInput(carries + i, in[i][row]);
        }
        for (int i = 0; i < out.length; i++) {
          step.bindOutput(carries + i, out[i][row]);
        }
        step.run();
      }
    }

    @Override
    public void close() {
      step.close();
    }
  }

  @Override
  String describe() {
    return "scan of "
        + length
        + " steps"
        + (reverse ? ", last first" : "")
        + ", "
        + carries
        + " carries, "
        + xs
        + " scanned over";
  }
}
