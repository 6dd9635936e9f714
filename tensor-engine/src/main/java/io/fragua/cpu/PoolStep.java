package io.fragua.cpu;

import io.fragua.exec.CompileOptions;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Window;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntConsumer;

/** A pool, or the gradient of one, by a generated loop; threads share the images. */
final class PoolStep extends Step {
  private static final long MIN_POINTS_PER_THREAD = 16_384;

  private final Value result;
  private final Kernel kernel;
  private final Value input;
  private final Value like;
  private final Value windows;
  private final int images;
  private final int parts;

  /** Sizes; see {@link PoolSource}. */
  private final int[] sizes = new int[19];

  PoolStep(Value v, CompileOptions options) {
    super(v.args.stream().map(View::base).distinct().toList(), List.of(v));
    result = v;
    boolean grad = v.op.name().equals("max_pool_grad");
    input = v.args.get(0).base();
    like = grad ? v : v.args.get(v.args.size() - 1).base();
    windows = grad ? v.args.get(1).base() : v;
    DType t = v.type.dtype();
    Shape x = v.args.get(0).shape();
    Shape y = grad ? v.args.get(1).shape() : v.shape();
    images = x.dim(0);
    long points = Math.max(x.size(), y.size());
    parts =
        (int)
            Math.max(
                1, Math.min(options.threads(), Math.min(images, points / MIN_POINTS_PER_THREAD)));
    Window w = Window.of(v.attrs, v.attrs.ints("size"));
    sizes[3] = x.dim(-1) * t.bytes();
    java.util.Arrays.fill(sizes, 4, 16, 1); // axes that are not there
    int first = 3 - w.rank();
    for (int i = 0; i < w.rank(); i++) {
      sizes[4 + first + i] = x.dim(1 + i);
      sizes[7 + first + i] = y.dim(1 + i);
      sizes[10 + first + i] = w.size()[i];
      sizes[13 + first + i] = w.strides()[i];
      sizes[16 + first + i] = w.low()[i];
    }
    // what is left over of the channels after whole vectors is added up, so has to be cleared
    boolean tiles = x.dim(-1) % Math.max(1, VectorRuntime.LANES) == 0;
    for (int i = 0; i < 3; i++) {
      int n = sizes[10 + i];
      tiles &= sizes[13 + i] == n && sizes[16 + i] == 0 && sizes[7 + i] * n == sizes[4 + i];
    }
    int[] size = {sizes[10], sizes[11], sizes[12]};
    kernel = KernelCompiler.compile(PoolSource.write(v.op.name(), t, size, tiles));
  }

  @Override
  int maxTiles() {
    return images;
  }

  @Override
  Set<Value> tiled() {
    return new LinkedHashSet<>(List.of(input, like, windows));
  }

  /** Images follow each other in all operands, so a tile of one needs that tile of the others. */
  @Override
  boolean tiles(int count, Set<Value> inside) {
    return images % count == 0;
  }

  @Override
  Part part(CpuExecution x, Tiling tiling) {
    return new Tile(x, tiling);
  }

  private final class Tile implements Part {
    private final CpuExecution x;
    private final Place[] places;
    private final Object[] memory = new Object[3];
    private final int[] p = sizes.clone();
    private final int units;

    /** Bytes by which an operand's start moves back from tile to tile: memory holds one tile. */
    private final int[] back = new int[3];

    Tile(CpuExecution x, Tiling tiling) {
      this.x = x;
      units = images / tiling.count();
      List<Value> all = List.of(input, like, windows);
      places = all.stream().map(v -> tiling.place(x, v)).toArray(Place[]::new);
      for (int i = 0; i < back.length; i++) {
        Value v = all.get(i);
        back[i] = tiling.local().containsKey(v) ? Tiling.bytes(v, tiling.count()) : 0;
      }
    }

    @Override
    public void rebind() {
      for (int i = 0; i < memory.length; i++) {
        memory[i] = x.memory(places[i].slot());
      }
    }

    @Override
    public void run(int tile) {
      for (int i = 0; i < back.length; i++) {
        p[i] = places[i].offset() - tile * back[i];
      }
      kernel.run(memory, p, tile * units, (tile + 1) * units);
    }

    @Override
    public void close() {}
  }

  @Override
  Bound bind(CpuExecution x) {
    return new Run(x);
  }

  private final class Run implements Bound {
    private final CpuExecution x;
    private final Object[] memory = new Object[3];
    private final int[] p = sizes.clone();
    private final IntConsumer part = this::part;

    Run(CpuExecution x) {
      this.x = x;
    }

    @Override
    public void rebind() {
      Value[] all = {input, like, windows};
      for (int i = 0; i < all.length; i++) {
        memory[i] = x.memory(x.place(all[i]).slot());
        p[i] = x.place(all[i]).offset();
      }
    }

    @Override
    public void run() {
      if (parts == 1) {
        kernel.run(memory, p, 0, images);
        return;
      }
      x.pool().run(parts, part);
    }

    private void part(int t) {
      int each = (images + parts - 1) / parts;
      kernel.run(memory, p, Math.min(images, t * each), Math.min(images, (t + 1) * each));
    }

    @Override
    public void unbind() {
      java.util.Arrays.fill(memory, 0, 3, null);
    }

    @Override
    public void close() {}
  }

  @Override
  String describe() {
    Shape x = result.args.get(0).shape();
    Window w = Window.of(result.attrs, result.attrs.ints("size"));
    return result.name()
        + (" " + result.type.dtype() + x + " {" + w + "}")
        + (parts > 1 ? " x" + parts + " threads" : "");
  }
}
