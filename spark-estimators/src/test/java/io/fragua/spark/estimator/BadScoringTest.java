package io.fragua.spark.estimator;

import java.sql.Date;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.ml.linalg.DenseMatrix;
import org.apache.spark.ml.linalg.Matrices;
import org.apache.spark.ml.linalg.Matrix;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.Utils;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** What does not fit a fitted model: columns before any job, values when they are read. */
class BadScoringTest {
  private static NeuralClassifier classifier() {
    return new NeuralClassifier().setLabelCol("xor").setHiddenLayers(2).setEpochs(1);
  }

  private static Dataset<Row> data() {
    return EstimatorCases.data();
  }

  @TestFactory
  Stream<DynamicTest> columnsThatDoNotFitAreAnErrorBeforeAnyJob() {
    NeuralClassificationModel model =
        classifier().setNumericCols("a").setCategoricalCols("city").fit(data());
    return columns(model).map(Mistake::testWithoutJobs);
  }

  private static Stream<Mistake> columns(NeuralClassificationModel model) {
    return Stream.of(
        Mistake.of(
            "a missing column",
            () -> model.transform(data().drop("a")),
            "NeuralClassificationModel numericCols: must name a column of the data set: \"a\""),
        Mistake.of(
            "categories of another type",
            () -> model.transform(data().withColumn("city", functions.lit(1))),
            "categoricalCols: must hold what the model was fitted on: \"city\" holds int,"
                + " fitted on texts; cast the column"),
        Mistake.of(
            "another number of columns",
            () -> {
              NeuralClassificationModel m = model.copy(new ParamMap());
              m.put(m.numericCols(), new String[] {"a", "b"}).transform(data());
            },
            "must name as many columns as the model was fitted on: [a, b, city] in place of a,"
                + " city(3 categories)"),
        Mistake.of(
            "thresholds of another number",
            () -> model.copy(new ParamMap()).setThresholds(1, 1, 1).transform(data()),
            "thresholds: there must be one for each of the 2 classes: [1.0, 1.0, 1.0]"),
        Mistake.of(
            "a row where a table is read",
            () -> model.predict(Vectors.dense(1)),
            "predict: the model must read one column of vectors: it reads a, city(3"
                + " categories); use transform"));
  }

  @TestFactory
  Stream<DynamicTest> rowsThatCannotBePredicted() {
    NeuralClassificationModel model = classifier().setFeaturesCol("dense").fit(data());
    NeuralClassificationModel there = Utils.deserialize(Utils.serialize(model));
    String who = "NeuralClassificationModel predict: ";
    String rest = "; correct the vector, or use transform with handleInvalid \"keep\"";
    String finite = who + "numbers must be finite in f32: ";
    return Stream.of(
            Mistake.exactly(
                "no vector",
                () -> model.predict(null),
                who + "the vector must not be null: null; pass all features"),
            Mistake.exactly(
                "a NaN",
                () -> model.predict(Vectors.dense(1, Double.NaN, 2)),
                finite + "NaN at element 1" + rest),
            Mistake.exactly(
                "a number beyond f32",
                () -> model.predict(Vectors.dense(1, 2, 1e300)),
                finite + "1.0E300 at element 2" + rest),
            Mistake.exactly(
                "a model inside a function",
                () -> there.predict(Vectors.dense(1, 2, 3)),
                "NeuralClassificationModel "
                    + model.uid()
                    + ": must come from fit or load: it was made by its constructor and has learnt"
                    + " nothing, or came to an executor inside a function (its weights do not"
                    + " travel so); fit an estimator, load a saved model, or use transform"))
        .map(Mistake::test);
  }

