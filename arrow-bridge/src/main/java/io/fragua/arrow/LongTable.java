package io.fragua.arrow;

import java.util.Arrays;

/**
 * Distinct integers numbered in order of arrival: an open-addressing hash table with linear
 * probing, at most half full. Concurrent reads are safe, writes are not.
 */
final class LongTable {
  private int[] slots; // position + 1, 0 when free
  private long[] keys;
  private int size;

  LongTable(int expected) {
    slots = new int[Utf8Table.slotsFor(expected)];
    keys = new long[Math.max(expected, 8)];
  }

  int size() {
    return size;
  }

  long key(int position) {
    return keys[position];
  }

  private static long mix(long v) {
    long h = v * 0x9E3779B97F4A7C15L;
    return h ^ (h >>> 32);
  }

  /** The key's position, or -1. */
  int find(long key) {
    int mask = slots.length - 1;
    for (int s = (int) mix(key) & mask; ; s = (s + 1) & mask) {
      int p = slots[s] - 1;
      if (p < 0 || keys[p] == key) {
        return p;
      }
    }
  }

  /** The key's position, adding it if it is new. */
  int add(long key) {
    int mask = slots.length - 1;
    int s = (int) mix(key) & mask;
    for (; slots[s] != 0; s = (s + 1) & mask) {
      if (keys[slots[s] - 1] == key) {
        return slots[s] - 1;
      }
    }
    if (size == keys.length) {
      keys = Arrays.copyOf(keys, Utf8Table.grown(size));
    }
    keys[size++] = key;
    slots[s] = size;
    if (size * 2L > slots.length) {
      slots = new int[slots.length * 2];
      mask = slots.length - 1;
      for (int p = 0; p < size; p++) {
        int t = (int) mix(keys[p]) & mask;
        while (slots[t] != 0) {
          t = (t + 1) & mask;
        }
        slots[t] = p + 1;
      }
    }
    return size - 1;
  }
}
