package io.fragua.cpu;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntConsumer;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.Pointer;

/**
 * Primitives of oneDNN on values in memory: one, or one for each thread of the execution, each with
 * its own part of the result. They are built once, by {@link DnnBuilder}, and shared; each
 * execution has its own memory handles.
 */
final class DnnStep extends Step {
  private final List<DnnBuilder> pieces;
  private final long[] scratch;
  private final long scratchBytes;
  private final String text;
  private final double flops;
  private final List<Step> all;

  /** What it does to one tile, or null. */
  private final Tile tile;

  /**
   * The primitive of one tile.
   *
   * @param count of tiles
   * @param operand of which a tile reads a tile
   */
  record Tile(int count, View operand, DnnBuilder built) {}

  DnnStep(
      List<DnnBuilder> pieces,
      String text,
      double flops,
      List<Step> before,
      List<? extends Step> after) {
    this(pieces, null, text, flops, before, after);
  }

  /**
   * Primitives as a step.
   *
   * @param pieces one, or one for each thread
   * @param tile how it runs tile by tile, or null if it cannot
   */
  DnnStep(
      List<DnnBuilder> pieces,
      Tile tile,
      String text,
      double flops,
      List<Step> before,
      List<? extends Step> after) {
    super(
        pieces.stream().flatMap(b -> b.reads().stream()).distinct().toList(),
        pieces.stream().flatMap(b -> b.writes().stream()).distinct().toList());
    this.pieces = List.copyOf(pieces);
    this.tile = tile;
    scratch = new long[pieces.size()];
    long bytes = 0;
    for (int t = 0; t < scratch.length; t++) {
      scratch[t] = bytes;
      bytes += (pieces.get(t).scratchBytes() + 63) / 64 * 64;
    }
    scratchBytes = bytes;
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
    return scratchBytes;
  }

  @Override
  double flops() {
    return flops;
  }

  /** What is added to may become the result, if the primitive does not read it besides. */
  @Override
  boolean inPlace(Value read, Value written) {
    return pieces.stream()
        .allMatch(
            b ->
                b.added() != null
                    && b.added().value() == read
                    && b.operands().stream().noneMatch(o -> !o.written() && o.value() == read));
  }

  @Override
  boolean inPieces(int count, Set<Value> inside) {
    return pieces.stream().allMatch(b -> b.inPieces(inside));
  }

  @Override
  int maxTiles() {
    return tile == null ? 1 : tile.count;
  }

  @Override
  boolean exactTiles() {
    return true;
  }

  @Override
  Set<Value> tiled() {
    return new LinkedHashSet<>(List.of(tile.operand.base(), writes().get(0)));
  }

  @Override
  boolean tiles(int count, Set<Value> inside) {
    return count == tile.count
        && tile.built.operands().stream()
            .allMatch(o -> o.shift() > 0 || !inside.contains(o.value()))
        && (!inside.contains(tile.operand.base()) || Tiling.aligned(tile.operand, count));
  }

  @Override
  long tileScratchBytes() {
    return tile.built.scratchBytes();
  }

  @Override
  Part part(CpuExecution x, Tiling tiling) {
    return new OneTile(new Primitive(x, tile.built, tiling), x, tiling);
  }

  /** The primitive of one thread, on one tile after another. */
  private record OneTile(Primitive primitive, CpuExecution x, Tiling tiling) implements Part {
    @Override
    public void rebind() {
      primitive.rebind(x.address(0) + tiling.scratch());
    }

    @Override
    public void run(int tile) {
      primitive.run(tile);
    }

    @Override
    public void close() {
      primitive.close();
    }
  }

  @Override
  Bound bind(CpuExecution x) {
    return new Run(x);
  }

  private final class Run implements Bound {
    private final CpuExecution x;
    private final Primitive[] primitives = new Primitive[pieces.size()];
    private final IntConsumer work = t -> primitives[t].run();

    Run(CpuExecution x) {
      this.x = x;
      for (int t = 0; t < primitives.length; t++) {
        primitives[t] = new Primitive(x, pieces.get(t), null);
      }
    }

    @Override
    public void rebind() {
      long space = scratchBytes == 0 ? 0 : x.address(0) + x.scratch(DnnStep.this).offset();
      for (int t = 0; t < primitives.length; t++) {
        primitives[t].rebind(space + scratch[t]);
      }
    }

