package io.fragua.spark.estimator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.arrow.InputColumn;
import io.fragua.nn.Dense;
import io.fragua.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.DoubleStream;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;

/** Pairs of keys and numbers: what they are multiplied by, and that they are never written out. */
class SparseTest {
  private static NeuralClassifier linear() {
    return new NeuralClassifier()
        .setLabelCol("xor")
        .setHiddenLayers()
        .setEpochs(2)
        .setBatchSize(32)
        .setInferenceBatchSize(50);
  }

  /** Raw predictions of a linear model are x K + b, with K as the table without its first row. */
  @Test
  void isTheProductOfTheRowsWrittenOut() {
    Dataset<Row> data = EstimatorCases.data();
    NeuralClassificationModel model = linear().setSparseCols("sparse").fit(data);
    Tensor table = model.data().weights().get("param:embedding.sparse.embedding");
    assertEquals("[4, 1]", table.shape().toString());
    float[] k = table.toFloats();
    float bias = model.data().weights().get("param:output.bias").toFloats()[0];
    for (Row r : model.transform(data).select("sparse", "rawPrediction").collectAsList()) {
      Vector x = r.getAs(0);
      double z = bias;
      for (int i = 0; i < 3; i++) {
        z += x.apply(i) * k[i + 1];
      }
      assertEquals(z, r.<Vector>getAs(1).apply(1), 1e-4 * (1 + Math.abs(z)));
    }
  }

  /** Written out, a row would have four megabytes, and the data a gigabyte. */
  @Test
  void aMillionKeysTakeTheMemoryOfThosePresent() {
    UDF1<Long, Vector> wide =
        id ->
            Vectors.sparse(
                1_000_000,
                new int[] {(int) (id % 2), (int) (1000 + id * 3900), 999_999},
                new double[] {1, 0.5, 0.1});
    Spark.session().udf().register("wide", functions.udf(wide, SQLDataTypes.VectorType()));
    Dataset<Row> vectors =
        Spark.session().range(256).selectExpr("wide(id) as x", "double(id % 2) as xor");
    NeuralClassificationModel model =
        linear().setSparseCols("x").setLearningRate(0.05).setEpochs(30).fit(vectors);
    assertEquals(1_000_000, model.numFeatures());
    assertEquals(0, model.transform(vectors).filter("prediction <> xor").count());
  }

  @Test
  void skipsAndKeepsWhatIsInvalid() {
    Dataset<Row> data =
        EstimatorCases.data()
            .select("words", "xor")
            .union(
                Spark.session()
                    .sql(
                        "select map('a0', null) as words, 0D as xor union all select null, 1D union"
                            + " all select map('a1', double('NaN')), 0D"));
    NeuralClassifier c = linear().setSparseCols("words").setEpochs(1);
    assertEquals(240, c.setHandleInvalid("skip").fit(data).summary().epochs().get(0).rows());
    NeuralClassificationModel kept = c.setHandleInvalid("keep").fit(data);
    assertEquals(243, kept.summary().epochs().get(0).rows());
    assertEquals(243, kept.transform(data).count());
    assertEquals(240, kept.setHandleInvalid("skip").transform(data).count());
    var e =
        assertThrows(IllegalArgumentException.class, () -> c.setHandleInvalid("error").fit(data));
    assertTrue(e.getMessage().contains("column words: "), e.getMessage());
  }

  /** The size is that of the largest vector that is valid else. */
  @Test
  void skipsVectorsOfAnotherSize() {
    int[] sizes = {12, 10, 12, 12, 20, 12};
    Object[][] rows = new Object[sizes.length][];
    for (int i = 0; i < rows.length; i++) {
      double[] value = {sizes[i] == 20 ? Double.NaN : 1};
      rows[i] = new Object[] {Vectors.sparse(sizes[i], new int[] {i}, value), i % 2 + 0.0};
    }
    StructType type = new StructType().add("x", SQLDataTypes.VectorType()).add("xor", "double");
    Dataset<Row> data = Frames.of(type, rows);
    NeuralClassificationModel model =
        linear().setSparseCols("x").setHandleInvalid("skip").fit(data);
    assertEquals(4, model.summary().epochs().get(0).rows());
    assertEquals(12, model.numFeatures());
    assertEquals(4, model.transform(data).count());
  }

  /** Two of 2,000 numbers a row are not 0; {@code dense} has none that is. */
  @Test
  void sparseVectorsThatAreWrittenOutAreTold() {
    UDF1<Long, Vector> sparse =
        id -> Vectors.sparse(2000, new int[] {(int) (id % 7), 1999}, new double[] {1, 0.5});
    UDF1<Vector, Vector> dense =
        v -> Vectors.dense(DoubleStream.of(v.toArray()).map(x -> x + 1).toArray());
    Spark.session().udf().register("sparse2000", functions.udf(sparse, SQLDataTypes.VectorType()));
    Spark.session().udf().register("dense2000", functions.udf(dense, SQLDataTypes.VectorType()));
    Dataset<Row> vectors =
        Spark.session()
            .range(50)
            .repartition(3)
            .selectExpr("sparse2000(id) as x")
            .selectExpr("x", "dense2000(x) as y");
    assertEquals(
        "featuresCol: all numbers of a vector are written out, and of 2000 in a row of \"x\" 2.0"
            + " are not 0 on average; name it in sparseCols instead, which keeps those",
        VectorStatistics.collect(vectors, InputColumn.vector("x", 2000), false).advice("x"));
    assertNull(VectorStatistics.collect(vectors, InputColumn.vector("y", 2000), false).advice("y"));
  }

  @Test
  void networksOfOnesOwnGetTheProductAsFeatures() {
    List<String> seen = new ArrayList<>();
    linear()
        .setSparseCols("words")
        .setNumericCols("a", "b")
        .setEmbeddingDim(5)
        .setEpochs(1)
        .setNetwork(
            (s, x) -> {
              seen.add(x.shape().dim(1) + "");
              return new Dense(1).apply(s, x);
            })
        .fit(EstimatorCases.data());
    assertArrayEquals(new Object[] {"7"}, seen.stream().distinct().toArray());
  }
}
