package io.fragua.cpu;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** The values that some results need, operands before users, and who uses whom. */
final class Order {
  final List<Value> values;
  private final Map<Value, List<Value>> users = new IdentityHashMap<>();

  /** Values that come first although the key does not read them. */
  private final Map<Value, List<Value>> first;

  /** The reverse. */
  private final Map<Value, List<Value>> later = new IdentityHashMap<>();

  /** Walks back from the results without recursion; sets {@link Value#id}. */
  private Order(List<Value> roots, Map<Value, List<Value>> first) {
    this.first = first;
    values = new ArrayList<>();
    Map<Value, Boolean> state = new IdentityHashMap<>();
    Deque<Value> stack = new ArrayDeque<>();
    for (int i = roots.size() - 1; i >= 0; i--) {
      stack.push(roots.get(i));
    }
    while (!stack.isEmpty()) {
      Value v = stack.peek();
      if (!state.containsKey(v)) {
        state.put(v, false);
        first(v).stream().filter(f -> !state.containsKey(f)).forEach(stack::push);
        for (int i = v.args.size() - 1; i >= 0; i--) {
          Value a = v.args.get(i).base();
          if (!state.containsKey(a)) {
            stack.push(a);
          }
        }
      } else {
        stack.pop();
        if (!state.put(v, true)) {
          v.id = values.size();
          values.add(v);
        }
      }
    }
    for (Value v : values) {
      for (View a : v.args) {
        List<Value> u = users.computeIfAbsent(a.base(), k -> new ArrayList<>());
        if (u.isEmpty() || u.get(u.size() - 1) != v) {
          u.add(v);
        }
      }
      first(v).forEach(f -> later.computeIfAbsent(f, k -> new ArrayList<>()).add(v));
    }
  }

  /** Any order. */
  static Order of(List<Value> roots) {
    return new Order(roots, Map.of());
  }

  /**
   * An order in which what is written over an operand comes after those who read the operand.
   *
   * @param over operands by the result that may be written over them
   */
  static Order of(List<Value> roots, Map<Value, Value> over) {
    Order any = of(roots);
    Map<Value, List<Value>> first = new IdentityHashMap<>();
    // A result that nobody reads and that waits for no such result cannot wait for itself.
    over.keySet().stream()
        .filter(r -> any.users(r).isEmpty())
        .forEach(r -> first.put(r, List.of()));
    first.replaceAll(
        (r, none) -> any.users(over.get(r)).stream().filter(u -> !first.containsKey(u)).toList());
    return new Order(roots, first);
  }

  /**
   * When a program best computes each value: results that take the fewest steps come first, so that
   * a layer's gradient and the update of its parameters do not keep what they need until the
   * gradients of all layers are there. Leaves {@link Value#id} as it is here.
   */
  Map<Value, Integer> soon(List<Value> roots) {
    int[] depth = new int[values.size()];
    for (Value v : values) {
      v.args.forEach(a -> depth[v.id] = Math.max(depth[v.id], depth[a.base().id] + 1));
    }
    List<Value> sorted = new ArrayList<>(roots);
    sorted.sort(Comparator.comparingInt(r -> depth[r.id]));
    Map<Value, Integer> at = new IdentityHashMap<>();
    new Order(sorted, first).values.forEach(v -> at.put(v, v.id));
    for (int i = 0; i < values.size(); i++) {
      values.get(i).id = i;
    }
    return at;
  }

  /** Values that have to come before this one although it does not read them. */
  List<Value> first(Value v) {
    return first.getOrDefault(v, List.of());
  }

  /** Values that come after this one without reading it: the reverse of {@link #first}. */
  List<Value> later(Value v) {
    return later.getOrDefault(v, List.of());
  }

  /** Values that read this one, in order. */
  List<Value> users(Value v) {
    return users.getOrDefault(v, List.of());
  }
}
