package io.fragua.cpu;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Sorts unsigned keys of 1 to 8 bytes together with their places, equal keys by place. Short lines
 * are sorted by comparing, long ones digit by digit from the lowest (a digit that all keys share is
 * skipped). Its memory is used again for each line; not thread-safe.
 */
final class KeySort {
  /** Lines of 8-byte keys up to this are sorted by insertion. */
  private static final int INSERTION = 48;

  /** Lines of shorter keys up to this are sorted as whole numbers. */
  private static final int COMPARE = 512;

  /** Bits of a digit: two for the numbers of a million rows. */
  private static final int DIGIT = 11;

  private static final int MASK = (1 << DIGIT) - 1;

  /** Lines of shorter keys up to this are sorted by a network. */
  private static final int NETWORK = 32;

  private final int n;
  private long[] keys;
  private long[] otherKeys;

  /** Null where the place is in the lower half of the key. */
  private int[] places;

  private int[] otherPlaces;

  /** How many keys have each digit, digit after digit; null for lines that are compared. */
  private final int[] counts;

  /** Places to compare one after another, two by two. */
  private final int[] network;

  KeySort(int n, boolean wide) {
    this.n = n;
    keys = new long[n];
    boolean radix = n > (wide ? INSERTION : COMPARE);
    otherKeys = new long[radix ? n : 0];
    counts = radix ? new int[(wide ? 64 : 32) / DIGIT + 1 << DIGIT] : null;
    places = wide ? new int[n] : null;
    otherPlaces = wide && radix ? new int[n] : null;
    network = !wide && n <= NETWORK ? network(n) : null;
  }

  /** Batcher's odd-even merge sort. */
  private static int[] network(int n) {
    IntStream.Builder s = IntStream.builder();
    for (int p = 1; p < n; p *= 2) {
      for (int k = p; k >= 1; k /= 2) {
        for (int j = k % p; j + k < n; j += 2 * k) {
          for (int i = j; i < Math.min(j + k, n - k); i++) {
            if (i / (2 * p) == (i + k) / (2 * p)) {
              s.add(i).add(i + k);
            }
          }
        }
      }
    }
    return s.build().toArray();
  }

  /** Without branches, which for short lines take longer than all comparisons. */
  private void exchange() {
    long[] a = keys;
    for (int i = 0; i < network.length; i += 2) {
      int low = network[i];
      int high = network[i + 1];
      long x = a[low];
      long y = a[high];
      a[low] = Math.min(x, y);
      a[high] = Math.max(x, y);
    }
  }

  /** Sets the key of the element at place {@code i}; bits above its width are ignored. */
  void key(int i, long key) {
    if (places == null) {
      keys[i] = key << 32 | i;
    } else {
      keys[i] = key;
      places[i] = i;
    }
  }

  /** The place of the i-th element after sorting. */
  int place(int i) {
    return places == null ? (int) keys[i] : places[i];
  }

  /** Sorts. */
  void sort(int bytes) {
    if (places != null) {
      if (n <= INSERTION) {
        insertion();
      } else {
        digits(0, 64);
      }
    } else if (n <= COMPARE) {
      // the key's highest bit first, and as the sign: signed order of the whole is unsigned of it
      int up = 32 - 8 * bytes;
      for (int i = 0; i < n; i++) {
        long k = keys[i];
        keys[i] = (k >> 32 << (32 + up) ^ Long.MIN_VALUE) | k & 0xffffffffL;
      }
      if (network != null) {
        exchange();
      } else {
        Arrays.sort(keys);
      }
    } else {
      digits(32, 32 + 8 * bytes);
    }
  }

  private void insertion() {
    for (int i = 1; i < n; i++) {
      long k = keys[i];
      int p = places[i];
      int j = i - 1;
      while (j >= 0 && Long.compareUnsigned(keys[j], k) > 0) {
        keys[j + 1] = keys[j];
        places[j + 1] = places[j];
        j--;
      }
      keys[j + 1] = k;
      places[j + 1] = p;
    }
  }

  /** Sorts by the bits of the keys from here to there. */
  private void digits(int from, int to) {
    int digits = (to - from + DIGIT - 1) / DIGIT;
    Arrays.fill(counts, 0, digits << DIGIT, 0);
    for (int i = 0; i < n; i++) {
      long k = keys[i] << 64 - to >>> 64 - to + from;
      for (int d = 0; d < digits; d++) {
        counts[(d << DIGIT) + ((int) k & MASK)]++;
        k >>>= DIGIT;
      }
    }
    for (int d = 0; d < digits; d++) {
      int shift = from + d * DIGIT;
      int mask = (1 << Math.min(DIGIT, to - shift)) - 1;
      if (counts[(d << DIGIT) + ((int) (keys[0] >>> shift) & mask)] < n) {
        move(shift, mask, d << DIGIT);
      }
    }
  }

  /** Moves keys to where their digit has them, equal ones in their order. */
  private void move(int shift, int mask, int first) {
    int start = 0;
    for (int d = first; d <= first + mask; d++) {
      int c = counts[d];
      counts[d] = start;
      start += c;
    }
    if (places == null) {
      for (int i = 0; i < n; i++) {
        long k = keys[i];
        otherKeys[counts[first + ((int) (k >>> shift) & mask)]++] = k;
      }
    } else {
      for (int i = 0; i < n; i++) {
        int at = counts[first + ((int) (keys[i] >>> shift) & mask)]++;
        otherKeys[at] = keys[i];
        otherPlaces[at] = places[i];
      }
      int[] p = places;
      places = otherPlaces;
      otherPlaces = p;
    }
    long[] k = keys;
    keys = otherKeys;
    otherKeys = k;
  }
}
