package io.fragua.cpu;

import java.util.Map;
import java.util.TreeMap;

/**
 * One piece of memory that values share while a program is planned: places are given out first fit
 * and taken back, and its end is as far as it ever reached.
 */
final class Arena {
  private static final int ALIGN = 64;

  /** What a buffer of the JVM can hold. */
  private static final int MOST = Integer.MAX_VALUE / ALIGN * ALIGN - ALIGN;

  private final int slot;
  private final int most;
  private final boolean kept;

  /** Free pieces, by offset, with their sizes. */
  private final TreeMap<Integer, Integer> free = new TreeMap<>();

  private int end;

  /** Bytes that are in use, a multiple of the alignment. */
  record Held(Arena arena, int offset, int size) {
    Place place() {
      return new Place(arena.slot, offset);
    }

    void release() {
      arena.release(offset, size);
    }
  }

  /**
   * Memory without values.
   *
   * @param slot which memory of an execution it is
   * @param most bytes it may grow to
   * @param kept for what steps that run once leave to the others
   */
  Arena(int slot, int most, boolean kept) {
    this.slot = slot;
    this.most = most;
    this.kept = kept;
  }

  /** Bytes that one can grow to; tests set less. */
  static int most() {
    return Integer.getInteger("fragua.arena", MOST);
  }

  int slot() {
    return slot;
  }

  boolean kept() {
    return kept;
  }

  /** Bytes needed for all that was given out. */
  int bytes() {
    return end;
  }

  /** The first free place for so many bytes, or null if there is none. */
  Held allocate(long bytes) {
    long aligned = (Math.max(1, bytes) + ALIGN - 1) / ALIGN * ALIGN;
    if (aligned > most) {
      return null;
    }
    int need = (int) aligned;
    for (Map.Entry<Integer, Integer> e : free.entrySet()) {
      if (e.getValue() >= need) {
        int at = e.getKey();
        int size = e.getValue();
        free.remove(at);
        if (size > need) {
          free.put(at + need, size - need);
        }
        return new Held(this, at, need);
      }
    }
    Map.Entry<Integer, Integer> last = free.lastEntry();
    boolean open = last != null && last.getKey() + last.getValue() == end;
    int at = open ? last.getKey() : end;
    if ((long) at + need > most) {
      return null;
    }
    if (open) {
      free.remove(at);
    }
    end = at + need;
    return new Held(this, at, need);
  }

  private void release(int offset, int bytes) {
    int at = offset;
    int size = bytes;
    Map.Entry<Integer, Integer> before = free.lowerEntry(at);
    if (before != null && before.getKey() + before.getValue() == at) {
      at = before.getKey();
      size += before.getValue();
      free.remove(at);
    }
    Integer after = free.remove(at + size);
    free.put(at, after == null ? size : size + after);
  }
}
