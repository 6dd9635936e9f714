package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.spark.SparkConf;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models that are too large for their way are refused before they are learnt. */
class ModelSizeTest {
  private static final int TABLE = 2_000_000;

  private static SparkConf conf() {
    return TestSpark.get().sparkContext().conf(); // Spark reads it at every stage
  }

  @AfterEach
  void reset() {
    conf().remove(ModelSize.RESULT);
  }

  /** What just fits gets to the driver, and what does not is refused before it is learnt. */
  @ParameterizedTest
  @ValueSource(ints = {0, 2})
  void aModelMustGetToTheDriver(int localSteps) {
    Task t = new Task(TestSpark.rows(300, 2));
    t.workers = 2;
    t.epochs = 1;
    t.table = TABLE;
    t.distribution = new Distribution(0, localSteps, false, false, 0, 0);
    long params = TABLE + Task.D + 1;
    long numbers = localSteps == 0 ? params + 1 : 2 * params + 1; // with a statistic and velocities
    long bytes = 4 * numbers + (1 << 20);
    assertEquals(bytes, ModelSize.of(t.request()).result());
    conf().set(ModelSize.RESULT, bytes + "b");
    assertEquals(1, t.train().history().size());
    conf().set(ModelSize.RESULT, bytes - 1 + "b");
    String start = "train: the learnt model must get to the driver: " + bytes + " bytes with what";
    String m = assertThrows(IllegalArgumentException.class, t::train).getMessage();
    assertTrue(m.startsWith(start) && m.contains(ModelSize.RESULT + " is " + (bytes - 1)), m);
    conf().set(ModelSize.RESULT, "0");
    assertEquals(1, t.train().history().size());
  }

  @Test
  void aFileHoldsTwoGigabytes() {
    SparkConf unlimited = new SparkConf(false).set(ModelSize.RESULT, "0");
    long most = (2L << 30) - 1 - (1 << 20);
    new ModelSize(most, most).check(unlimited);
    ModelSize more = new ModelSize(most + 4, most + 4);
    String m =
        assertThrows(IllegalArgumentException.class, () -> more.check(unlimited)).getMessage();
    assertEquals(
        "train: a model, or a checkpoint with the optimizer's state, takes at most 2146435071"
            + " bytes: 2146435075; use a smaller network, or no checkpointDir",
        m);
  }
}
