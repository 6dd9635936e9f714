package io.fragua.cpu;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntConsumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Runs a generated kernel. */
final class KernelStep extends Step {
  /** Fewer points than this are not worth a second thread. */
  private static final long MIN_POINTS_PER_THREAD = 16_384;

  private final KernelPlan plan;
  private final KernelSource.Result source;
  private final Kernel kernel;
  private final int parts;
  private final int pieces;
  private final int scratch;

  private KernelStep(KernelPlan plan, KernelSource.Result source, int threads, int pieces) {
    super(read(plan), written(plan));
    this.plan = plan;
    this.source = source;
    this.pieces = pieces;
    this.kernel = KernelCompiler.compile(source.text());
    long points = plan.members.get(0).points();
    int units = plan.splitsInner() ? plan.inner() / 64 : plan.count(plan.rows);
    this.parts = Pool.parts(threads, units, points, MIN_POINTS_PER_THREAD);
    this.scratch = (source.scratchBytes() + 63) / 64 * 64;
  }

  static KernelStep of(Cluster c, Set<Value> stored, int threads, int pieces) {
    KernelPlan plan = new KernelPlan(c, stored);
    return new KernelStep(plan, KernelSource.write(plan), threads, pieces);
  }

  private static List<Value> read(KernelPlan p) {
    return p.loads.stream()
        .map(View::base)
        .filter(v -> v.kind != Value.Kind.IOTA)
        .distinct()
        .toList();
  }

  private static List<Value> written(KernelPlan p) {
    List<Value> out = new ArrayList<>(p.stores);
    out.addAll(p.reduces);
    return out;
  }

  @Override
  long scratchBytes() {
    return (long) scratch * parts;
  }

  @Override
  boolean inPlace(Value read, Value written) {
    if (!plan.stores.contains(written) || read.type.byteSize() != written.type.byteSize()) {
      return false;
    }
    return plan.loads.stream()
        .filter(v -> v.base() == read)
        .allMatch(v -> v.isDense() && v.base().size() == written.size());
  }

  @Override
  Bound bind(CpuExecution x) {
    return new Run(x);
  }

  @Override
  int maxTiles() {
    return plan.maxTiles();
  }

  @Override
  Set<Value> tiled() {
    Set<Value> out = new LinkedHashSet<>(writes());
    for (View v : plan.loads) {
      if (v.shape().size() <= v.base().size()) {
        out.add(v.base());
      }
    }
    return out;
  }

  @Override
  boolean tiles(int count, Set<Value> inside) {
    return plan.maxTiles() % count == 0
        && writes().stream().allMatch(v -> v.size() % count == 0)
        && plan.loads.stream()
            .allMatch(v -> !inside.contains(v.base()) || Tiling.aligned(v, count));
  }

  @Override
  boolean inPieces(int count, Set<Value> inside) {
    return tiles(count, inside);
  }

  @Override
  long tileScratchBytes() {
    return scratch;
  }

  @Override
  Part part(CpuExecution x, Tiling tiling) {
    return new Tile(x, tiling);
  }

  private final class Tile implements Part {
    private final CpuExecution x;
    private final Tiling tiling;
    private final Object[] memory;
    private final int[] p = source.p().clone();
    private final int units;

    /** Operands of which memory holds one tile; their starts move back from tile to tile. */
    private final int[] local;

    private final int[] start;
    private final int[] back;

    Tile(CpuExecution x, Tiling tiling) {
      this.x = x;
      this.tiling = tiling;
      int n = source.operands().size();
      memory = new Object[n + 1];
      units = plan.units() / tiling.count();
      for (int i = 0; i < n; i++) {
        p[source.offsets()[i]] += tiling.place(x, source.operands().get(i)).offset();
      }
      local =
          IntStream.range(0, n)
              .filter(i -> tiling.local().containsKey(source.operands().get(i)))
              .toArray();
      start = IntStream.of(local).map(i -> p[source.offsets()[i]]).toArray();
      back =
          IntStream.of(local)
              .map(i -> Tiling.bytes(source.operands().get(i), tiling.count()))
              .toArray();
      memory[n] = x.slice(tiling.scratch(), scratch);
    }

    @Override
    public void rebind() {
      for (int i = 0; i < source.operands().size(); i++) {
        memory[i] = x.memory(tiling.place(x, source.operands().get(i)).slot());
      }
    }

    @Override
    public void run(int tile) {
      for (int i = 0; i < local.length; i++) {
        p[source.offsets()[local[i]]] = start[i] - tile * back[i];
      }
      kernel.run(memory, p, tile * units, (tile + 1) * units);
    }

    @Override
    public void close() {}
  }

  private final class Run implements Bound {
    private final CpuExecution x;
    private final Object[][] memory;
    private final int[] p = source.p().clone();
    private final IntConsumer part = this::part;

    Run(CpuExecution x) {
      this.x = x;
      int n = source.operands().size();
      memory = new Object[parts][n + 1];
      for (int i = 0; i < n; i++) {
        p[source.offsets()[i]] += x.place(source.operands().get(i)).offset();
      }
      Place s = x.scratch(KernelStep.this);
      for (int t = 0; t < parts; t++) {
        memory[t][n] = x.slice(s.offset() + t * scratch, scratch);
      }
    }

    @Override
    public void rebind() {
      for (Object[] m : memory) {
        for (int i = 0; i < source.operands().size(); i++) {
          m[i] = x.memory(x.place(source.operands().get(i)).slot());
        }
      }
    }

    @Override
    public void run() {
      int units = plan.units();
      if (parts == 1) {
        int each = units / pieces;
        int from = pieces == 1 ? 0 : x.piece() * each;
        kernel.run(memory[0], p, from, from + each);
        return;
      }
      x.pool().run(parts, part);
    }

    private void part(int t) {
      int units = plan.units();
      int each = (units + parts - 1) / parts;
      int step = plan.splitsInner() ? (each + 63) / 64 * 64 : each;
      kernel.run(memory[t], p, Math.min(units, t * step), Math.min(units, (t + 1) * step));
    }

    @Override
    public void unbind() {
      for (Object[] m : memory) {
        java.util.Arrays.fill(m, 0, m.length - 1, null);
      }
    }

    @Override
    public void close() {}
  }

  @Override
  String describe() {
    return "kernel "
        + plan.members.stream().map(Value::name).collect(Collectors.joining("+"))
        + " over "
        + java.util.Arrays.toString(plan.space.sizes)
        + (plan.vector ? " vector" : " scalar")
        + (parts > 1 ? " x" + parts + " threads" : "");
  }

  /** The generated Java, for people. */
  String text() {
    return source.text();
  }
}
