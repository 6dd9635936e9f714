package io.fragua.cpu;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.memory_desc_vector;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.primitive_desc_base;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.dnnl.sum;
import org.bytedeco.javacpp.Pointer;

/** Gathers what a primitive of a {@link DnnStep} needs, and owns it. */
final class DnnBuilder implements AutoCloseable {
  /**
   * An argument of the primitive.
   *
   * @param key its name in oneDNN
   * @param offset of its first byte in the value
   * @param shift bytes from what one piece of the program finds there to the next; 0 if all find
   *     the same
   * @param written true if the primitive makes it
   */
  record Operand(int key, Value value, long offset, long shift, memory.desc desc, boolean written) {
    /** The same of this value, so many bytes further on. */
    Operand moved(Value to, long bytes) {
      return new Operand(key, to, offset + bytes, shift, desc, written);
    }
  }

  /** Less than this is written sooner than a thread of OpenMP wakes. */
  private static final long LARGE_BYTES = 1 << 20;

  private final List<Operand> operands = new ArrayList<>();
  private final Map<Integer, memory> constants = new LinkedHashMap<>();
  private final List<Pointer> owned = new ArrayList<>();
  private final int threads;
  private Added added;
  private primitive primitive;
  private memory.desc scratch;
  private String implementation;

  /**
   * What the primitive adds to.
   *
   * @param offset of the first byte in the value, and in the result
   * @param bytes how many it adds to
   */
  record Added(Value value, int offset, int bytes) {}

  /**
   * A primitive for this many threads: oneDNN chooses its blocks for them.
   *
   * @param threads of OpenMP that run it; 1 to run it on the thread that calls
   */
  DnnBuilder(int threads) {
    this.threads = threads;
    OneDnn.threads(threads);
  }

  /** Another's primitive, which that one goes on owning, on these operands. */
  private DnnBuilder(DnnBuilder of, List<Operand> operands, Added added) {
    threads = of.threads;
    this.operands.addAll(operands);
    this.added = added;
    constants.putAll(of.constants);
    primitive = of.primitive;
    scratch = of.scratch;
    implementation = of.implementation;
  }

  /**
   * The primitive of this builder on other memory; this one has to stay open as long.
   *
   * @param added what is added to there, or null
   */
  DnnBuilder on(UnaryOperator<Operand> other, Added added) {
    return new DnnBuilder(this, operands.stream().map(other).toList(), added);
  }

  int threads() {
    return threads;
  }

  /** Frees a native object with the step. */
  <P extends Pointer> P own(P p) {
    owned.add(p);
    return p;
  }

  /** f32 or bf16 in this layout. */
  memory.desc desc(DType type, long[] dims, long[] strides) {
    return own(new memory.desc(dims, OneDnn.type(type), strides, false));
  }

  /** f32 or bf16 in a layout that oneDNN chooses. */
  memory.desc any(DType type, long[] dims) {
    return own(new memory.desc(dims, OneDnn.type(type), memory.format_tag.any, false));
  }

  /** Settings under which scratch memory comes from the workspace. */
  primitive_attr settings() {
    primitive_attr a = own(OneDnn.attributes());
    a.set_scratchpad_mode(dnnl.scratchpad_mode.user);
    return a;
  }

  void reads(int key, View v, memory.desc d) {
    long bytes = v.base().type.dtype().bytes();
    operands.add(new Operand(key, v.base(), v.offset() * bytes, 0, d, false));
  }

  void writes(int key, Value v, memory.desc d) {
    writes(key, v, 0, d);
  }

  /** As {@link #writes(int, Value, memory.desc)}, from this byte of the value on. */
  void writes(int key, Value v, long offset, memory.desc d) {
    operands.add(new Operand(key, v, offset, 0, d, true));
  }

  /**
   * As {@link #reads(int, View, memory.desc)}, of which each piece of the program reads its own.
   */
  void readsPiece(int key, View v, memory.desc d, long shift) {
    long bytes = v.base().type.dtype().bytes();
    operands.add(new Operand(key, v.base(), v.offset() * bytes, shift, d, false));
  }

