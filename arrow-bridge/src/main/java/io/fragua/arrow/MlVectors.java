package io.fragua.arrow;

import io.fragua.tensor.Check;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.UDTRegistration;
import org.apache.spark.sql.types.UserDefinedType;

/**
 * Spark ML's vector type. This module needs Spark SQL alone, so the type is found by name, the way
 * Spark SQL itself finds it.
 */
final class MlVectors {
  /**
   * Fields of its struct: 0 sparse or 1 dense, the size of a sparse one, its indices, the values.
   */
  static final int TYPE = 0;

  static final int SIZE = 1;
  static final int INDICES = 2;
  static final int VALUES = 3;
  static final byte SPARSE = 0;
  static final byte DENSE = 1;

  private static final String USER_CLASS = "org.apache.spark.ml.linalg.Vector";
  private static final String MATRIX_CLASS = "org.apache.spark.ml.linalg.Matrix";

  private MlVectors() {}

  /**
   * The type object.
   *
   * @throws IllegalArgumentException if Spark ML is not on the class path
   */
  static DataType type() {
    scala.Option<Class<?>> udt;
    try {
      udt = UDTRegistration.getUDTFor(USER_CLASS);
      Check.that(udt.isDefined(), "vector column: %s must be known; add spark-mllib", USER_CLASS);
      return (DataType) udt.get().getDeclaredConstructor().newInstance();
    } catch (ReflectiveOperationException | RuntimeException e) {
      throw new IllegalArgumentException(
          "vector column: Spark ML must be on the class path: " + e + "; add spark-mllib", e);
    }
  }

  static boolean isVector(DataType t) {
    return t instanceof UserDefinedType<?> u && u.userClass().getName().equals(USER_CLASS);
  }

  static boolean isMatrix(DataType t) {
    return t instanceof UserDefinedType<?> u && u.userClass().getName().equals(MATRIX_CLASS);
  }
}
