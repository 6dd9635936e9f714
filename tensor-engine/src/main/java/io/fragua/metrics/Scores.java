package io.fragua.metrics;

import java.io.Serializable;
import java.util.Arrays;

/** Scores of rows of label 0 and of label 1, all kept, each side with room to grow. */
final class Scores implements Serializable {
  private static final long serialVersionUID = 1;

  private final double[][] scores = {new double[16], new double[16]};
  private final int[] sizes = new int[2];

  void add(int label, double score) {
    room(label, 1);
    scores[label][sizes[label]++] = score;
  }

  void add(Scores other) {
    for (int side = 0; side < 2; side++) {
      int more = other.sizes[side];
      room(side, more);
      System.arraycopy(other.scores[side], 0, scores[side], sizes[side], more);
      sizes[side] += more;
    }
  }

  private void room(int side, int more) {
    int needed = Math.addExact(sizes[side], more);
    if (needed > scores[side].length) {
      int grown = (int) Math.min(Integer.MAX_VALUE - 8L, 2L * scores[side].length);
      scores[side] = Arrays.copyOf(scores[side], Math.max(needed, grown));
    }
  }

  int size(int label) {
    return sizes[label];
  }

  /** Ascending, -0.0 as 0.0; a copy. */
  double[] sorted(int label) {
    double[] v = Arrays.copyOf(scores[label], sizes[label]);
    for (int i = 0; i < v.length; i++) {
      v[i] += 0.0; // -0.0 and 0.0 are one score, but sort and binary order tell them apart
    }
    Arrays.sort(v);
    return v;
  }
}
