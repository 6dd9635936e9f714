package io.fragua.cpu;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** The values that some results need, operands before users, and who uses whom. */
final class Order {
  final List<Value> values;
  private final Map<Value, List<Value>> users = new IdentityHashMap<>();

  private Order(List<Value> values) {
    this.values = values;
  }

  /** Walks back from the results without recursion; sets {@link Value#id}. */
  static Order of(List<Value> roots) {
    List<Value> out = new ArrayList<>();
    Map<Value, Boolean> state = new IdentityHashMap<>();
    Deque<Value> stack = new ArrayDeque<>();
    for (int i = roots.size() - 1; i >= 0; i--) {
      stack.push(roots.get(i));
    }
    while (!stack.isEmpty()) {
      Value v = stack.peek();
      if (!state.containsKey(v)) {
        state.put(v, false);
        for (int i = v.args.size() - 1; i >= 0; i--) {
          Value a = v.args.get(i).base();
          if (!state.containsKey(a)) {
            stack.push(a);
          }
        }
      } else {
        stack.pop();
        if (!state.put(v, true)) {
          v.id = out.size();
          out.add(v);
        }
      }
    }
    Order o = new Order(out);
    for (Value v : out) {
      for (View a : v.args) {
        List<Value> u = o.users.computeIfAbsent(a.base(), k -> new ArrayList<>());
        if (u.isEmpty() || u.get(u.size() - 1) != v) {
          u.add(v);
        }
      }
    }
    return o;
  }

  /** Values that read this one, in order. */
  List<Value> users(Value v) {
    return users.getOrDefault(v, List.of());
  }
}
