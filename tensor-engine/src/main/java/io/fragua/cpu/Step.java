package io.fragua.cpu;

import java.util.List;

/**
 * One thing a program does, after another: immutable, shared by all executions. Places in memory
 * are set by the planner before the first {@link #bind}.
 */
abstract class Step {
  private final List<Value> reads;
  private final List<Value> writes;

  Step(List<Value> reads, List<Value> writes) {
    this.reads = List.copyOf(reads);
    this.writes = List.copyOf(writes);
  }

  /** A step of one execution: its memory is known. */
  interface Bound extends AutoCloseable {
    /** Takes the addresses anew: at first, and after a buffer was bound. */
    void rebind();

    /** Computes; allocates nothing. */
    void run();

    @Override
    void close();
  }

  /** This step and those that run just before and after it because of it. */
  List<Step> all() {
    return List.of(this);
  }

  /** Values in memory that it needs. */
  final List<Value> reads() {
    return reads;
  }

  /** Values that it makes. */
  final List<Value> writes() {
    return writes;
  }

  /** Bytes of memory it needs while it runs. */
  long scratchBytes() {
    return 0;
  }

  /** True if it reads every element of {@code read} just before it writes {@code written} there. */
  boolean inPlace(Value read, Value written) {
    return false;
  }

  abstract Bound bind(CpuExecution x);

  /** Floating-point operations, as far as known. */
  double flops() {
    return 0;
  }

  /** One line for people. */
  abstract String describe();

  /** Further lines, for a step that runs programs of its own. */
  String details() {
    return "";
  }

  /** Frees what the step owns outside the heap. */
  void close() {}
}
