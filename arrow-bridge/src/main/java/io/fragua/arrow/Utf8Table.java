package io.fragua.arrow;

import java.util.Arrays;
import org.apache.spark.unsafe.Platform;
import org.apache.spark.unsafe.array.ByteArrayMethods;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * Distinct strings numbered in order of arrival: an open-addressing hash table with linear probing,
 * at most half full, over UTF-8 bytes that lie back to back in one array. Looking up copies
 * nothing. Concurrent reads are safe, writes are not.
 */
final class Utf8Table {
  // Length and first eight bytes identify a string of up to eight bytes (airport and country codes,
  // most labels), so that its bytes need not be compared; longer ones compare bytes after both
  // agree.
  private int[] slots; // position + 1, 0 when free
  private long[] prefixes;
  private int[] starts; // of size + 1
  private byte[] bytes;
  private int size;

  Utf8Table(int expected) {
    slots = new int[slotsFor(expected)];
    prefixes = new long[Math.max(expected, 8)];
    starts = new int[prefixes.length + 1];
    bytes = new byte[Math.max(8, prefixes.length * 4)];
  }

  static int slotsFor(int expected) {
    return Math.max(16, Integer.highestOneBit(Math.max(1, Math.min(expected, 1 << 28))) << 2);
  }

  /** A larger array length, growing by half. */
  static int grown(int length) {
    return (int) Math.min(Integer.MAX_VALUE - 16L, length + (length >> 1) + 8L);
  }

  int size() {
    return size;
  }

  /** Bytes of all strings together. */
  int byteSize() {
    return starts[size];
  }

  int start(int position) {
    return starts[position];
  }

  byte[] bytes() {
    return bytes;
  }

  UTF8String key(int position) {
    return UTF8String.fromBytes(bytes, starts[position], starts[position + 1] - starts[position]);
  }

  private static int hash(UTF8String key, long prefix, int length) {
    long h = (prefix + length) * 0x9E3779B97F4A7C15L;
    if (length > 8) {
      h ^= key.hashCode() * 0xC2B2AE3D27D4EB4FL;
    }
    return (int) (h ^ (h >>> 32));
  }

  private boolean matches(int p, UTF8String key, long prefix, int length) {
    return prefixes[p] == prefix
        && starts[p + 1] - starts[p] == length
        && (length <= 8
            || ByteArrayMethods.arrayEquals(
                bytes,
                Platform.BYTE_ARRAY_OFFSET + (long) starts[p],
                key.getBaseObject(),
                key.getBaseOffset(),
                length));
  }

  /** The string's position, or -1. */
  int find(UTF8String key) {
    long prefix = key.getPrefix();
    int length = key.numBytes();
    int mask = slots.length - 1;
    for (int s = hash(key, prefix, length) & mask; ; s = (s + 1) & mask) {
      int p = slots[s] - 1;
      if (p < 0 || matches(p, key, prefix, length)) {
        return p;
      }
    }
  }

  /** The string's position, adding a copy if it is new. */
  int add(UTF8String key) {
    long prefix = key.getPrefix();
    int length = key.numBytes();
    int mask = slots.length - 1;
    int s = hash(key, prefix, length) & mask;
    for (; slots[s] != 0; s = (s + 1) & mask) {
      if (matches(slots[s] - 1, key, prefix, length)) {
        return slots[s] - 1;
      }
    }
    append(key, prefix, length);
    slots[s] = size;
    if (size * 2L > slots.length) {
      rehash();
    }
    return size - 1;
  }

  private void append(UTF8String key, long prefix, int length) {
    if (size == prefixes.length) {
      prefixes = Arrays.copyOf(prefixes, grown(size));
      starts = Arrays.copyOf(starts, prefixes.length + 1);
    }
    long end = (long) starts[size] + length;
    if (end > Integer.MAX_VALUE - 16) {
      throw new IllegalStateException(
          "categories: the distinct strings of a column hold at most 2 GiB: "
              + size
              + " strings reach "
              + end
              + " bytes; leave this column out or hash it first");
    }
    if (end > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max((int) end, grown(bytes.length)));
    }
    key.writeToMemory(bytes, Platform.BYTE_ARRAY_OFFSET + (long) starts[size]);
    prefixes[size] = prefix;
    starts[++size] = (int) end;
  }

  private void rehash() {
    slots = new int[slots.length * 2];
    int mask = slots.length - 1;
    for (int p = 0; p < size; p++) {
      int t = hash(key(p), prefixes[p], starts[p + 1] - starts[p]) & mask;
      while (slots[t] != 0) {
        t = (t + 1) & mask;
      }
      slots[t] = p + 1;
    }
  }
}