    @Override
    public void run() {
      if (primitives.length == 1) {
        primitives[0].run();
      } else {
        x.pool().run(primitives.length, work);
      }
    }

    @Override
    public void unbind() {
      for (Primitive p : primitives) {
        p.unbind();
      }
    }

    @Override
    public void close() {
      for (Primitive p : primitives) {
        p.close();
      }
    }
  }

  /** A primitive of one execution, which one thread calls. */
  private static final class Primitive {
    private final CpuExecution x;
    private final DnnBuilder built;
    private final boolean tiled;
    private final memory[] memories;
    private final Place[] places;
    private final long[] addresses;

    /** Bytes from tile to tile, of what is not local to the tile. */
    private final long[] shifts;

    private final memory scratch;
    private final IntMemoryMap args = new IntMemoryMap();
    private final stream stream = new stream(OneDnn.engine());
    private final OneDnn.At at = new OneDnn.At();

    /** Where what is added to lies, and where it has to be; null if it is there. */
    private final Place added;

    private final Place sum;
    private ByteBuffer from;
    private ByteBuffer to;

    /**
     * Memory handles of a primitive.
     *
     * @param tiling of the tiles that it runs on, or null
     */
    Primitive(CpuExecution x, DnnBuilder built, Tiling tiling) {
      this.x = x;
      this.built = built;
      tiled = tiling != null;
      int n = built.operands().size();
      memories = new memory[n];
      places = new Place[n];
      addresses = new long[n];
      shifts = new long[n];
      try (Pointer none = new Pointer()) {
        for (int i = 0; i < n; i++) {
          DnnBuilder.Operand o = built.operands().get(i);
          places[i] = tiling == null ? x.place(o.value()) : tiling.place(x, o.value());
          boolean local = tiling == null || tiling.local().containsKey(o.value());
          shifts[i] = local ? 0 : o.shift();
          memories[i] = new memory(o.desc(), OneDnn.engine(), none);
          args.put(o.key(), memories[i]);
        }
        scratch = new memory(built.scratch(), OneDnn.engine(), none);
        args.put(dnnl.DNNL_ARG_SCRATCHPAD, scratch);
      }
      sum = built.added() == null ? null : x.place(built.writes().get(0));
      Place a = sum == null ? null : x.place(built.added().value());
      added = a == null || a.equals(sum) ? null : a;
      built.constants().forEach(args::put);
    }

    void rebind(long space) {
      for (int i = 0; i < memories.length; i++) {
        DnnBuilder.Operand o = built.operands().get(i);
        long piece = tiled ? 0 : x.piece() * o.shift();
        long offset = places[i].offset() + o.offset() + piece;
        addresses[i] = x.address(places[i].slot()) + offset;
        memories[i].set_data_handle(at.set(addresses[i]));
      }
      if (added != null) {
        from = x.bytes(added.slot());
        to = x.bytes(sum.slot());
      }
      if (built.scratchBytes() > 0) {
        scratch.set_data_handle(at.set(space));
      }
    }

    /** As {@link #run()}, on that tile. */
    void run(int tile) {
      for (int i = 0; i < memories.length; i++) {
        if (shifts[i] > 0) {
          memories[i].set_data_handle(at.set(addresses[i] + tile * shifts[i]));
        }
      }
      run();
    }

    void run() {
      if (added != null) {
        DnnBuilder.Added a = built.added();
        to.put(sum.offset() + a.offset(), from, added.offset() + a.offset(), a.bytes());
      }
      OneDnn.threads(built.threads());
      built.primitive().execute(stream, args);
    }

    void unbind() {
      from = null;
      to = null;
    }

    void close() {
      args.close();
      scratch.close();
      for (memory m : memories) {
        m.close();
      }
      stream.close();
      at.close();
    }
  }

  @Override
  String describe() {
    int openMp = pieces.get(0).threads();
    String threads =
        pieces.size() > 1
            ? " x" + pieces.size() + " threads"
            : openMp > 1 ? ", " + openMp + " threads of OpenMP" : "";
    return text + " (" + pieces.get(0).implementation() + ")" + threads;
  }

  @Override
  void close() {
    pieces.forEach(DnnBuilder::close);
    if (tile != null) {
      tile.built.close();
    }
  }
}
