package io.fragua.spark.estimator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.spark.train.EpochMetrics;
import io.fragua.spark.train.TrainListener;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Checkpoints, class weights and what epochs measure, seen from an estimator. */
class SurvivalTest {
  private static Dataset<Row> data() {
    return EstimatorCases.data();
  }

  private static NeuralClassifier blob() {
    return new NeuralClassifier()
        .setNumericCols("a", "b")
        .setCategoricalCols("city")
        .setLabelCol("blob")
        .setHiddenLayers(4)
        .setBatchSize(60)
        .setEpochs(4);
  }

  private static float[] kernel(NeuralModel<?> m) {
    return m.data().weights().get("param:output.kernel").toFloats();
  }

  /** Else a look at all the data would have been in vain. */
  @ParameterizedTest
  @ValueSource(strings = {"hdfz://x/y", "/proc/nowhere"})
  void aFolderThatCannotBeUsedIsFoundFirst(String folder) {
    Phases phases = new Phases();
    NeuralClassifier c = blob().setCheckpointDir(folder).setListener(phases);
    String m = assertThrows(UncheckedIOException.class, () -> c.fit(data())).getMessage();
    String rule = "train: checkpointDir must be on a file system that can be read and written: ";
    assertTrue(m.startsWith(rule + folder), m);
    assertEquals(List.of(), phases.heard);
  }

