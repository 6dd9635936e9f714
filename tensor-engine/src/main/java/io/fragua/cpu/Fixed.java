package io.fragua.cpu;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Finds the steps whose operands never change, so that an execution runs them once. */
final class Fixed {
  private Fixed() {}

  /**
   * Moves them to the front; gives their number.
   *
   * @param steps in an order in which they can run, changed
   * @param fixed positions of the inputs that stay the same
   * @param results what is written to the caller's memory, which the caller may change
   */
  static int first(List<Step> steps, Set<Integer> fixed, List<View> results) {
    Set<Value> known = new HashSet<>();
    Set<Value> given = new HashSet<>();
    results.forEach(r -> given.add(r.base()));
    List<Step> once = new ArrayList<>();
    List<Step> always = new ArrayList<>();
    for (Step s : steps) {
      boolean stays =
          s.reads().stream().allMatch(v -> known.contains(v) || isFixed(v, fixed))
              && s.writes().stream().noneMatch(given::contains);
      (stays ? once : always).add(s);
      if (stays) {
        known.addAll(s.writes());
      }
    }
    steps.clear();
    steps.addAll(once);
    steps.addAll(always);
    return once.size();
  }

  /** Values that depend on fixed operands alone and are computed once. */
  static Set<Value> values(Clusters.Result fused, Set<Integer> fixed) {
    Set<Value> known = new HashSet<>();
    Set<Value> given = new HashSet<>();
    fused.results().forEach(r -> given.add(r.base()));
    for (Cluster c : fused.clusters()) {
      boolean stays =
          c.members.stream()
              .flatMap(v -> v.args.stream())
              .map(View::base)
              .allMatch(v -> known.contains(v) || c.members.contains(v) || isFixed(v, fixed));
      if (stays
          && c.members.get(0).kind != Value.Kind.INPUT
          && c.members.stream().noneMatch(given::contains)) {
        known.addAll(c.members);
      }
    }
    return known;
  }

  static boolean isFixed(Value v, Set<Integer> fixed) {
    return v.kind == Value.Kind.CONSTANT || v.kind == Value.Kind.INPUT && fixed.contains(v.input);
  }
}
