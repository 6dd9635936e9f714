package io.fragua.spark.estimator;

import io.fragua.spark.persist.DataDescription;
import io.fragua.tensor.DType;
import io.fragua.tensor.Movement;
import io.fragua.tensor.Tensor;
import java.util.List;
import java.util.Map;

/**
 * What is predicted: classes or amounts. States how the network's last layer becomes metrics and a
 * saved output; the loss is the estimator's, the rest is the same for both.
 */
enum Objective {
  /** Classes 0 to K - 1. The network's output is [B, 1] (two classes, one logit) or [B, K]. */
  CLASSES {
    @Override
    int outputs(DataDescription d) {
      return d.classes() == 2 ? 1 : d.classes();
    }

    @Override
    List<Integer> allowedOutputs(DataDescription d) {
      return d.classes() == 2 ? List.of(1, 2) : List.of(d.classes());
    }

    @Override
    Map<String, Tensor> metrics(Tensor output, Tensor label, DataDescription d) {
      return Map.of("accuracy", choice(output, null).equal(label).cast(DType.F32));
    }

    @Override
    Tensor prediction(Tensor output, DataDescription d) {
      return output;
    }
  },

  /**
   * Any number. The network's output is [B, 1], the distance from the label's mean in units of its
   * standard deviation. Labels come without that mean, which is added in f64 at the very end:
   * amounts that are large beside their deviation, as times, keep their digits.
   */
  AMOUNTS {
    @Override
    int outputs(DataDescription d) {
      return 1;
    }

    @Override
    List<Integer> allowedOutputs(DataDescription d) {
      return List.of(1);
    }

    @Override
    Map<String, Tensor> metrics(Tensor output, Tensor label, DataDescription d) {
      Tensor off = output.reshape(output.shape().dim(0)).mul(d.labelDeviation()).sub(label);
      return Map.of("mae", off.abs(), "mse", off.mul(off));
    }

    @Override
    Tensor prediction(Tensor output, DataDescription d) {
      return output.cast(DType.F64).mul(d.labelDeviation()).add(d.labelMean());
    }
  };

  /** Units of the last layer of a network that is not custom. */
  abstract int outputs(DataDescription d);

  /** What a custom network's last axis may be. */
  abstract List<Integer> allowedOutputs(DataDescription d);

  /** The same before the data are looked at; empty where they tell how many classes there are. */
  List<Integer> knownOutputs() {
    return this == AMOUNTS ? allowedOutputs(null) : List.of();
  }

  /** One loss a row, [B]. */
  interface RowLoss {
    /**
     * The losses.
     *
     * @param output [B, outputs]
     * @param label [B] f32, less the description's {@code labelMean}
     */
    Tensor of(Tensor output, Tensor label);
  }

  /** What each epoch measures besides the loss: by name a number a row, [B], to be averaged. */
  abstract Map<String, Tensor> metrics(Tensor output, Tensor label, DataDescription d);

  /** Names of {@link #metrics}, in order. */
  List<String> metricNames() {
    return this == CLASSES ? List.of("accuracy") : List.of("mae", "mse");
  }

  /** What the saved graph gives: logits, or amounts in the label's units, f64; [B, outputs]. */
  abstract Tensor prediction(Tensor output, DataDescription d);

  /** [B, K] from logits [B, 1] or [B, K]: with one logit z it is (-z, z). */
  static Tensor raw(Tensor logits) {
    return logits.shape().dim(1) == 1 ? Movement.concat(1, List.of(logits.neg(), logits)) : logits;
  }

  /** Probabilities [B, K] from logits [B, 1] or [B, K]. */
  static Tensor probability(Tensor logits) {
    return logits.shape().dim(1) == 1 ? raw(logits).logistic() : logits.softmax(1);
  }

  /**
   * The predicted class [B] as f32.
   *
   * @param thresholds null for the most probable class, else the largest probability / threshold
   *     wins; 0 / 0 never does
   */
  static Tensor choice(Tensor logits, double[] thresholds) {
    if (thresholds == null) {
      return raw(logits).argmax(1).cast(DType.F32);
    }
    float[] t = new float[thresholds.length];
    for (int i = 0; i < t.length; i++) {
      t[i] = (float) thresholds[i] + 0f; // of -0 it makes 0, by which a quotient is not negative
    }
    Tensor scaled = probability(logits).div(Tensor.of(t, t.length));
    Tensor never = Tensor.scalar(DType.F32, Double.NEGATIVE_INFINITY);
    return scaled.equal(scaled).select(scaled, never).argmax(1).cast(DType.F32);
  }
}
