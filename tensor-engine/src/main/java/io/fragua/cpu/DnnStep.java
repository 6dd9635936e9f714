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

  /** What is added to may become the result, if the primitive does not read it besides. */
  @Override
  boolean inPlace(Value read, Value written) {
    return read == built.added()
        && built.operands().stream().noneMatch(o -> !o.written() && o.value() == read);
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
    private final OneDnn.At at = new OneDnn.At();

    /** Where what is added to lies, and where it has to be; null if it is there. */
    private final Place added;

    private final Place sum;
    private ByteBuffer from;
    private ByteBuffer to;

    Run(CpuExecution x) {
      this.x = x;
      stream = x.stream();
      sum = x.place(writes().get(0));
      Place a = built.added() == null ? sum : x.place(built.added());
      added = a.equals(sum) ? null : a;
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
        long offset = p.offset() + o.offset() + x.piece() * o.shift();
        memories[i].set_data_handle(at.set(x.address(p.slot()) + offset));
      }
      if (added != null) {
        from = x.bytes(added.slot());
        to = x.bytes(sum.slot());
      }
      if (scratchBytes() > 0) {
        scratch.set_data_handle(at.set(x.address(0) + x.scratch(DnnStep.this).offset()));
      }
    }

    @Override
    public void run() {
      if (added != null) {
        int bytes = (int) built.added().type.byteSize();
        to.put(sum.offset(), from, added.offset(), bytes);
      }
      OneDnn.threads(x.threads());
      built.primitive().execute(stream, args);
    }

    @Override
    public void unbind() {
      from = null;
      to = null;
    }

    @Override
    public void close() {
      args.close();
      scratch.close();
      for (memory m : memories) {
        m.close();
      }
      at.close();
    }
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