  /** A mark that a process left which was killed, and of another time, stands in nobody's way. */
  @ParameterizedTest
  @ValueSource(strings = {"barrier", "localSgd"})
  void theFolderIsMarkedOnceAndOnlyWhileFitRuns(String way, @TempDir Path folder)
      throws IOException {
    Path mark = Files.write(folder.resolve("in-use"), new byte[] {1});
    List<Object> marks = new ArrayList<>();
    NeuralClassifier c = blob().setDistribution(way).setCheckpointDir(folder.toString());
    c.setListener(
        new TrainListener() {
          @Override
          public void phase(String name) {
            try {
              marks.add(Files.readAttributes(mark, BasicFileAttributes.class).fileKey());
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          }
        });
    c.fit(data());
    assertTrue(marks.size() > 2, "" + marks);
    assertEquals(1, new HashSet<>(marks).size(), "" + marks);
    assertEquals(List.of(), List.of(folder.toFile().list()), "after a fit that ended well");

    Dataset<Row> bad = data().withColumn("a", functions.lit(Double.NaN));
    assertThrows(Exception.class, () -> c.fit(bad));
    assertEquals(List.of(), List.of(folder.toFile().list()), "after one that failed at the look");

    crash(c, folder);
    assertFalse(Files.exists(mark), "after one that failed in its training");
  }

  @ParameterizedTest
  @ValueSource(strings = {"barrier", "localSgd"})
  void fitGoesOnFromItsCheckpointsAndRefusesOthers(String way, @TempDir Path folder) {
    NeuralClassifier c = blob().setDistribution(way).setLocalSteps(1);
    float[] unbroken = kernel(c.fit(data()));
    c.setCheckpointDir(folder.toString()).setCheckpointSteps(1);
    crash(c, folder);
    NeuralClassifier other = c.copy(new ParamMap()).setHiddenLayers(5).setLearningRate(0.5);
    String m = assertThrows(IllegalArgumentException.class, () -> other.fit(data())).getMessage();
    assertTrue(
        m.contains("hiddenLayers=[4] then, [5] now")
            && m.contains("learningRate=0.001 then, 0.5 now"),
        m);
    String n =
        assertThrows(
                IllegalArgumentException.class, () -> c.fit(data().filter("a < 100 and b > 1")))
            .getMessage();
    assertTrue(n.contains("rows=240 then, "), n);
    NeuralClassificationModel resumed = c.setPredictionCol("p").setMaxRetries(0).fit(data());
    assertArrayEquals(unbroken, kernel(resumed), 0f);
    assertEquals(4, resumed.summary().epochs().size());
    String[] left = folder.toFile().list();
    assertEquals(0, left.length, "files are left");
  }

  /** What a shuffle or a lost executor changes is the order of rows, not which are held out. */
  @Test
  void theSameRowsAreHeldOutInAnyOrder() {
    Dataset<Row> rows =
        Spark.session()
            .range(3000)
            .selectExpr(
                "id div 3 as a", // each row three times
                "map('x', id div 3, 'y', if(id div 3 % 9 = 0, double('NaN'), 1)) as pairs",
                "struct(if(id div 3 % 7 = 0, -0D, null) as z) as s",
                "double(id % 2) as useless",
                "id div 3 % 2 as label");
    NeuralClassifier c =
        new NeuralClassifier()
            .setNumericCols("a", "s.z")
            .setSparseCols("pairs")
            .setValidationFraction(0.2);
    List<Row> held = held(c, rows);
    assertEquals(200, held.size(), 40);
    held.forEach(r -> assertEquals(3L, r.getLong(1)));
    List<Dataset<Row>> others =
        List.of(rows.repartition(5), rows.orderBy(functions.rand(3)), rows.coalesce(1));
    others.forEach(o -> assertEquals(held, held(c, o)));
    assertNotEquals(held, held(c.setSeed(7), rows));
  }

  /** The held rows' numbers, and how often each occurs. */
  private static List<Row> held(NeuralClassifier c, Dataset<Row> rows) {
    return new TrainingRows(c, 0)
        .training(rows, "held")
        .filter("held")
        .groupBy("a")
        .count()
        .sort("a")
        .collectAsList();
  }

  @Test
  void fitGoesOnWhenRowsComeInAnotherOrder(@TempDir Path folder) {
    NeuralClassifier c = blob().setValidationFraction(0.2).setCheckpointDir(folder.toString());
    crash(c, folder);
    assertEquals(4, c.fit(data().repartition(5)).summary().epochs().size());
  }

  /** Fits until there is a checkpoint, and ends there. */
  private static void crash(NeuralClassifier c, Path folder) {
    RuntimeException crash = new RuntimeException("crash");
    c.setListener(
        new TrainListener() {
          @Override
          public void epoch(EpochMetrics m) {
            if (m.epoch() == 2) {
              awaitCheckpoint(folder);
              throw crash;
            }
          }
        });
    assertEquals(crash, assertThrows(RuntimeException.class, () -> c.fit(data())));
    c.setListener(null);
  }

  private static void awaitCheckpoint(Path folder) {
    try {
      for (int i = 0; i < 6000; i++) {
        for (String f : folder.toFile().list()) {
          if (f.startsWith("checkpoint") && f.endsWith(".json")) {
            return;
          }
        }
        Thread.sleep(10);
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void classWeightsWeighRows() {
    Dataset<Row> weighted =
        data().withColumn("w", functions.expr("array(0.5D, 2D, 1D)[blob] * (1 + a * a)"));
    Dataset<Row> half = weighted.withColumn("v", functions.expr("1 + a * a"));
    NeuralClassificationModel byRow = blob().setWeightCol("w").fit(half);
    NeuralClassificationModel byClass =
        blob().setWeightCol("v").setClassWeights(0.5, 2, 1).fit(half);
    assertArrayEquals(kernel(byRow), kernel(byClass), 1e-4f);
    assertEquals(
        byRow.summary().epochs().get(3).trainLoss(),
        byClass.summary().epochs().get(3).trainLoss(),
        1e-5);
  }

  /** Against sums that SQL takes: rows that are not learnt from do not count, nulls are learnt. */
  @ParameterizedTest
  @CsvSource({"'', ''", "w, ''", "'', held", "w, held"})
  void balancedClassesCountAlike(String weight, String held) {
    Dataset<Row> skewed =
        data()
            .filter("blob > 0 or code = 0")
            .withColumn("w", functions.expr("if(blob = 1, 0.3D, 1.7D) * (1 + a * a)"))
            .withColumn("held", functions.expr("nullif(hash(a) % if(blob = 2, 2, 4) = 0, false)"));
    Dataset<Row> learnt = held.isEmpty() ? skewed : skewed.filter("held is null");
    String counts = weight.isEmpty() ? "1" : weight;
    List<Row> sums =
        learnt
            .groupBy("blob")
            .agg(functions.expr("double(sum(double(" + counts + ")))"))
            .sort("blob")
            .collectAsList();
    double all = sums.stream().mapToDouble(r -> r.getDouble(1)).sum();
    double[] w = sums.stream().mapToDouble(r -> all / (3 * r.getDouble(1))).toArray();
    assertTrue(w[0] > 1.2 * w[1] || w[1] > 1.2 * w[0], "the data are skewed: " + sums);
    NeuralClassifier c = blob().setWeightCol(weight).setValidationIndicatorCol(held);
    assertArrayEquals(
        kernel(c.copy(new ParamMap()).setClassWeights(w).fit(skewed)),
        kernel(c.setBalanceClasses(true).fit(skewed)),
        1e-5f);
  }

  @ParameterizedTest
  @ValueSource(strings = {"barrier", "localSgd"})
  void epochsMeasureTheValidationRows(String way) {
    NeuralClassificationModel m =
        blob().setDistribution(way).setValidationIndicatorCol("held").fit(data());
    EpochMetrics last = m.summary().epochs().get(3);
    double right =
        m.transform(data().filter("held"))
            .selectExpr("avg(if(prediction = blob, 1D, 0D))")
            .head()
            .getDouble(0);
    assertEquals(Map.of("accuracy", right), last.validationMetrics());
    NeuralRegressionModel r =
        new NeuralRegressor()
            .setNumericCols("a", "b")
            .setLabelCol("amount")
            .setWeightCol("w")
            .setValidationIndicatorCol("held")
            .setDistribution(way)
            .setHiddenLayers(4)
            .setEpochs(2)
            .fit(data().withColumn("w", functions.expr("1 + a * a")));
    Row off =
        r.transform(data().filter("held").withColumn("w", functions.expr("1 + a * a")))
            .selectExpr(
                "sum(w * abs(prediction - amount)) / sum(w)",
                "sum(w * pow(prediction - amount, 2)) / sum(w)")
            .head();
    Map<String, Double> measured = r.summary().epochs().get(1).validationMetrics();
    assertEquals(off.getDouble(0), measured.get("mae"), 1e-4 * off.getDouble(0));
    assertEquals(off.getDouble(1), measured.get("mse"), 1e-4 * off.getDouble(1));
    Row shown = r.summary().history().orderBy("epoch").collectAsList().get(1);
    assertEquals(measured.get("mae"), shown.<String, Double>getJavaMap(3).get("mae"));
    assertEquals(
        shown.<Long>getAs("rows") / shown.<Double>getAs("seconds"),
        shown.<Double>getAs("rowsPerSecond"),
        1e-6);
  }
}
