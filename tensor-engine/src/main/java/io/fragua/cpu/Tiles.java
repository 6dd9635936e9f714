package io.fragua.cpu;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;

/**
 * Pass over the steps: those that hand large values to each other and can be run on a part of their
 * leading axes become one {@link TiledStep}, whose values never leave the cache.
 */
final class Tiles {
  /** Operands and results of a tile that a core's second-level cache should hold, in bytes. */
  private static final int TARGET = 1 << 17;

  /** A tile of products by oneDNN is a call each; smaller ones do not pay for it. */
  private static final int LEAST = 1 << 14;

  /** What fits into the cache anyway is left alone. */
  private static final int WORTH = 1 << 18;

  private static final int MAX_STEPS = 16;

  private final List<Step> steps;
  private final Set<Value> results = new HashSet<>();
  private final Group[] of;
  private final Map<Value, Integer> maker = new IdentityHashMap<>();
  private final List<List<Integer>> users = new ArrayList<>();

  /** Steps that run tile by tile, in order. */
  private static final class Group {
    final List<Integer> members = new ArrayList<>();
    int tiles = 1;
  }

  private Tiles(List<Step> steps, List<View> results, Map<Integer, Value> over) {
    this.steps = steps;
    results.forEach(r -> this.results.add(r.base()));
    of = new Group[steps.size()];
    for (int i = 0; i < of.length; i++) {
      of[i] = new Group();
      of[i].members.add(i);
      users.add(new ArrayList<>());
      for (Value v : steps.get(i).reads()) {
        Integer m = maker.get(v);
        if (m != null) {
          users.get(m).add(i);
        }
      }
      for (Value v : steps.get(i).writes()) {
        maker.put(v, i);
      }
    }
    over.forEach((o, operand) -> writesOver(maker.get(results.get(o).base()), operand));
  }

  /** Earlier readers of an operand stay earlier than the step that may write over it. */
  private void writesOver(Integer step, Value operand) {
    for (int i = 0; step != null && i < step; i++) {
      if (steps.get(i).reads().contains(operand)) {
        users.get(i).add(step);
      }
    }
  }

  /**
   * The steps, in an order in which they can run, some of them joined.
   *
   * @param over as for {@link Clusters#run}
   */
  static List<Step> run(
      List<Step> steps, List<View> results, Map<Integer, Value> over, int threads) {
    Tiles t = new Tiles(steps, results, over);
    for (int i = 0; i < steps.size(); i++) {
      if (steps.get(i).maxTiles() > 1) {
        for (Value v : steps.get(i).reads()) {
          Integer m = t.maker.get(v);
          if (m != null && steps.get(m).maxTiles() > 1) {
            t.merge(t.of[m], t.of[i]);
          }
        }
      }
    }
    return t.schedule(threads);
  }

  private void merge(Group a, Group b) {
    if (a == b || a.members.size() + b.members.size() > MAX_STEPS) {
      return;
    }
    List<Integer> all = new ArrayList<>(a.members);
    all.addAll(b.members);
    all.sort(Comparator.naturalOrder());
    int n = tiles(all.stream().map(steps::get).toList());
    if (n == 0 || cyclic(a, b)) {
      return;
    }
    a.members.clear();
    a.members.addAll(all);
    a.tiles = n;
    all.forEach(i -> of[i] = a);
  }

  /** Into how many tiles these steps can be cut, or 0. */
  private static int tiles(List<Step> all) {
    Set<Value> inside = new LinkedHashSet<>();
    Set<Value> touched = new LinkedHashSet<>();
    long most = 0;
    int exact = 0;
    for (Step s : all) {
      most = gcd(most, s.maxTiles());
      inside.addAll(s.writes());
      touched.addAll(s.tiled());
      if (s.exactTiles()) {
        if (exact != 0 && exact != s.maxTiles()) {
          return 0;
        }
        exact = s.maxTiles();
      }
    }
    long bytes = touched.stream().mapToLong(v -> v.type.byteSize()).sum();
    if (bytes < WORTH) {
      return 0;
    }
    int n = exact;
    if (exact != 0) {
      if (most != exact || bytes / exact < LEAST) {
        return 0;
      }
    } else {
      n = divisor(most, (bytes + TARGET - 1) / TARGET);
    }
    int count = n;
    long limit = exact == 0 ? 4L * TARGET : 6L * TARGET;
    Set<Value> apart = new HashSet<>();
    all.stream().filter(s -> !s.writesTiles()).forEach(s -> apart.addAll(s.writes()));
    if (all.stream().anyMatch(s -> s.reads().stream().anyMatch(apart::contains))) {
      return 0;
    }
    return n > 1 && bytes / n <= limit && all.stream().allMatch(s -> s.tiles(count, inside))
        ? n
        : 0;
  }

  /** The smallest divisor that is no smaller than {@code least}, or the number itself. */
  private static int divisor(long n, long least) {
    for (long d = Math.max(1, least); d * 2 <= n && d < least * 8; d++) {
      if (n % d == 0) {
        return (int) d;
      }
    }
    return (int) n;
  }

  private static long gcd(long a, long b) {
    return b == 0 ? a : gcd(b, a % b);
  }

  /** True if a step outside would have to run after a part and before another part of the union. */
  private boolean cyclic(Group a, Group b) {
    Deque<Group> todo = new ArrayDeque<>();
    Set<Group> seen = new HashSet<>();
    for (Group g : List.of(a, b)) {
      for (Group next : next(g)) {
        if (next != a && next != b && seen.add(next)) {
          todo.add(next);
        }
      }
    }
    while (!todo.isEmpty()) {
      for (Group next : next(todo.poll())) {
        if (next == a || next == b) {
          return true;
        }
        if (seen.add(next)) {
          todo.add(next);
        }
      }
    }
    return false;
  }

  private Set<Group> next(Group g) {
    Set<Group> out = new LinkedHashSet<>();
    for (int i : g.members) {
      users.get(i).forEach(u -> out.add(of[u]));
    }
    out.remove(g);
    return out;
  }

  private List<Step> schedule(int threads) {
    Set<Group> all = new LinkedHashSet<>();
    Map<Group, Integer> missing = new HashMap<>();
    for (Group g : of) {
      if (all.add(g)) {
        next(g).forEach(n -> missing.merge(n, 1, Integer::sum));
      }
    }
    PriorityQueue<Group> ready =
        new PriorityQueue<>(
            Comparator.comparingInt((Group g) -> g.members.get(g.members.size() - 1)));
    all.stream().filter(g -> !missing.containsKey(g)).forEach(ready::add);
    List<Step> out = new ArrayList<>();
    int done = 0;
    while (!ready.isEmpty()) {
      Group g = ready.poll();
      done++;
      out.add(step(g, threads));
      for (Group n : next(g)) {
        if (missing.merge(n, -1, Integer::sum) == 0) {
          ready.add(n);
        }
      }
    }
    if (done != all.size()) {
      throw new IllegalStateException(
          "tile: steps must not depend on each other in a circle: "
              + (all.size() - done)
              + " do; report this graph");
    }
    return out;
  }

  private Step step(Group g, int threads) {
    if (g.members.size() == 1) {
      return steps.get(g.members.get(0));
    }
    Set<Value> needed = new HashSet<>();
    for (int i : g.members) {
      for (Value v : steps.get(i).writes()) {
        if (results.contains(v)) {
          needed.add(v);
        }
      }
      for (int u : users.get(i)) {
        if (of[u] != g) {
          needed.addAll(steps.get(u).reads());
        }
      }
    }
    return new TiledStep(g.members.stream().map(steps::get).toList(), g.tiles, threads, needed);
  }
}
