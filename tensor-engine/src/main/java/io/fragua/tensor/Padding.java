package io.fragua.tensor;

/**
 * Which elements {@link Arranging#pad} puts around an axis; the words are NumPy's. The values after
 * a bar stand for what follows [a b c].
 */
public enum Padding {
  /** The last one over and over: | c c c c. */
  EDGE,
  /** Mirrored at the last element: | b a b c. */
  REFLECT,
  /** Mirrored behind the last element: | c b a a. */
  SYMMETRIC,
  /** From the other end: | a b c a. */
  WRAP;

  /** The index in [0, n) whose element lies at index {@code i} of the endless axis. */
  int source(int i, int n) {
    return switch (this) {
      case EDGE -> Math.max(0, Math.min(n - 1, i));
      case WRAP -> Math.floorMod(i, n);
      case REFLECT -> n == 1 ? 0 : n - 1 - Math.abs(n - 1 - Math.floorMod(i, 2 * n - 2));
      case SYMMETRIC -> {
        int k = Math.floorMod(i, 2 * n);
        yield Math.min(k, 2 * n - 1 - k);
      }
    };
  }
}
