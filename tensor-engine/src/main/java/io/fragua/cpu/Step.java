package io.fragua.cpu;

import java.util.List;
import java.util.Set;

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

    /** Forgets the buffers it was bound to, so that they can be collected. */
    default void unbind() {}

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

  /** The most tiles of its leading axes that it can be cut into; 1 if it cannot. */
  int maxTiles() {
    return 1;
  }

  /** True if it can be cut into {@link #maxTiles} tiles alone. */
  boolean exactTiles() {
    return false;
  }

  /** Operands and results of which a tile needs no more than its share. */
  Set<Value> tiled() {
    return Set.of();
  }

  /**
   * True if it can be cut into so many tiles, each reading of the values {@code inside} no more
   * than the same tile.
   */
  boolean tiles(int count, Set<Value> inside) {
    return false;
  }

  /** True if tile {@code t} of its results lies at {@code t} times the size of a tile. */
  boolean writesTiles() {
    return true;
  }

  /**
   * True if the program's pieces can be computed apart: a piece of each result needs of the values
   * {@code inside} no more than the same piece. A step that can computes the piece of its execution
   * alone.
   */
  boolean inPieces(int count, Set<Value> inside) {
    return false;
  }

  /** Gets ready to be run tile by tile. */
  void cut(int count) {}

  /** Bytes of memory it needs while it runs on a tile. */
  long tileScratchBytes() {
    return 0;
  }

  /** The step as one thread runs it tile by tile; only after {@link #cut}. */
  Part part(CpuExecution x, Tiling tiling) {
    throw new UnsupportedOperationException("cpu: this step has no tiles: " + describe());
  }

  /** Floating-point operations, as far as known. */
  double flops() {
    return 0;
  }

  /**
   * Bytes that a run reads: of a table whose rows are looked up, those rows.
   *
   * @param inPlace a result lies where an operand does ({@link Planner.Plan#inPlace})
   */
  long bytesRead(boolean inPlace) {
    return bytes(reads);
  }

  /** Bytes that a run writes, as {@link #bytesRead}. */
  long bytesWritten(boolean inPlace) {
    return bytes(writes);
  }

  static long bytes(List<Value> values) {
    return values.stream().mapToLong(v -> v.type.byteSize()).sum();
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
