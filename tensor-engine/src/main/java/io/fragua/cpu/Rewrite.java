package io.fragua.cpu;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Walks the values of a program, operands first, and puts a rule's better value for each. */
final class Rewrite {
  private Rewrite() {}

  /** What a rule does. */
  @FunctionalInterface
  interface Rule {
    /**
     * The value, or a better one of the same type.
     *
     * @param old the value before the pass, which {@code uses} knows
     * @param now the same with operands already rewritten
     */
    Value apply(Value old, Value now, Uses uses);
  }

  /** Who reads what, before the pass. */
  record Uses(Order order, Set<Value> results) {
    /** True if one value alone reads this one, and it is no result. */
    boolean onlyHere(Value v) {
      return !results.contains(v) && order.users(v).size() == 1;
    }
  }

  static List<View> run(List<View> results, Rule rule) {
    Order order = Order.of(results.stream().map(View::base).toList());
    Set<Value> needed = new HashSet<>();
    results.forEach(r -> needed.add(r.base()));
    Uses uses = new Uses(order, needed);
    Map<Value, Value> done = new IdentityHashMap<>();
    for (Value v : order.values) {
      List<View> args = new ArrayList<>();
      for (View a : v.args) {
        args.add(moved(a, done));
      }
      Value now = args.equals(v.args) ? v : v.withArgs(args);
      Value better = rule.apply(v, now, uses);
      if (better != v) {
        done.put(v, better);
      }
    }
    return results.stream().map(r -> moved(r, done)).toList();
  }

  private static View moved(View v, Map<Value, Value> done) {
    Value b = done.getOrDefault(v.base(), v.base());
    return b == v.base() ? v : new View(b, v.offset(), v.shape(), v.strides());
  }
}