  /**
   * As {@link #writes(int, Value, memory.desc)}, of which each piece of the program writes its own.
   */
  void writesPiece(int key, Value v, memory.desc d, long shift) {
    operands.add(new Operand(key, v, 0, shift, d, true));
  }

  /** As {@link Step#inPieces}. */
  boolean inPieces(Set<Value> inside) {
    return operands.stream()
        .allMatch(o -> o.shift() > 0 || !o.written() && !inside.contains(o.value()));
  }

  /** An argument that no execution changes. */
  void constant(int key, memory m) {
    constants.put(key, own(m));
  }

  /** The primitive adds to what the result's memory holds, which is to be this. */
  void addsTo(Added a) {
    added = a;
  }

  /** What the primitive adds to, or null. */
  Added added() {
    return added;
  }

  /** Sets the primitive. */
  <D extends primitive_desc_base> void primitive(D description, Function<D, primitive> make) {
    own(description);
    primitive = own(make.apply(description));
    scratch = own(description.scratchpad_desc());
    try (var text = description.impl_info_str()) {
      implementation = text.getString();
    }
  }

  /** A value of no graph, for data in a layout of oneDNN's own. */
  static Value packed(memory.desc d) {
    int floats = Math.toIntExact((d.get_size() + 3) / 4);
    TensorType t = TensorType.of(DType.F32, floats);
    return Value.of(Value.Kind.CALL, t, null, Attrs.NONE, List.of());
  }

  /**
   * A step that writes a value in another layout; it has its own copies of the layouts.
   *
   * @param threads that may share it if it is large
   */
  static DnnStep reorder(
      String text, View from, memory.desc fromDesc, Value to, memory.desc toDesc, int threads) {
    DnnBuilder b = new DnnBuilder(to.type.byteSize() < LARGE_BYTES ? 1 : threads);
    memory.desc source = b.own(new memory.desc(fromDesc));
    memory.desc target = b.own(new memory.desc(toDesc));
    b.reads(dnnl.DNNL_ARG_SRC, from, source);
    b.writes(dnnl.DNNL_ARG_DST, to, target);
    b.primitive(
        new reorder.primitive_desc(
            OneDnn.engine(), source, OneDnn.engine(), target, b.settings(), false),
        reorder::new);
    return new DnnStep(List.of(b), text, 0, List.of(), List.of());
  }

  /** A step that adds up values of one layout; it has its own copies of the layouts. */
  static DnnStep sum(
      String text, List<Value> from, memory.desc fromDesc, Value to, memory.desc toDesc) {
    DnnBuilder b = new DnnBuilder(1);
    memory.desc source = b.own(new memory.desc(fromDesc));
    memory.desc target = b.own(new memory.desc(toDesc));
    memory.desc[] sources = new memory.desc[from.size()];
    float[] scales = new float[sources.length];
    Arrays.fill(sources, source);
    Arrays.fill(scales, 1);
    for (int i = 0; i < sources.length; i++) {
      b.reads(dnnl.DNNL_ARG_MULTIPLE_SRC + i, View.of(from.get(i)), source);
    }
    b.writes(dnnl.DNNL_ARG_DST, to, target);
    memory_desc_vector all = b.own(new memory_desc_vector(sources));
    b.primitive(
        new sum.primitive_desc(OneDnn.engine(), target, scales, all, b.settings(), false),
        sum::new);
    return new DnnStep(List.of(b), text, 0, List.of(), List.of());
  }

  List<Operand> operands() {
    return operands;
  }

  List<Value> reads() {
    Stream<Value> read = operands.stream().filter(o -> !o.written()).map(Operand::value);
    Stream<Value> sums = Stream.ofNullable(added).map(Added::value);
    return Stream.concat(read, sums).distinct().toList();
  }

  List<Value> writes() {
    return operands.stream().filter(Operand::written).map(Operand::value).toList();
  }

  Map<Integer, memory> constants() {
    return constants;
  }

  primitive primitive() {
    return primitive;
  }

  memory.desc scratch() {
    return scratch;
  }

  long scratchBytes() {
    return scratch.get_size();
  }

  String implementation() {
    return implementation;
  }

  @Override
  public void close() {
    for (int i = owned.size() - 1; i >= 0; i--) {
      owned.get(i).close();
    }
    owned.clear();
  }
}
