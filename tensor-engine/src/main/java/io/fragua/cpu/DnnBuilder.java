package io.fragua.cpu;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.primitive_desc_base;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.javacpp.Pointer;

/** Gathers what a {@link DnnStep} needs, and owns it. */
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
  record Operand(
      int key, Value value, long offset, long shift, memory.desc desc, boolean written) {}

  private final List<Operand> operands = new ArrayList<>();
  private final Map<Integer, memory> constants = new LinkedHashMap<>();
  private final List<Pointer> owned = new ArrayList<>();
  private Value added;
  private primitive primitive;
  private memory.desc scratch;
  private String implementation;

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
    primitive_attr a = own(new primitive_attr());
    a.set_scratchpad_mode(dnnl.scratchpad_mode.user);
    return a;
  }

  void reads(int key, View v, memory.desc d) {
    long bytes = v.base().type.dtype().bytes();
    operands.add(new Operand(key, v.base(), v.offset() * bytes, 0, d, false));
  }

  void writes(int key, Value v, memory.desc d) {
    operands.add(new Operand(key, v, 0, 0, d, true));
  }

  /**
   * As {@link #reads(int, View, memory.desc)}, of which each piece of the program reads its own.
   */
  void readsPiece(int key, View v, memory.desc d, long shift) {
    long bytes = v.base().type.dtype().bytes();
    operands.add(new Operand(key, v.base(), v.offset() * bytes, shift, d, false));
  }

  /** As {@link #writes}, of which each piece of the program writes its own. */
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

  /** The primitive adds to what the result's memory holds, which is to be this value. */
  void addsTo(Value v) {
    added = v;
  }

  /** What the primitive adds to, or null. */
  Value added() {
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

  /** A step that writes a value in another layout; it has its own copies of the layouts. */
  static DnnStep reorder(
      String text, View from, memory.desc fromDesc, Value to, memory.desc toDesc) {
    DnnBuilder b = new DnnBuilder();
    memory.desc source = b.own(new memory.desc(fromDesc));
    memory.desc target = b.own(new memory.desc(toDesc));
    b.reads(dnnl.DNNL_ARG_SRC, from, source);
    b.writes(dnnl.DNNL_ARG_DST, to, target);
    b.primitive(
        new reorder.primitive_desc(
            OneDnn.engine(), source, OneDnn.engine(), target, b.settings(), false),
        reorder::new);
    return new DnnStep(b, text, 0, List.of(), List.of());
  }

  List<Operand> operands() {
    return operands;
  }

  List<Value> reads() {
    Stream<Value> read = operands.stream().filter(o -> !o.written()).map(Operand::value);
    return Stream.concat(read, Stream.ofNullable(added)).distinct().toList();
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
