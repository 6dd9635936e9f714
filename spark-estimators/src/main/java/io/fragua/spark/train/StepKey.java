package io.fragua.spark.train;

import java.nio.ByteBuffer;

/**
 * The graphs' random key for each step and worker: {@code Key.of(seed).foldIn(step).foldIn(rank)},
 * computed on plain ints because a step should not run eager tensor operations. One thread uses it.
 */
final class StepKey {
  /*
   * Folding a number into a key enciphers the counter (0, number) with it: Threefry-2x32, 20 rounds
   * (Salmon et al., SC 2011). A test compares the words with those of io.fragua.random.Key.
   */
  private static final int PARITY = 0x1BD11BDA;
  private static final int[] ROTATIONS = {13, 15, 26, 6, 17, 29, 16, 24};

  private final int seed0;
  private final int seed1;
  private int k0;
  private int k1;

  StepKey(long seed) {
    boolean fits = seed >= Integer.MIN_VALUE && seed <= 0xffffffffL;
    seed0 = fits ? 0 : (int) (seed >>> 32);
    seed1 = (int) seed;
  }

  /** Writes the two words of a step's key. */
  void write(long step, int rank, ByteBuffer key) {
    k0 = seed0;
    k1 = seed1;
    foldIn((int) step);
    foldIn(rank);
    key.putInt(0, k0);
    key.putInt(4, k1);
  }

  private void foldIn(int data) {
    int k2 = PARITY ^ k0 ^ k1;
    int x0 = k0;
    int x1 = data + k1;
    for (int group = 0; group < 5; group++) {
      for (int r = 0; r < 4; r++) {
        x0 += x1;
        x1 = Integer.rotateLeft(x1, ROTATIONS[(group & 1) * 4 + r]) ^ x0;
      }
      x0 += word(group + 1, k2);
      x1 += word(group + 2, k2) + group + 1;
    }
    k0 = x0;
    k1 = x1;
  }

  private int word(int i, int k2) {
    return switch (i % 3) {
      case 0 -> k0;
      case 1 -> k1;
      default -> k2;
    };
  }
}
