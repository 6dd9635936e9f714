package io.fragua.spark.estimator;

import io.fragua.nn.Dense;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.ml.attribute.NominalAttribute;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Values that cannot be learnt from, and networks that do not fit: said before any training. */
class BadValuesTest {
  private static NeuralClassifier classifier() {
    return new NeuralClassifier().setLabelCol("xor").setHiddenLayers(2).setEpochs(1);
  }

  private static Dataset<Row> data() {
    return EstimatorCases.data();
  }

  @TestFactory
  Stream<DynamicTest> saidInFourPartsBeforeAnyTraining() {
    return values().map(Mistake::test);
  }

  private static Stream<Mistake> values() {
    StructType t = new StructType().add("x", "double").add("xor", "double");
    StructType v = new StructType().add("x", "array<double>").add("xor", "int");
    NeuralClassifier x = classifier().setNumericCols("x");
    List<Mistake> m = new ArrayList<>();
    m.add(
        Mistake.fitExactly(
            "no rows",
            x,
            Frames.of(t),
            "NeuralClassifier: the data set must have rows: it has none; check the data or the"
                + " filters before fit"));
    m.add(
        Mistake.fitExactly(
            "too many class weights",
            classifier().setNumericCols("a").setClassWeights(1, 2, 3),
            data(),
            "NeuralClassifier classWeights: there must be one for each of the 2 classes: [1.0, 2.0,"
                + " 3.0]; set as many"));
    m.add(
        Mistake.fit(
            "no rows with vectors",
            classifier().setFeaturesCol("dense"),
            data().filter("a > 100"),
            "featuresCol: the data set must have rows: no row has a value in \"dense\""));
    m.add(
        Mistake.fit(
            "no rows left",
            classifier().setNumericCols("x").setHandleInvalid("skip"),
            Frames.of(t, new Object[] {null, 0.0}),
            "it has none that handleInvalid=skip keeps"));
    m.add(
        Mistake.fitExactly(
            "a null",
            x,
            Frames.of(t, new Object[] {1.0, 0.0}, new Object[] {null, 1.0}),
            "NeuralClassifier numericCols: must have a finite number in every row"
                + " (handleInvalid=error): \"x\" is null in 1 and NaN or infinite in 0 of 2 rows,"
                + " first null in row 0 of partition 1 (both counted from 0); fill them, or set"
                + " handleInvalid to skip or keep"));
    m.add(
        Mistake.fit(
            "a NaN",
            x,
            Frames.of(t, new Object[] {1.0, 0.0}, new Object[] {Double.NaN, 1.0}),
            "\"x\" is null in 0 and NaN or infinite in 1 of 2 rows, first NaN in row 0 of partition"
                + " 1"));
    m.add(
        Mistake.fit(
            "a column of nothing",
            classifier().setNumericCols("x").setHandleInvalid("keep"),
            Frames.of(t, new Object[] {null, 0.0}, new Object[] {null, 1.0}),
            "must have a finite number in some row: \"x\" has none in 2 rows; leave the column"
                + " out"));
    m.add(
        Mistake.fitExactly(
            "a label of null",
            x,
            Frames.of(t, new Object[] {1.0, null}, new Object[] {2.0, 1.0}),
            "NeuralClassifier labelCol: must have a finite number in every row: \"xor\" is null in"
                + " 1 and NaN or infinite in 0 of 2 rows, first null in row 0 of partition 0 (both"
                + " counted from 0); fill or filter them"));
    m.add(
        Mistake.fitExactly(
            "a label between classes",
            x,
            Frames.of(t, new Object[] {1.0, 0.5}, new Object[] {2.0, 1.0}),
            "NeuralClassifier labelCol: a classifier's labels must be whole numbers 0, 1, 2, ...:"
                + " \"xor\" holds 0.5 in row 0 of partition 0 (both counted from 0); number the"
                + " classes, or use a NeuralRegressor"));
    m.add(
        Mistake.fitExactly(
            "a negative label",
            x,
            Frames.of(t, new Object[] {1.0, -1.0}, new Object[] {2.0, 1.0}),
            "NeuralClassifier labelCol: a classifier's labels must lie from 0 to the number of"
                + " classes - 1: \"xor\" holds -1 in row 0 of partition 0 (both counted from 0);"
                + " number the classes from 0"));
    m.add(
        Mistake.fit(
            "a label out of range",
            x,
            Frames.of(t, new Object[] {1.0, 0.0}, new Object[] {2.0, 3e9}),
            "labels must lie from 0 to the number of classes - 1: \"xor\" holds 3000000000 in row"
                + " 0 of partition 1 (both counted from 0); "));
    m.add(
        Mistake.fitExactly(
            "a class with no rows",
            x,
            Frames.of(t, new Object[] {1.0, 0.0}, new Object[] {2.0, 1.0}, new Object[] {2.0, 3.0}),
            "NeuralClassifier labelCol: every class from 0 to 3 must have rows: class 2 has none"
                + " among 3 rows of \"xor\"; number the classes without gaps, for instance with a"
                + " StringIndexer"));
    m.add(
        Mistake.fitExactly(
            "a class that the metadata do not have",
            x,
            indexed(Frames.of(t, new Object[] {1.0, 0.0}, new Object[] {2.0, 2.0}), 2),
            "NeuralClassifier labelCol: labels must be of the 2 classes that the column's metadata"
                + " name: \"xor\" holds 2 in row 0 of partition 1 (both counted from 0); number the"
                + " classes anew, or drop the metadata with a cast"));
    m.add(
        Mistake.fit(
            "metadata of one class",
            x,
            indexed(Frames.of(t, new Object[] {1.0, 0.0}, new Object[] {2.0, 0.0}), 1),
            "needs at least two classes: class 1 has no rows"));
    m.add(
        Mistake.fit(
            "one class",
            x,
            Frames.of(t, new Object[] {1.0, 0.0}, new Object[] {2.0, 0.0}),
            "needs at least two classes: class 1 has no rows, all 2 rows of \"xor\" have label 0"));
    m.add(
        Mistake.fit(
            "negative weights",
            classifier().setNumericCols("a").setWeightCol("w"),
            data().withColumn("w", functions.col("a").minus(10)),
            "weightCol: weights must not be negative: \"w\" holds -"));
    m.add(
        Mistake.fit(
            "weights of zero",
            classifier().setNumericCols("a").setWeightCol("w"),
            data().withColumn("w", functions.lit(0)),
            "weightCol: some rows must count: all 240 weights in \"w\" are 0"));
    m.add(
        Mistake.fit(
            "nothing but validation",
            classifier().setNumericCols("a").setValidationIndicatorCol("w"),
            data().withColumn("w", functions.lit(true)),
            "validationIndicatorCol: must be true in some rows and false in others: \"w\" is true"
                + " in 240 of 240 rows"));
    m.add(
        Mistake.fitExactly(
            "arrays of two sizes",
            classifier().setFeaturesCol("x"),
            Frames.of(v, new Object[] {List.of(1.0, 2.0), 0}, new Object[] {List.of(1.0), 1}),
            "NeuralClassifier: column x: every row must hold 2 numbers: 1 numbers in row 0 of"
                + " partition 1 (both counted from 0); correct the data, or set handleInvalid to"
                + " \"skip\" or \"keep\""));
    m.add(
        Mistake.fit(
            "empty arrays",
            classifier().setFeaturesCol("x"),
            Frames.of(v, new Object[] {List.of(), 0}, new Object[] {List.of(), 1}),
            "featuresCol: must have at least one number: \"x\" holds lists of size 0"));
    String place =
        " in row 0 of partition 1 (both counted from 0); correct the data, or set handleInvalid to"
            + " \"skip\" or \"keep\"";
    List<Double> fine = List.of(1.0, 2.0);
    Map<List<Double>, String> bad = new LinkedHashMap<>();
    bad.put(null, "values must not be null: null");
    bad.put(Arrays.asList(1.0, null), "elements must not be null: null at element 1");
    bad.put(List.of(Double.NaN, 1.0), "numbers must be finite in f32: NaN at element 0");
    bad.forEach(
        (list, message) ->
            m.add(
                Mistake.fitExactly(
                    "an array " + list,
                    classifier().setFeaturesCol("x"),
                    Frames.of(v, new Object[] {fine, 1}, new Object[] {list, 0}),
                    "NeuralClassifier: column x: " + message + place)));
    StructType c = new StructType().add("x", "string").add("xor", "int");
    m.add(
        Mistake.fitExactly(
            "a category of null",
            classifier().setCategoricalCols("x"),
            Frames.of(c, new Object[] {"a", 1}, new Object[] {null, 0}),
            "NeuralClassifier categoricalCols: must have a value in every row"
                + " (handleInvalid=error): \"x\" is null in 1 of 2 rows, first null in row 0 of"
                + " partition 1 (both counted from 0); fill them, or set handleInvalid to skip or"
                + " keep"));
    m.add(
        Mistake.fitExactly(
            "vectors of two sizes",
            classifier().setFeaturesCol("x"),
            Frames.of(
                new StructType().add("x", SQLDataTypes.VectorType()).add("xor", "int"),
                new Object[] {Vectors.dense(1, 2), 0},
                new Object[] {Vectors.sparse(3, new int[] {2}, new double[] {1}), 1}),
            "NeuralClassifier: column x: every row must hold 2 numbers: 3 numbers in row 0 of"
                + " partition 1 (both counted from 0); correct the data, or set handleInvalid to"
                + " \"skip\" or \"keep\""));
    for (double number : new double[] {Double.NaN, Double.NEGATIVE_INFINITY}) {
      m.add(
          Mistake.fitExactly(
              "a label of " + number,
              x,
              Frames.of(t, new Object[] {1.0, number}, new Object[] {2.0, 1.0}),
              "NeuralClassifier labelCol: must have a finite number in every row: \"xor\" is null"
                  + " in 0 and NaN or infinite in 1 of 2 rows, first "
                  + number
                  + " in row 0 of partition 0 (both counted from 0); fill or filter them"));
    }
    m.add(
        Mistake.fitExactly(
            "a number beyond f32",
            x,
            Frames.of(t, new Object[] {-1e300, 0.0}, new Object[] {2.0, 1.0}),
            "NeuralClassifier numericCols: numbers must be finite in f32, up to 3.4e38: \"x\" holds"
                + " -1.0E300 in row 0 of partition 0 (both counted from 0); divide the column, or"
                + " take its logarithm"));
    m.add(
        Mistake.fitExactly(
            "an amount beyond f32",
            new NeuralRegressor().setLabelCol("xor").setNumericCols("x"),
            Frames.of(t, new Object[] {1.0, 0.0}, new Object[] {2.0, 1e39}),
            "NeuralRegressor labelCol: numbers must be finite in f32, up to 3.4e38: \"xor\" holds"
                + " 1.0E39 in row 0 of partition 1 (both counted from 0); divide the column, or"
                + " take its logarithm"));
    m.add(
        Mistake.fitExactly(
            "thresholds of another number",
            classifier().setNumericCols("x").setThresholds(1, 1, 1),
            Frames.of(t, new Object[] {1.0, 0.0}, new Object[] {2.0, 1.0}),
            "NeuralClassifier thresholds: there must be one for each of the 2 classes: [1.0, 1.0,"
                + " 1.0]; set as many"));
    m.add(
        Mistake.fit(
            "a network for three classes",
            classifier().setFeaturesCol("dense").setNetwork(new Dense(3)),
            data(),
            "NeuralClassifier network: the layer must fit the 3 features and the label: it must"
                + " give",
            "1 or 2] for f32[",
            "it gives f32[",
            "3]; change the layer given to setNetwork"));
    m.add(
        Mistake.fit(
            "layers that no tensor holds",
            classifier().setNumericCols("a").setHiddenLayers(3, Integer.MAX_VALUE),
            data(),
            "NeuralClassifier hiddenLayers: the weights of each layer must fit a tensor: [3,"
                + " 2147483647] for 1 features: ",
            "; make the layers smaller, or embeddingDim"));
    m.add(
        Mistake.of(
            "validation rows that weigh nothing",
            () ->
                classifier()
                    .setNumericCols("a")
                    .setWeightCol("w")
                    .setValidationIndicatorCol("held")
                    .fit(data().withColumn("w", functions.expr("if(held, 0, 1)"))),
            "train: validation rows must count something: their weights add up to 0.0; correct"
                + " weightCol, classWeights or the validation rows"));
    m.add(
        Mistake.fit(
            "a network that does not fit",
            classifier()
                .setFeaturesCol("dense")
                .setNetwork((s, in) -> in.reshape(in.shape().dim(0), 2, 2)),
            data(),
            "NeuralClassifier network: the layer must fit the 3 features and the label: reshape"));
    return m.stream();
  }

  /** With metadata as a StringIndexer writes them. */
  private static Dataset<Row> indexed(Dataset<Row> d, int classes) {
    var named = NominalAttribute.defaultAttr().withName("xor").withNumValues(classes);
    return d.withColumn("xor", functions.col("xor").as("xor", named.toMetadata()));
  }
}
