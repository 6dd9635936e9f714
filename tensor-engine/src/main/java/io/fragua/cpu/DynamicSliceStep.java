package io.fragua.cpu;

import io.fragua.tensor.Buffer;
import io.fragua.tensor.Shape;

/** A piece of one axis from a start known when it runs, read or (over its operand) written. */
final class DynamicSliceStep {
  private DynamicSliceStep() {}

  static CallStep of(Value v) {
    return v.name().equals("dynamic_slice") ? new Read(v) : new Write(v);
  }

  /** Copies between the blocks of a piece, which lie one after another, and those of the whole. */
  private record Blocks(int count, int whole, int piece, int element, int n, int size) {
    static Blocks of(Shape whole, Shape piece, int axis, int bytes) {
      int count = Math.toIntExact(whole.slice(0, axis).size());
      int element = Math.toIntExact(whole.slice(axis + 1, whole.rank()).size() * bytes);
      int n = whole.dim(axis);
      int size = piece.dim(axis);
      return new Blocks(count, n * element, size * element, element, n, size);
    }

    void read(Buffer whole, int start, Buffer piece) {
      for (int i = 0; i < count; i++) {
        int at = i * this.whole + start * element;
        piece.bytes().put(i * this.piece, whole.bytes(), at, this.piece);
      }
    }

    void write(Buffer whole, int start, Buffer piece) {
      for (int i = 0; i < count; i++) {
        int at = i * this.whole + start * element;
        whole.bytes().put(at, piece.bytes(), i * this.piece, this.piece);
      }
    }
  }

  private static final class Read extends CallStep {
    private final Blocks blocks;

    Read(Value v) {
      super(v);
      int axis = v.attrs.integer("axis");
      blocks = Blocks.of(operand(0).shape(), v.shape(), axis, v.type.dtype().bytes());
    }

    @Override
    long bytesRead(boolean inPlace) {
      return result.type.byteSize() + 4;
    }

    @Override
    void run(Buffer[] in, Buffer out, Buffer scratch) {
      blocks.read(in[0], Indices.start(in[1].bytes(), blocks.n, blocks.size), out);
    }
  }

  private static final class Write extends WriteStep {
    private final Blocks blocks;

    Write(Value v) {
      super(v);
      int axis = v.attrs.integer("axis");
      blocks = Blocks.of(v.shape(), operand(1).shape(), axis, v.type.dtype().bytes());
    }

    @Override
    long touched() {
      return operand(1).byteSize();
    }

    @Override
    void run(Buffer[] in, Buffer out, Buffer scratch) {
      if (!same(in[0], out)) {
        out.copyFrom(in[0]);
      }
      blocks.write(out, Indices.start(in[2].bytes(), blocks.n, blocks.size), in[1]);
    }
  }
}
