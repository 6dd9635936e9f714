package io.fragua.cpu;

import java.util.ArrayList;
import java.util.List;

/** Values that one step computes: a fused kernel's, or a single other value. */
final class Cluster {
  /** In order: operands before users. */
  final List<Value> members = new ArrayList<>();

  /** Number of points that the kernel visits. */
  final long points;

  /** True if every member has vector code. */
  final boolean vector;

  /** Place in an order in which each cluster comes after those it reads. */
  int rank;

  /** The last search that came by. */
  int seen;

  Cluster(Value v) {
    members.add(v);
    points = v.points();
    vector = v.isFusable() && VectorText.supports(v);
  }

  /** True for a generated kernel. */
  boolean isKernel() {
    return members.get(0).isFusable();
  }
}
