package io.fragua.cpu;

import io.fragua.tensor.DType;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;

/**
 * Second pass: which elementwise values and reductions are computed together. Walking from the
 * results back, a value joins the kernels of those who read it, as long as all visit the same
 * points and no other step would have to run both before and after the kernel. So a value is
 * computed where it is consumed: what the backward pass alone needs is not stored by the forward
 * pass.
 */
final class Clusters {
  /** Larger kernels lose more in the just-in-time compiler than they save in memory traffic. */
  private static final int MAX_OPS = 48;

  private static final int MAX_OPERANDS = 24;

  /** What is computed again rather than stored: so many operations at most. */
  private static final int MAX_AGAIN = 4;

  /** Of these. */
  private static final Set<String> SIMPLE = Set.of("add", "sub", "mul", "neg");

  /** How often an operand must repeat for its loads not to count. */
  private static final int REPEATED = 16;

  private final Order order;
  private final Set<Value> results;
  private final Map<Value, Cluster> of = new IdentityHashMap<>();

  /** Clusters by rank; null where one has become part of another. */
  private final Cluster[] ranked;

  /** What {@link #isOneOperand} found. */
  private final Map<Value, Boolean> oneOperand = new IdentityHashMap<>();

  private int searches;

  private Clusters(Order order, Set<Value> results) {
    this.order = order;
    this.results = results;
    ranked = new Cluster[order.values.size()];
  }

  /** What to compute, and in which groups. */
  record Result(Order order, List<View> results, List<Cluster> clusters) {
    /** True if a value must be in memory: somebody else reads it, or it is a result. */
    Set<Value> stored() {
      Set<Value> s = new HashSet<>();
      results.forEach(r -> s.add(r.base()));
      for (Cluster c : clusters) {
        Set<Value> inside = new HashSet<>(c.members);
        for (Value v : c.members) {
          v.args.stream().map(View::base).filter(b -> !inside.contains(b)).forEach(s::add);
        }
      }
      return s;
    }
  }

  /**
   * Values computed together, in order; anything not fusable is alone.
   *
   * @param over operands that may be written over, by the number of the result that is
   */
  static Result run(List<View> results, Map<Integer, Value> over) {
    Clusters c = fused(results, over);
    List<View> doubled = c.cheap(results);
    if (doubled != results) {
      c = fused(doubled, over);
    }
    Map<Value, Integer> soon = c.order.soon(doubled.stream().map(View::base).toList());
    return new Result(c.order, doubled, c.schedule(soon));
  }

  private static Clusters fused(List<View> results, Map<Integer, Value> over) {
    List<Value> roots = results.stream().map(View::base).toList();
    Map<Value, Value> overwritten = new IdentityHashMap<>();
    over.forEach((o, operand) -> overwritten.put(roots.get(o), operand));
    Clusters c = new Clusters(Order.of(roots, overwritten), new HashSet<>(roots));
    for (Value v : c.order.values) {
      Cluster alone = new Cluster(v);
      alone.rank = v.id;
      c.ranked[v.id] = alone;
      c.of.put(v, alone);
    }
    c.vertical();
    c.horizontal();
    return c;
  }

  private void vertical() {
    for (int i = order.values.size() - 1; i >= 0; i--) {
      Value v = order.values.get(i);
      if (v.kind == Value.Kind.ELEMENTWISE) {
        for (Value u : order.users(v)) {
          if (u.isFusable() && u.args.stream().anyMatch(a -> a.base() == v && a.isDense())) {
            merge(of.get(v), of.get(u));
          }
        }
      }
    }
  }

  /** Kernels that read the same array and depend on each other in no way read it once. */
  private void horizontal() {
    for (Value v : order.values) {
      if (v.kind == Value.Kind.CONSTANT || v.kind == Value.Kind.IOTA) {
        continue;
      }
      Cluster first = null;
      for (Value u : order.users(v)) {
        if (!u.isFusable() || of.get(u).members.contains(v)) {
          continue;
        }
        boolean whole =
            u.args.stream().anyMatch(a -> a.base() == v && a.shape().size() == v.size());
        if (whole && first != null) {
          merge(first, of.get(u));
        }
        first = whole ? of.get(u) : first;
      }
    }
  }

