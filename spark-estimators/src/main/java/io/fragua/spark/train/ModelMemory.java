package io.fragua.spark.train;

import io.fragua.exec.Allocator;
import io.fragua.tensor.Buffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * All that a training changes: parameters, running statistics and the optimizer's state, by operand
 * name. Workers that are threads of one process keep one together; who leaves last frees it, so
 * that a worker may fail while another one reads. Counting users is thread-safe.
 */
final class ModelMemory {
  private final Allocator allocator;
  private final Map<String, Buffer> named = new LinkedHashMap<>();
  private int users = 1;

  /**
   * Memory with these values and one user.
   *
   * @param rank of the worker that begins with it, for reports of leaks
   */
  ModelMemory(
      List<TrainPlan.Leaf> params,
      List<TrainPlan.Leaf> state,
      List<TrainPlan.Leaf> optState,
      int rank) {
    allocator = new Allocator("model of a training, rank " + rank);
    try {
      add("param:", params);
      add("state:", state);
      add("opt:", optState);
    } catch (Throwable t) {
      release();
      throw t;
    }
  }

  private void add(String prefix, List<TrainPlan.Leaf> leaves) {
    for (TrainPlan.Leaf l : leaves) {
      Buffer b = allocator.allocate(l.value().length);
      named.put(prefix + l.name(), b);
      b.bytes().put(0, l.value());
    }
  }

  /** Memory by operand name, in the order of the values. */
  Map<String, Buffer> named() {
    return named;
  }

  /** Memory in the order of the values. */
  Collection<Buffer> buffers() {
    return named.values();
  }

  /** Counts one more user; false if the last one is gone. */
  synchronized boolean share() {
    if (users == 0) {
      return false;
    }
    users++;
    return true;
  }

  /** Takes leave of it; the last user's call frees it. */
  synchronized void release() {
    if (--users == 0) {
      new ArrayList<>(named.values()).forEach(allocator::free);
      named.clear();
      allocator.close();
    }
  }
}
