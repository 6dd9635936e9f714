package io.fragua.spark.estimator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.fragua.tensor.Tensor;
import java.util.Arrays;
import java.util.function.UnaryOperator;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;

/**
 * Parameters that change what two workers exchange change the model, a little, and nothing else.
 */
class ExchangeParamsTest {
  private static final int ROWS = 600;
  private static final Dataset<Row> DATA =
      Spark.session()
          .range(0, ROWS, 1, 2)
          .selectExpr("sin(id) as a", "cos(id * 3) as b", "sin(id) + cos(id * 3) / 2 as y");

  private static NeuralRegressionModel fit(UnaryOperator<NeuralRegressor> how) {
    NeuralRegressor r =
        new NeuralRegressor()
            .setNumericCols("a", "b")
            .setLabelCol("y")
            .setHiddenLayers(160, 120) // 19,200 weights: more than small sums, which stay exact
            .setBatchSize(100)
            .setEpochs(3)
            .setNumWorkers(2);
    return how.apply(r).fit(DATA);
  }

  private static float[] bits(NeuralRegressionModel m) {
    float[] all = new float[0];
    for (Tensor t : m.data().weights().values()) {
      float[] more = t.toFloats();
      int at = all.length;
      all = Arrays.copyOf(all, at + more.length);
      System.arraycopy(more, 0, all, at, more.length);
    }
    return all;
  }

  private static void changesALittle(UnaryOperator<NeuralRegressor> how, double far) {
    NeuralRegressionModel plain = fit(r -> r);
    NeuralRegressionModel other = fit(how);
    assertFalse(Arrays.equals(bits(plain), bits(other)), "nothing has changed");
    assertArrayEquals(bits(other), bits(fit(how)), "a repeat");
    for (int e = 0; e < 3; e++) {
      assertEquals(ROWS, other.data().history().get(e).rows());
    }
    double loss = plain.data().history().get(2).trainLoss();
    assertEquals(loss, other.data().history().get(2).trainLoss(), far, "the loss");
  }

  @Test
  void gradientCompressionRounds() {
    changesALittle(r -> r.setGradientCompression("bf16"), 0.01);
  }

  @Test
  void shuffleSwapsRows() {
    changesALittle(r -> r.setShuffle("global"), 0.1);
  }
}