  /** Clusters in an order in which each runs after those it reads, the soonest first. */
  private List<Cluster> schedule(Map<Value, Integer> soon) {
    Map<Cluster, Integer> missing = new IdentityHashMap<>();
    Map<Cluster, Set<Cluster>> next = new IdentityHashMap<>();
    Set<Cluster> all = new LinkedHashSet<>();
    order.values.forEach(v -> all.add(of.get(v)));
    for (Cluster c : all) {
      Set<Cluster> before = new HashSet<>();
      for (Value v : c.members) {
        v.args.forEach(a -> before.add(of.get(a.base())));
        order.first(v).forEach(f -> before.add(of.get(f)));
      }
      before.remove(c);
      missing.put(c, before.size());
      before.forEach(b -> next.computeIfAbsent(b, k -> new HashSet<>()).add(c));
    }
    PriorityQueue<Cluster> ready =
        new PriorityQueue<>(
            Comparator.comparingInt(
                (Cluster c) -> c.members.stream().mapToInt(soon::get).min().orElseThrow()));
    all.stream().filter(c -> missing.get(c) == 0).forEach(ready::add);
    List<Cluster> out = new ArrayList<>();
    while (!ready.isEmpty()) {
      Cluster c = ready.poll();
      out.add(c);
      for (Cluster n : next.getOrDefault(c, Set.of())) {
        if (missing.merge(n, -1, Integer::sum) == 0) {
          ready.add(n);
        }
      }
    }
    if (out.size() != all.size()) {
      throw new IllegalStateException(
          "fuse: kernels must not depend on each other in a circle: "
              + (all.size() - out.size())
              + " do; report this graph");
    }
    return out;
  }

  private void merge(Cluster a, Cluster b) {
    if (a == b || a.points != b.points || a.vector != b.vector) {
      return;
    }
    List<Value> all = new ArrayList<>(a.members);
    all.addAll(b.members);
    all.sort((x, y) -> Integer.compare(x.id, y.id));
    if (all.stream().mapToInt(Clusters::weight).sum() > MAX_OPS
        || !samePattern(all)
        || readsMemory(all)
        || Kernels.externals(all).size() > MAX_OPERANDS
        || Kernels.space(all, List.of()) == null
        || cyclic(a, b)) {
      return;
    }
    a.members.clear();
    a.members.addAll(all);
    all.forEach(v -> of.put(v, a));
    rank(a, b);
  }

  /** By the code that is generated; a function is some thirty vector operations. */
  private static int weight(Value v) {
    return v.name().equals("threefry2x32") ? 40 : VectorMath.has(v.name()) ? 16 : 1;
  }

  /** One kernel folds one set of axes of one shape. */
  private static boolean samePattern(List<Value> all) {
    Value first = null;
    for (Value v : all) {
      if (v.kind == Value.Kind.REDUCE) {
        if (first != null && !Kernels.sameFold(first, v)) {
          return false;
        }
        first = v;
      }
    }
    return true;
  }

  /**
   * True if a step outside would have to run after a part and before another part of the union:
   * then it ranks between them. Marks what ranks there and reads the first part.
   */
  private boolean cyclic(Cluster a, Cluster b) {
    Cluster first = a.rank < b.rank ? a : b;
    Cluster last = first == a ? b : a;
    searches++;
    Deque<Cluster> todo = new ArrayDeque<>();
    todo.add(first);
    while (!todo.isEmpty()) {
      Cluster c = todo.poll();
      for (Value v : c.members) {
        for (List<Value> after : List.of(order.users(v), order.later(v))) {
          for (Value u : after) {
            Cluster next = of.get(u);
            if (next == last && c != first) {
              return true;
            }
            if (next.rank < last.rank && next != first && next.seen != searches) {
              next.seen = searches;
              todo.add(next);
            }
          }
        }
      }
    }
    return false;
  }

  /**
   * Ranks the union of two, just found not to be cyclic: before what was marked, after the rest.
   */
  private void rank(Cluster union, Cluster gone) {
    int from = Math.min(union.rank, gone.rank);
    int to = Math.max(union.rank, gone.rank);
    List<Cluster> after = new ArrayList<>();
    int at = from;
    for (int r = from; r <= to; r++) {
      Cluster c = ranked[r];
      ranked[r] = null;
      if (c == null || c == union || c == gone) {
        continue;
      }
      if (c.seen == searches) {
        after.add(c);
      } else {
        place(c, at++);
      }
    }
    place(union, at++);
    for (Cluster c : after) {
      place(c, at++);
    }
  }

  private void place(Cluster c, int rank) {
    c.rank = rank;
    ranked[rank] = c;
  }

