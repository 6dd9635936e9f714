package io.fragua.cpu;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntConsumer;
import java.util.stream.Collectors;

/**
 * Several steps run one after another on a tile of the leading axes before the next tile is begun,
 * so that what they hand to each other stays in a core's cache: the maximum, the exponentials,
 * their sum and the quotient of a softmax, and in attention the products around it. Threads share
 * the tiles, each the same ones in every run.
 */
final class TiledStep extends Step {
  private final List<Step> steps;
  private final int tiles;
  private final int threads;

  /** Values that only these steps read, and where their tile lies from a thread's memory on. */
  private final Map<Value, Integer> local = new HashMap<>();

  /** Memory of a thread: tiles of local values, then what a step needs while it runs. */
  private final int localBytes;

  private final int threadBytes;

  /**
   * Steps as one.
   *
   * @param needed what is read by others or is a result
   */
  TiledStep(List<Step> steps, int tiles, int threads, Set<Value> needed) {
    super(
        read(steps),
        steps.stream().flatMap(s -> s.writes().stream()).filter(needed::contains).toList());
    this.steps = List.copyOf(steps);
    this.tiles = tiles;
    this.threads = Math.min(threads, tiles);
    localBytes = place(needed);
    int most = 0;
    for (Step s : steps) {
      s.cut(tiles);
      most = Math.max(most, Math.toIntExact(s.tileScratchBytes()));
    }
    threadBytes = localBytes + align(most);
  }

  private static List<Value> read(List<Step> steps) {
    Set<Value> written = new LinkedHashSet<>();
    steps.forEach(s -> written.addAll(s.writes()));
    return steps.stream()
        .flatMap(s -> s.reads().stream())
        .filter(v -> !written.contains(v))
        .distinct()
        .toList();
  }

  /** Places the tiles of local values, one over another that dies where it is made. */
  private int place(Set<Value> needed) {
    Map<Value, Integer> last = new HashMap<>();
    for (int i = 0; i < steps.size(); i++) {
      for (Value v : steps.get(i).reads()) {
        last.put(v, i);
      }
    }
    int end = 0;
    for (int i = 0; i < steps.size(); i++) {
      Set<Value> taken = new LinkedHashSet<>();
      for (Value w : steps.get(i).writes()) {
        if (needed.contains(w)) {
          continue;
        }
        int at = -1;
        for (Value r : steps.get(i).reads()) {
          if (local.containsKey(r)
              && last.get(r) == i
              && steps.get(i).inPlace(r, w)
              && taken.add(r)) {
            at = local.get(r);
            break;
          }
        }
        if (at < 0) {
          at = end;
          end += align(Tiling.bytes(w, tiles));
        }
        local.put(w, at);
      }
    }
    return end;
  }

  private static int align(int bytes) {
    return (bytes + 63) / 64 * 64;
  }

  /** The steps, in the order in which they run. */
  List<Step> steps() {
    return steps;
  }

  @Override
  long scratchBytes() {
    return (long) threadBytes * threads;
  }

  /** As one of the steps may, if no other of them reads the operand. */
  @Override
  boolean inPlace(Value read, Value written) {
    List<Step> readers = steps.stream().filter(s -> s.reads().contains(read)).toList();
    return readers.size() == 1
        && readers.get(0).writes().contains(written)
        && readers.get(0).inPlace(read, written);
  }

  @Override
  double flops() {
    return steps.stream().mapToDouble(Step::flops).sum();
  }

  @Override
  Bound bind(CpuExecution x) {
    return new Run(x);
  }

  private final class Run implements Bound {
    private final CpuExecution x;
    private final List<Part[]> parts = new ArrayList<>();
    private final IntConsumer work = this::part;

    Run(CpuExecution x) {
      this.x = x;
      int start = x.scratch(TiledStep.this).offset();
      for (int t = 0; t < threads; t++) {
        int mine = start + t * threadBytes;
        Map<Value, Integer> at = new HashMap<>();
        local.forEach((v, offset) -> at.put(v, mine + offset));
        Tiling tiling = new Tiling(tiles, at, mine + localBytes);
        parts.add(steps.stream().map(s -> s.part(x, tiling)).toArray(Part[]::new));
      }
    }

    @Override
    public void rebind() {
      for (Part[] p : parts) {
        for (Part s : p) {
          s.rebind();
        }
      }
    }

    @Override
    public void run() {
      if (threads == 1) {
        part(0);
      } else {
        x.pool().run(threads, work);
      }
    }

    private void part(int thread) {
      Part[] mine = parts.get(thread);
      int each = (tiles + threads - 1) / threads;
      int end = Math.min(tiles, (thread + 1) * each);
      for (int t = thread * each; t < end; t++) {
        for (Part s : mine) {
          s.run(t);
        }
      }
    }

    @Override
    public void close() {
      for (Part[] p : parts) {
        for (Part s : p) {
          s.close();
        }
      }
    }
  }

  @Override
  String describe() {
    return tiles
        + " tiles"
        + (threads > 1 ? " x" + threads + " threads" : "")
        + " of ("
        + steps.stream().map(Step::describe).collect(Collectors.joining("; "))
        + ")";
  }

  @Override
  void close() {
    steps.forEach(Step::close);
  }
}
