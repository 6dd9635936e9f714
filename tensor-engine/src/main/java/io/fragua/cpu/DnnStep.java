package io.fragua.cpu;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.Pointer;

/**
 * One primitive of oneDNN on values in memory. The primitive is built once, by {@link DnnBuilder},
 * and shared; each execution has its own memory handles.
 */
final class DnnStep extends Step {
  private final DnnBuilder built;
  private final String text;
  private final double flops;
  private final List<Step> all;

  DnnStep(
      DnnBuilder built, String text, double flops, List<Step> before, List<? extends Step> after) {
    super(built.reads(), built.writes());
    this.built = built;
    this.text = text;
    this.flops = flops;
    List<Step> steps = new ArrayList<>(before);
    steps.add(this);
    steps.addAll(after);
    all = List.copyOf(steps);
  }

  @Override
  List<Step> all() {
    return all;
  }

  @Override
  long scratchBytes() {
    return built.scratchBytes();
  }

  @Override
  double flops() {
    return flops;
  }

  @Override
  boolean inPieces(int count, Set<Value> inside) {
    return built.inPieces(inside);
  }

  @Override
  Bound bind(CpuExecution x) {
    return new Run(x);
  }

  private final class Run implements Bound {
    private final CpuExecution x;
    private final memory[] memories = new memory[built.operands().size()];
    private final memory scratch;
    private final IntMemoryMap args = new IntMemoryMap();
    private final stream stream;

    Run(CpuExecution x) {
      this.x = x;
      stream = x.stream();
      try (Pointer none = new Pointer()) {
        for (int i = 0; i < memories.length; i++) {
          DnnBuilder.Operand o = built.operands().get(i);
          memories[i] = new memory(o.desc(), OneDnn.engine(), none);
          args.put(o.key(), memories[i]);
        }
        scratch = new memory(built.scratch(), OneDnn.engine(), none);
        args.put(dnnl.DNNL_ARG_SCRATCHPAD, scratch);
      }
      built.constants().forEach(args::put);
    }

    @Override
    public void rebind() {
      for (int i = 0; i < memories.length; i++) {
        DnnBuilder.Operand o = built.operands().get(i);
        Place p = x.place(o.value());
        handle(memories[i], x.bytes(p.slot()), p.offset() + o.offset() + x.piece() * o.shift());
      }
      if (scratchBytes() > 0) {
        handle(scratch, x.bytes(0), x.scratch(DnnStep.this).offset());
      }
    }

    private static void handle(memory m, ByteBuffer b, long offset) {
      try (Pointer start = new Pointer(b);
          OneDnn.At at = new OneDnn.At(start.address() + offset)) {
        m.set_data_handle(at);
      }
    }

    @Override
    public void run() {
      built.primitive().execute(stream, args);
    }

    @Override
    public void close() {
      args.close();
      scratch.close();
      for (memory m : memories) {
        m.close();
      }
    }
  }

  @Override
  boolean contracts() {
    return true;
  }

  @Override
  String describe() {
    return text + " (" + built.implementation() + ")";
  }

  @Override
  void close() {
    built.close();
  }
}