  /** True if a value is read outside its kernel, or is a result. */
  boolean isStored(Value v) {
    return results.contains(v) || order.users(v).stream().anyMatch(u -> of.get(u) != of.get(v));
  }

  /** True if a member reads another not at its own point but through memory. */
  private static boolean readsMemory(List<Value> all) {
    Set<Value> set = new HashSet<>(all);
    for (Value v : all) {
      for (View a : v.args) {
        if (set.contains(a.base()) && (!a.isDense() || a.base().kind == Value.Kind.REDUCE)) {
          return true;
        }
      }
    }
    return false;
  }

  /**
   * What is cheap to compute from what is in memory anyway is computed again rather than stored by
   * one kernel and loaded by another: the results with such values doubled, or the same list if
   * there are none.
   */
  private List<View> cheap(List<View> roots) {
    Map<Value, Value> done = new IdentityHashMap<>();
    Map<Cluster, Map<Value, Value>> doubles = new IdentityHashMap<>();
    for (Value v : order.values) {
      List<View> args = new ArrayList<>();
      for (View a : v.args) {
        boolean twice =
            v.isFusable() && of.get(a.base()) != of.get(v) && a.isDense() && isCheap(a.base());
        Map<Value, Value> mine =
            twice ? doubles.computeIfAbsent(of.get(v), c -> new IdentityHashMap<>()) : null;
        args.add(moved(a, twice ? again(a.base(), done, mine) : done.get(a.base())));
      }
      if (!args.equals(v.args)) {
        done.put(v, v.withArgs(args));
      }
    }
    return doubles.isEmpty()
        ? roots
        : roots.stream().map(r -> moved(r, done.get(r.base()))).toList();
  }

  /** A value, and what it alone is computed from, once more for a kernel that does not share it. */
  private Value again(Value p, Map<Value, Value> done, Map<Value, Value> mine) {
    Value known = mine.get(p);
    if (known == null) {
      List<View> args = new ArrayList<>();
      for (View a : p.args) {
        Value b = a.base();
        boolean too = a.isDense() && (isInner(b) || isCheap(b));
        args.add(moved(a, too ? again(b, done, mine) : done.get(b)));
      }
      known = p.withArgs(args);
      mine.put(p, known);
    }
    return known;
  }

  private static View moved(View v, Value base) {
    return base == null ? v : new View(base, v.offset(), v.shape(), v.strides());
  }

  /** True for what never leaves its kernel. */
  private boolean isInner(Value v) {
    return v.kind == Value.Kind.ELEMENTWISE && !isStored(v);
  }

  private boolean isCheap(Value p) {
    return isTruth(p) || isOneOperand(p);
  }

  /** True for truth values of what is in memory. */
  private boolean isTruth(Value p) {
    return p.kind == Value.Kind.ELEMENTWISE
        && p.type.dtype() == DType.BOOL
        && p.args.stream().allMatch(a -> a.base().type.dtype() != DType.BOOL && !isInner(a.base()));
  }

  /**
   * True for sums and products of one array in memory with numbers that repeat, such as {@code x -
   * mean}: to load that array costs no more than to load the value, which need not be stored if
   * kernels alone read it.
   */
  private boolean isOneOperand(Value p) {
    if (p.kind != Value.Kind.ELEMENTWISE) {
      return false;
    }
    Boolean known = oneOperand.get(p);
    if (known == null) {
      known = madeOfOne(p);
      oneOperand.put(p, known);
    }
    return known;
  }

  private boolean madeOfOne(Value p) {
    Set<View> whole = new HashSet<>();
    return !results.contains(p)
        && order.users(p).stream().allMatch(Value::isFusable)
        && left(MAX_AGAIN, p, p.size(), whole) >= 0
        && whole.size() == 1;
  }

  /**
   * How many of so many operations are left when a value is made from what will be in memory, or -1
   * if they do not do.
   *
   * @param whole collects the operands of which a kernel loads a number for each point
   */
  private int left(int most, Value p, long points, Set<View> whole) {
    if (most == 0 || !SIMPLE.contains(p.name()) || p.type.dtype() != DType.F32) {
      return -1;
    }
    int left = most - 1;
    for (View a : p.args) {
      Value b = a.base();
      boolean each = a.isDense() && b.size() == points;
      if (each && (isInner(b) || isOneOperand(b))) {
        left = left(left, b, points, whole);
      } else if (b.size() * REPEATED > points) {
        left = each ? left : -1;
        whole.add(a);
      }
      if (left < 0) {
        return -1;
      }
    }
    return left;
  }
}
