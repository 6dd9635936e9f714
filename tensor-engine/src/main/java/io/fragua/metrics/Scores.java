package io.fragua.metrics;

import java.io.Serializable;
import java.util.Arrays;
import java.util.Comparator;

/** Scores of rows of label 0 and of label 1, all kept, each side with room to grow. */
final class Scores implements Serializable {
  private static final long serialVersionUID = 2;

  private final double[][] scores = {new double[16], new double[16]};
  private final int[] sizes = new int[2];
  private double[][] weights; // as long as scores; null while all are 1

  void add(int label, double score) {
    add(label, score, 1);
  }

  void add(int label, double score, double weight) {
    if (weight != 1) {
      weigh();
    }
    room(label, 1);
    if (weights != null) {
      weights[label][sizes[label]] = weight;
    }
    scores[label][sizes[label]++] = score;
  }

  private void weigh() {
    if (weights == null) {
      weights = new double[][] {new double[scores[0].length], new double[scores[1].length]};
      Arrays.stream(weights).forEach(w -> Arrays.fill(w, 1));
    }
  }

  boolean weighted() {
    return weights != null;
  }

  void add(Scores other) {
    if (other.weights != null) {
      weigh();
    }
    for (int side = 0; side < 2; side++) {
      int more = other.sizes[side];
      room(side, more);
      System.arraycopy(other.scores[side], 0, scores[side], sizes[side], more);
      if (other.weights != null) {
        System.arraycopy(other.weights[side], 0, weights[side], sizes[side], more);
      } else if (weights != null) {
        Arrays.fill(weights[side], sizes[side], sizes[side] + more, 1);
      }
      sizes[side] += more;
    }
  }

  private void room(int side, int more) {
    int needed = Math.addExact(sizes[side], more);
    if (needed > scores[side].length) {
      int grown = (int) Math.min(Integer.MAX_VALUE - 8L, 2L * scores[side].length);
      scores[side] = Arrays.copyOf(scores[side], Math.max(needed, grown));
      if (weights != null) {
        weights[side] = Arrays.copyOf(weights[side], scores[side].length);
      }
    }
  }

  int size(int label) {
    return sizes[label];
  }

  /** Scores, ascending as those of {@link #sorted}, and their weights. */
  double[][] sortedWithWeights(int label) {
    Integer[] order = new Integer[sizes[label]];
    Arrays.setAll(order, i -> i);
    double[] s = scores[label];
    Arrays.sort(order, Comparator.comparingDouble(i -> s[i] + 0.0));
    return new double[][] {
      Arrays.stream(order).mapToDouble(i -> s[i] + 0.0).toArray(),
      Arrays.stream(order).mapToDouble(i -> weights[label][i]).toArray()
    };
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
