package io.fragua.spark.estimator;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.fragua.nn.BatchNorm;
import io.fragua.nn.Dense;
import io.fragua.nn.Sequential;
import java.util.List;
import java.util.function.UnaryOperator;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The running variance of a batch that is computed in parts is that of the batch. */
class RunningVarianceTest {
  private static final int ROWS = 64;

  /** Mean 100 and deviation 1.9, so that what squares of the mean leave of the variance shows. */
  private static final Dataset<Row> DATA =
      Spark.session()
          .range(ROWS)
          .selectExpr("100 + 3.8 * (hash(id) % 1000) / 1000 as x", "id % 2 + 0.0 as label")
          .repartition(2)
          .cache();

  /** Statistics of x before the first layer, which no step changes: mean and variance. */
  private static float[] statistics(
      int batch, int workers, int epochs, double momentum, UnaryOperator<NeuralRegressor> how) {
    NeuralRegressor r =
        new NeuralRegressor()
            .setNumericCols("x")
            .setStandardize(false)
            .setNetwork(new Sequential(new BatchNorm(momentum, 1e-5), new Dense(1)))
            .setBatchSize(batch)
            .setEpochs(epochs)
            .setNumWorkers(workers);
    var weights = how.apply(r).fit(DATA).data().weights();
    float[] both = new float[2];
    weights.forEach(
        (name, t) -> {
          if (name.startsWith("state:")) {
            both[name.endsWith("mean") ? 0 : 1] = t.toFloats()[0];
          }
        });
    return both;
  }

  private static double variance() {
    return DATA.agg(functions.var_pop("x")).first().getDouble(0);
  }

  /** One step of all rows, however they are cut: exact. */
  @ParameterizedTest
  @ValueSource(doubles = {0, 0.9})
  void oneStepOfAllRowsIsThatOfOneWorker(double momentum) {
    double exact = momentum + (1 - momentum) * variance();
    double far = 2e-4 * exact;
    assertEquals(exact, statistics(2 * ROWS, 1, 1, momentum, r -> r)[1], far, "one worker");
    assertEquals(exact, statistics(2 * ROWS, 2, 1, momentum, r -> r)[1], far, "two");
    for (int workers : List.of(1, 2)) {
      float[] cut = statistics(2 * ROWS, workers, 1, momentum, r -> r.setDeterministic(true));
      assertEquals(exact, cut[1], far, "in shards, workers " + workers);
    }
  }

  /** Batches so small that a worker's part of one is two rows, or one. */
  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void smallBatchesOfTwoWorkersHaveTheVarianceOfOne(int batch) {
    double wanted = variance() * (batch - 1) / batch; // biased, as the layer's batches are
    for (boolean deterministic : new boolean[] {false, true}) {
      for (int workers : List.of(1, 2)) {
        float[] s = statistics(batch, workers, 40, 0.99, r -> r.setDeterministic(deterministic));
        String who = workers + " workers, deterministic " + deterministic + ", " + s[1];
        // Shards in order of content have not as many rows each, so some batches have fewer.
        assertEquals(wanted, s[1], (deterministic ? 0.5 : 0.2) * wanted, who);
        assertEquals(100, s[0], 1, who);
      }
    }
  }

  /** A round of one step by two workers that do it by themselves: exact too. */
  @Test
  void aRoundHasTheVarianceBetweenWorkers() {
    double exact = 0.9 + 0.1 * variance();
    float[] s =
        statistics(
            4 * ROWS, 2, 1, 0.9, r -> r.setDistribution("localSgd").setLocalSteps(1).setSeed(3));
    assertEquals(exact, s[1], 2e-4 * exact);
  }
}