  @TestFactory
  Stream<DynamicTest> valuesThatCannotBeReadFailTheJob() {
    NeuralClassificationModel scalars = classifier().setNumericCols("a").fit(data());
    NeuralClassificationModel vectors = classifier().setFeaturesCol("dense").fit(data());
    String rest =
        " in row 0 of partition 0 (both counted from 0); correct the data, or set"
            + " handleInvalid to \"skip\" or \"keep\"";
    NeuralClassificationModel named = classifier().setCategoricalCols("city").fit(data());
    NeuralClassificationModel pairs = classifier().setSparseCols("words").fit(data());
    Dataset<Row> one = data().limit(1).coalesce(1);
    return Stream.of(
            Mistake.exactly(
                "an unseen category",
                () -> named.transform(one.withColumn("city", functions.lit("Rome"))).collect(),
                "column city: values must be among the 3 known: \"Rome\"" + rest),
            Mistake.exactly(
                "an unseen key",
                () ->
                    pairs
                        .transform(one.withColumn("words", functions.expr("map('a1', 1, 'q', 2)")))
                        .collect(),
                "column words: keys must be among the 7 known: \"q\"" + rest),
            Mistake.exactly(
                "more pairs than in fit",
                () ->
                    pairs
                        .transform(
                            one.withColumn(
                                "words", functions.expr("map('a1', 1, 'b1', 2, 'b0', 0, 'a0', 0)")))
                        .collect(),
                "column words: every row must hold at most 3 pairs: 4 pairs" + rest),
            Mistake.exactly(
                "a null",
                () -> scalars.transform(number(null)).collect(),
                "column a: values must not be null: null" + rest),
            Mistake.exactly(
                "a NaN",
                () -> scalars.transform(number(Double.NaN)).collect(),
                "column a: numbers must be finite in f32: NaN" + rest),
            Mistake.exactly(
                "a number beyond f32",
                () -> scalars.transform(number(1e300)).collect(),
                "column a: numbers must be finite in f32: 1.0E300" + rest),
            Mistake.exactly(
                "a vector that is too long",
                () -> vectors.transform(vector(Vectors.dense(1, 2, 3, 4))).collect(),
                "column dense: every row must hold 3 numbers: 4 numbers" + rest),
            Mistake.exactly(
                "a sparse vector that is too short",
                () -> vectors.transform(vector(Vectors.zeros(1).toSparse())).collect(),
                "column dense: every row must hold 3 numbers: 1 numbers" + rest),
            Mistake.exactly(
                "no vector",
                () -> vectors.transform(vector(null)).collect(),
                "column dense: values must not be null: null" + rest),
            Mistake.exactly(
                "an infinite element",
                () ->
                    vectors
                        .transform(vector(Vectors.dense(1, Double.POSITIVE_INFINITY, 3)))
                        .collect(),
                "column dense: numbers must be finite in f32: Infinity at element 1" + rest),
            Mistake.exactly(
                "a ragged array",
                () ->
                    vectors
                        .transform(
                            Frames.of(
                                new StructType().add("dense", "array<float>"),
                                new Object[] {List.of(1f, 2f)}))
                        .collect(),
                "column dense: every row must hold 3 numbers: 2 numbers" + rest))
        .map(Mistake::test);
  }

  /** What is said of a value is how the user writes it, not how it is kept. */
  @TestFactory
  Stream<DynamicTest> valuesAreNamedAsTheyWereGiven() {
    StructType days = new StructType().add("day", "date").add("xor", "double");
    NeuralClassificationModel dated =
        classifier()
            .setCategoricalCols("day")
            .fit(
                Frames.of(
                    days,
                    new Object[] {Date.valueOf("2024-02-28"), 0.0},
                    new Object[] {Date.valueOf("2024-03-01"), 1.0}));
    StructType flags = new StructType().add("flag", "boolean").add("xor", "double");
    NeuralClassificationModel flagged =
        classifier()
            .setCategoricalCols("flag")
            .fit(Frames.of(flags, new Object[] {true, 0.0}, new Object[] {true, 1.0}));
    NeuralClassificationModel grids =
        classifier()
            .setFeaturesCol("grid")
            .fit(
                Frames.of(
                    GRID,
                    new Object[] {Matrices.zeros(2, 3), 0.0},
                    new Object[] {Matrices.ones(2, 3), 1.0}));
    double[] huge = {0, 0, 0, 1e300, 0, 0}; // column after column: row 1, column 1
    double[] across = {0, 0, 0, 0, -1e300, 0}; // of the transposed: row 1, column 1
    DenseMatrix dense = new DenseMatrix(2, 3, huge);
    DenseMatrix transposed = new DenseMatrix(2, 3, across, true);
    return Stream.of(
            Mistake.of(
                "a date",
                () ->
                    dated
                        .transform(Frames.of(days, new Object[] {Date.valueOf("2024-02-29"), 0.0}))
                        .collect(),
                "column day: values must be among the 2 known: 2024-02-29 in row"),
            Mistake.of(
                "a truth value",
                () -> flagged.transform(Frames.of(flags, new Object[] {false, 0.0})).collect(),
                "column flag: values must be among the 1 known: false in row"),
            grid("a matrix", grids, dense, "1.0E300 at element [1, 1] in row"),
            grid("a transposed one", grids, transposed, "-1.0E300 at element [1, 1] in row"),
            grid("a sparse one", grids, dense.toSparse(), "1.0E300 at element [1, 1] in row"),
            grid(
                "a sparse transposed one",
                grids,
                dense.toSparseRowMajor(),
                "1.0E300 at element [1, 1] in row"))
        .map(Mistake::test);
  }

  private static final StructType GRID =
      new StructType().add("grid", SQLDataTypes.MatrixType()).add("xor", "double");

  private static Mistake grid(String name, NeuralClassificationModel m, Matrix value, String says) {
    return Mistake.of(
        name,
        () -> m.transform(Frames.of(GRID, new Object[] {value, 0.0})).collect(),
        "column grid: numbers must be finite in f32: " + says);
  }

  private static Dataset<Row> number(Double value) {
    return Frames.of(new StructType().add("a", "double"), new Object[] {value}).coalesce(1);
  }

  private static Dataset<Row> vector(Vector value) {
    return Frames.of(new StructType().add("dense", SQLDataTypes.VectorType()), new Object[] {value})
        .coalesce(1);
  }
}
