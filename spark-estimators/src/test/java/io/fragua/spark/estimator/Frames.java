package io.fragua.spark.estimator;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Small data sets to learn. All have the columns of one schema, so that cases choose among them.
 */
final class Frames {
  static final StructType SCHEMA =
      new StructType()
          .add("dense", SQLDataTypes.VectorType())
          .add("sparse", SQLDataTypes.VectorType())
          .add("array", DataTypes.createArrayType(DataTypes.FloatType))
          .add("a", DataTypes.DoubleType)
          .add("b", DataTypes.IntegerType)
          .add("flag", DataTypes.BooleanType)
          .add("city", DataTypes.StringType)
          .add("code", DataTypes.LongType)
          .add("xor", DataTypes.DoubleType)
          .add("xorFlag", DataTypes.BooleanType)
          .add("blob", DataTypes.IntegerType)
          .add("amount", DataTypes.DoubleType)
          .add("weight", DataTypes.FloatType)
          .add("held", DataTypes.BooleanType);

  private static final String[] CITIES = {"Lima", "Oslo", "Málaga"};

  private Frames() {}

  /**
   * Rows with: two noisy corners a and b (b scaled to 0 and 1000) whose exclusive or is {@code
   * xor}; a city and a code whose combination decides {@code blob} (0, 1, 2); and an {@code amount}
   * far from 0 that follows a, b and the city.
   */
  static Dataset<Row> mixed(int rows) {
    Random random = new Random(7);
    List<Row> out = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      int p = i % 2;
      int q = i / 2 % 2;
      int city = i % 3;
      int code = i / 3 % 2;
      double a = p + 0.1 * random.nextGaussian();
      int b = q * 1000 + random.nextInt(50);
      double[] x = {a, b, 0};
      double xor = p ^ q;
      out.add(
          RowFactory.create(
              Vectors.dense(x),
              Vectors.dense(x).toSparse(),
              List.of((float) a, (float) b),
              a,
              b,
              q == 1,
              CITIES[city],
              code * 70_000_000_000L,
              xor,
              xor == 1,
              (city + code) % 3,
              5000 + 100 * p + 0.2 * b + 50 * city,
              1f,
              i % 5 == 0));
    }
    return frame(out);
  }

  static Dataset<Row> frame(List<Row> rows) {
    return Spark.session().createDataFrame(rows, SCHEMA).repartition(2).cache();
  }

  /** A data set of these rows. */
  static Dataset<Row> of(StructType schema, Object[]... rows) {
    return Spark.session()
        .createDataFrame(Arrays.stream(rows).map(RowFactory::create).toList(), schema);
  }
}
