package io.fragua.cpu;

import io.fragua.cpu.CpuExecution.Piece;
import io.fragua.exec.CompileOptions;
import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * A loop over rows. The carries live in the memory of the results and are updated there; rows of
 * operands and results are bound as they lie; what depends on constants alone is computed once a
 * run. Where a step does not mix the examples of a batch, each thread goes through all steps with
 * its share of the examples, so that threads wait for each other once and not in every step.
 */
final class ScanStep extends LoopStep {
  private final int xs;
  private final int length;
  private final boolean reverse;

  /** A thread's share of the examples is worth its products if it has so many. */
  private static final int MIN_EXAMPLES = 16;

  private final CpuProgram body;

  ScanStep(Value call, List<Value> all, CompileOptions options) {
    super(call, needed(all, call.attrs.integer("carries")), call.attrs.integer("carries"));
    xs = call.attrs.integer("xs");
    length = call.attrs.integer("length");
    reverse = call.attrs.integer("reverse") == 1;
    Graph g = ReferenceControl.saving((Graph) call.attrs.body("body"), call.attrs.ints("save"));
    body = body(asked(g, all, results), options);
  }

  private CpuProgram body(Graph g, CompileOptions options) {
    int n = options.threads();
    if (n > 1 && carries > 0 && call.args.get(0).shape().rank() > 1) {
      int examples = call.args.get(0).shape().dim(0);
      if (examples % n == 0 && examples / n >= MIN_EXAMPLES) {
        CpuProgram p = compile(g, options, carries, carries + xs, n);
        if (p != null) {
          return p;
        }
      }
    }
    return compile(g, options, carries, carries + xs);
  }

  @Override
  long scratchBytes() {
    return workspace(body) * body.pieces();
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
    private final CpuExecution[] pieces = new CpuExecution[body.pieces()];
    private final IntConsumer work = this::loop;
    private final Buffer[] init = new Buffer[carries];
    private final Buffer[] carry = new Buffer[carries];

    /** [operand or result][row]. */
    private final Piece[][] in = new Piece[xs][length];

    private final Piece[][] out = new Piece[results.size() - carries][length];

    Run(CpuExecution x) {
      this.x = x;
      for (int i = 0; i < pieces.length; i++) {
        Buffer own = scratch(x, i * workspace(body), body.plan().workspaceBytes());
        pieces[i] = body.nested(x, own, i);
      }
    }

    @Override
    public void rebind() {
      for (int i = 0; i < carries; i++) {
        init[i] = operand(x, i).buffer;
        Piece p = result(x, i);
        carry[i] = p.buffer;
        for (CpuExecution step : pieces) {
          step.bindInput(i, p);
          step.bindOutput(i, p);
        }
      }
      for (int i = 0; i < xs; i++) {
        rows(operand(x, carries + i).buffer, in[i]);
      }
      for (int i = carries + xs; i < call.args.size(); i++) {
        Piece p = operand(x, i);
        for (CpuExecution step : pieces) {
          step.bindInput(i, p);
        }
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
      if (pieces.length > 1) {
        x.pool().run(pieces.length, work);
      } else {
        loop(0);
      }
    }

    private void loop(int piece) {
      CpuExecution step = pieces[piece];
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
      for (CpuExecution step : pieces) {
        if (step != null) {
          step.close();
        }
      }
    }
  }

  @Override
  String describe() {
    return "scan of "
        + length
        + " steps"
        + (reverse ? ", last first" : "")
        + (body.pieces() > 1 ? ", in " + body.pieces() + " pieces" : "")
        + ", "
        + carries
        + " carries, "
        + xs
        + " scanned over";
  }
}
