package io.fragua.spark.estimator;

import io.fragua.spark.param.ClassifierParams;
import io.fragua.tensor.Check;
import java.util.Arrays;
import org.apache.spark.ml.param.Params;

/** How much the rows of each class count. */
final class ClassBalance {
  private ClassBalance() {}

  /** Refuses two answers to one question. */
  static void check(String stage, Params params) {
    if (params instanceof ClassifierParams c) {
      Check.that(
          !c.getBalanceClasses() || !c.isSet(c.classWeights()),
          "%s balanceClasses: gives the classes' weights itself: balanceClasses is true and"
              + " classWeights %s; set one of them",
          stage,
          Arrays.toString(c.isSet(c.classWeights()) ? c.getClassWeights() : new double[0]));
    }
  }

  /** Whether the weights are to come from the rows. */
  static boolean isAsked(Params params) {
    return params instanceof ClassifierParams c && c.getBalanceClasses();
  }

  /**
   * One weight a class, or null if all rows count alike.
   *
   * @param sums of the weights of each class's rows that are learnt from
   */
  static double[] weights(Params params, double[] sums) {
    if (!(params instanceof ClassifierParams c)) {
      return null;
    }
    if (!isAsked(params)) {
      return c.isSet(c.classWeights()) ? c.getClassWeights() : null;
    }
    double total = Arrays.stream(sums).sum();
    return Arrays.stream(sums).map(n -> n > 0 ? total / (sums.length * n) : 0).toArray();
  }
}
