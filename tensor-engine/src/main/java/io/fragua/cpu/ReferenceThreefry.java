package io.fragua.cpu;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.TensorType;
import java.util.List;

/** Threefry-2x32 with 20 rounds: a block cipher of two words used as a random number generator. */
final class ReferenceThreefry {
  // Salmon, Moraes, Dror, Shaw: "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011. The key
  // schedule adds a third word, the parity; a key word is injected after every four rounds.
  private static final int PARITY = 0x1BD11BDA;
  private static final int[][] ROTATIONS = {{13, 15, 26, 6}, {17, 29, 16, 24}};

  private ReferenceThreefry() {}

  /** Operands: two key words, then the counter's high and low word; all i32 of one shape. */
  static void compute(Attrs a, List<TensorType> in, Buffer[] x, TensorType out, Buffer y) {
    for (long i = 0, n = out.shape().size(); i < n; i++) {
      int[] w = new int[4];
      for (int k = 0; k < 4; k++) {
        w[k] = (int) x[k].getLong(DType.I32, i);
      }
      int[] block = encrypt(w[0], w[1], w[2], w[3]);
      int word =
          switch (a.text("word")) {
            case "0" -> block[0];
            case "1" -> block[1];
            default -> block[0] ^ block[1];
          };
      y.putLong(DType.I32, i, word);
    }
  }

  static int[] encrypt(int key0, int key1, int x0, int x1) {
    int[] key = {key0, key1, PARITY ^ key0 ^ key1};
    x0 += key[0];
    x1 += key[1];
    for (int group = 0; group < 5; group++) {
      for (int r : ROTATIONS[group % 2]) {
        x0 += x1;
        x1 = Integer.rotateLeft(x1, r) ^ x0;
      }
      x0 += key[(group + 1) % 3];
      x1 += key[(group + 2) % 3] + group + 1;
    }
    return new int[] {x0, x1};
  }
}
