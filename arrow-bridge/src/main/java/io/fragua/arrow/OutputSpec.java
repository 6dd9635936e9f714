package io.fragua.arrow;

import java.io.Serializable;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.StructField;

/**
 * One column that a model produces.
 *
 * @param column its name in the data
 * @param graphOutput the graph's result it comes from
 * @param kind its Spark type
 */
public record OutputSpec(String column, String graphOutput, Kind kind) implements Serializable {
  /** Spark types of results. */
  public enum Kind {
    /** {@code float}, from a result of shape [B]. */
    FLOAT,
    /** {@code double}, from a result of shape [B]. */
    DOUBLE,
    /** {@code int}, from a result of shape [B]. */
    INT,
    /** A dense Spark ML vector, from a result of shape [B, K]. */
    VECTOR
  }

  /** The column as a field of a schema, never null. */
  public StructField field() {
    DataType t =
        switch (kind) {
          case FLOAT -> DataTypes.FloatType;
          case DOUBLE -> DataTypes.DoubleType;
          case INT -> DataTypes.IntegerType;
          case VECTOR -> MlVectors.type();
        };
    return new StructField(column, t, false, Metadata.empty());
  }
}
