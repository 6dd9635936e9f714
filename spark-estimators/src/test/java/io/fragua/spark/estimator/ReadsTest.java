package io.fragua.spark.estimator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.arrow.ColumnarMap;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What fit reads of files: the columns that it needs, as columns, and not anew in every epoch. */
class ReadsTest {
  private static Dataset<Row> data; // in one file

  @BeforeAll
  static void write() {
    String path = Spark.folder("reads").toString();
    EstimatorCases.data().coalesce(1).write().parquet(path);
    data = Spark.session().read().parquet(path);
  }

  private static NeuralClassifier classifier() {
    return new NeuralClassifier().setLabelCol("xor").setHiddenLayers(2).setEpochs(1);
  }

  private static NeuralClassifier numbers() {
    return classifier().setNumericCols("a", "b").setCategoricalCols("city");
  }

  /**
   * What is learnt from, and what is read for it; whether rows come of it on the way to the
   * workers, or in any other pass.
   */
  static Stream<Arguments> trainings() {
    String vector = "struct<type:tinyint,size:int,indices:array<int>,values:array<double>>";
    return Stream.of(
        Arguments.of("numbers", numbers(), "a:double,b:int,city:string,xor:double", false, false),
        Arguments.of(
            "weights, balance",
            numbers().setWeightCol("weight").setBalanceClasses(true),
            "a:double,b:int,city:string,xor:double,weight:float",
            false,
            false),
        Arguments.of(
            "an indicator of validation rows",
            numbers().setValidationIndicatorCol("held"),
            "a:double,b:int,city:string,xor:double,held:boolean",
            false,
            false),
        Arguments.of(
            "a share of validation rows",
            numbers().setValidationFraction(0.2),
            "a:double,b:int,city:string,xor:double",
            false,
            false),
        Arguments.of(
            "fields of structs",
            classifier().setNumericCols("nested.in.when").setCategoricalCols("nested.in.city"),
            "xor:double,nested:struct<in:struct<city:string,when:timestamp>>",
            false,
            false),
        Arguments.of(
            "vectors",
            classifier().setFeaturesCol("dense"),
            "dense:" + vector + ",xor:double",
            false,
            false),
        Arguments.of(
            "maps, whose keys Spark lists",
            classifier().setSparseCols("words"),
            "xor:double,words:map<string,decimal(2,1)>",
            false,
            true),
        Arguments.of(
            "rows that are skipped",
            numbers().setHandleInvalid("skip"),
            "a:double,b:int,city:string,xor:double",
            true,
            true));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("trainings")
  void readsNothingButTheColumnsOfTheTraining(
      String name, NeuralClassifier c, String columns, boolean dealt, boolean any) {
    String plan = packed(c);
    assertTrue(plan.contains("ReadSchema: struct<" + columns + ">"), plan);
    assertEquals(dealt, plan.contains("RowsToColumns"), plan);
    Set<String> operators = Reading.by(c).operators;
    assertTrue(operators.contains("ColumnarMap"), operators::toString);
    assertEquals(any, operators.contains("RowsToColumns"), operators::toString);
  }

  /** The plan of what {@code fit} hands to the trainer, below the operator that packs the rows. */
  private static String packed(NeuralClassifier c) {
    TrainingRows read = new TrainingRows(c, 0);
    Dataset<?> rows = read.valid(data, Statistics.numbers("", c, data));
    Dataset<?> training = read.training(rows, read.validationColumn(data.schema()));
    return Spark.plan(
        ColumnarMap.replace(
            training,
            List.of(training.columns()),
            new StructType().add("chunk", "binary"),
            (in, ordinals, metrics) -> in,
            "packed"));
  }

  /**
   * So often a row is read: for the statistics, of vectors for their size and their moments
   * besides, and to be dealt to the workers.
   */
  @ParameterizedTest
  @CsvSource({"numbers, barrier, 2, 2", "numbers, localSgd, 2, 2", "vectors, barrier, 1, 4"})
  void epochsReadNothingAgain(String columns, String distribution, int workers, int times) {
    NeuralClassifier c =
        columns.equals("vectors") ? classifier().setFeaturesCol("dense") : numbers();
    c.setDistribution(distribution).setNumWorkers(workers).setValidationIndicatorCol("held");
    assertEquals(times * 240, Reading.by(c).records, "of 240 rows");
    assertEquals(times * 240, Reading.by(c.setEpochs(6)).records, "of 240 rows, in 6 epochs");
  }

  /** Hears what the tasks of a fit read, and by which operators. */
  private static final class Reading extends SparkListener {
    private final Set<String> operators = new HashSet<>();
    private long records;

    static Reading by(NeuralClassifier c) {
      Reading r = new Reading();
      var spark = Spark.session().sparkContext();
      try {
        spark.listenerBus().waitUntilEmpty(60_000); // else it hears of tasks that ended before
        spark.addSparkListener(r);
        c.fit(data);
        spark.listenerBus().waitUntilEmpty(60_000);
      } catch (TimeoutException e) {
        throw new IllegalStateException(e);
      } finally {
        spark.removeSparkListener(r);
      }
      return r;
    }

    @Override
    public void onStageSubmitted(SparkListenerStageSubmitted e) {
      e.stageInfo()
          .rddInfos()
          .foreach(r -> r.scope().isDefined() && operators.add(r.scope().get().name()));
    }

    @Override
    public void onTaskEnd(SparkListenerTaskEnd e) {
      records += e.taskMetrics().inputMetrics().recordsRead();
    }
  }
}
