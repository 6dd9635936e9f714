package io.fragua.spark.train;

import io.fragua.nn.ParamTree;
import io.fragua.tensor.Check;
import org.apache.spark.SparkConf;

/**
 * What a learnt model takes on its way; checked on the driver, before hours of training are lost.
 *
 * @param file bytes of the largest file that is made of it: the model's own, or a checkpoint's
 * @param result bytes that the tasks of a job return
 */
record ModelSize(long file, long result) {
  /** Spark's own setting of what tasks of a job may return together. */
  static final String RESULT = "spark.driver.maxResultSize";

  /** Of a file, which is an array here, with room for its header. */
  private static final long MOST = Integer.MAX_VALUE - (1 << 20);

  /** What comes with a model: names, the history of its epochs, metrics of tasks. */
  private static final long BESIDES = 1 << 20;

  static ModelSize of(TrainRequest r) {
    long model = bytes(r.params()) + bytes(r.state());
    long all = model + bytes(r.optState());
    long best = r.patience() > 0 ? model : 0;
    return new ModelSize(
        r.recovery().saves() ? all + best : model,
        (r.distribution().local() ? all : model) + BESIDES);
  }

  private static long bytes(ParamTree p) {
    return 4 * p.elements();
  }

  /**
   * Checks.
   *
   * @throws IllegalArgumentException if the file or the result would be too large
   */
  void check(SparkConf conf) {
    Check.that(
        file <= MOST,
        "train: a model, or a checkpoint with the optimizer's state, takes at most %d bytes: %d;"
            + " use a smaller network, or no checkpointDir",
        MOST,
        file);
    long most = conf.getSizeAsBytes(RESULT, "1g");
    Check.that(
        most == 0 || result <= most,
        "train: the learnt model must get to the driver: %d bytes with what goes along, %s is %d;"
            + " raise it, or use a smaller network",
        result,
        RESULT,
        most);
  }
}
