package io.fragua.arrow;

import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import java.util.List;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.BinaryType;
import org.apache.spark.sql.types.BooleanType;
import org.apache.spark.sql.types.ByteType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DateType;
import org.apache.spark.sql.types.DecimalType;
import org.apache.spark.sql.types.DoubleType;
import org.apache.spark.sql.types.FloatType;
import org.apache.spark.sql.types.IntegerType;
import org.apache.spark.sql.types.LongType;
import org.apache.spark.sql.types.ShortType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.types.TimestampNTZType;
import org.apache.spark.sql.types.TimestampType;

/** Which Spark types each kind of input column is read from. */
final class ColumnTypes {
  /** Whether a kind is read from a type, in a tile of this dtype. */
  interface Fits {
    boolean test(DataType type, DType dtype, InputColumn column);
  }

  private ColumnTypes() {}

  static boolean isFloating(DataType t) {
    return t instanceof FloatType || t instanceof DoubleType;
  }

  /** The types a whole number is read from. */
  static boolean isIntegral(DataType t) {
    return t instanceof ByteType
        || t instanceof ShortType
        || t instanceof IntegerType
        || t instanceof LongType
        || t instanceof BooleanType;
  }

  /** Whole numbers that name things, days included. */
  static boolean isWholeName(DataType t) {
    return isIntegral(t) || t instanceof DateType;
  }

  static boolean isTimestamp(DataType t) {
    return t instanceof TimestampType || t instanceof TimestampNTZType;
  }

  static boolean isNumber(DataType t) {
    return isFloating(t) || isIntegral(t) || t instanceof DecimalType;
  }

  /** What is read as one number. */
  static boolean isScalar(DataType t) {
    return isNumber(t) || t instanceof DateType || isTimestamp(t);
  }

  /** Whether values may differ by less than an f32 of their size can tell. */
  static boolean isWide(DataType t) {
    return isScalar(t)
        && !(t instanceof FloatType
            || t instanceof ShortType
            || t instanceof ByteType
            || t instanceof BooleanType);
  }

  static boolean isText(DataType t) {
    return t instanceof StringType;
  }

  static boolean isScalar(DataType t, DType dtype, InputColumn c) {
    return dtype == DType.F32 ? isScalar(t) : isIntegral(t) && c.origin() == 0;
  }

  /** Arrays around each other. */
  static int depth(DataType type) {
    int depth = 0;
    for (DataType t = type; t instanceof ArrayType a; t = a.elementType()) {
      depth++;
    }
    return depth;
  }

  static boolean isArray(DataType t, DType dtype, InputColumn c) {
    DataType element = t;
    for (int i = 0; i < c.shape().size(); i++) {
      if (!(element instanceof ArrayType a)) {
        return false;
      }
      element = a.elementType();
    }
    return dtype == DType.F32 ? isNumber(element) : isIntegral(element);
  }

  static boolean isVector(DataType t, DType dtype, InputColumn c) {
    return MlVectors.isVector(t) && dtype == DType.F32;
  }

  static boolean isMatrix(DataType t, DType dtype, InputColumn c) {
    return MlVectors.isMatrix(t) && dtype == DType.F32;
  }

  static boolean isImage(DataType t, DType dtype, InputColumn c) {
    return ImageColumn.isImage(t) && dtype == DType.F32;
  }

  static boolean isBytes(DataType t, DType dtype, InputColumn c) {
    return t instanceof BinaryType && dtype == DType.F32;
  }

  static boolean isCategory(DataType t, DType dtype, InputColumn c) {
    return switch (c.vocabulary().type()) {
      case TEXT -> isText(t);
      case BINARY -> t instanceof BinaryType;
      case WHOLE -> isWholeName(t);
      case INDEX -> false;
    };
  }

  static boolean isPairs(DataType t, DType dtype, InputColumn c) {
    Vocabulary known = c.vocabulary();
    return dtype == (known == null ? DType.F32 : DType.I32)
        && SparseColumn.keys(t) != null
        && (known == null || known.type() == SparseColumn.keys(t));
  }

  /** The field of this name, which must be there. */
  static StructField field(StructType schema, String who, String name) {
    StructField f = ColumnPath.find(schema, name);
    Check.that(
        f != null,
        "%s: an input column must be there: \"%s\" is not among %s; correct the name",
        who,
        name,
        f != null ? null : List.of(schema.fieldNames()));
    return f;
  }

  static void check(StructType schema, TileSpec tile, InputColumn c) {
    DataType t = field(schema, "tile " + tile.name(), c.name()).dataType();
    if (!c.kind().fits().test(t, tile.dtype(), c)) {
      throw new IllegalArgumentException(
          "column "
              + c.name()
              + ": must be "
              + expected(tile, c)
              + ": it is "
              + t.simpleString()
              + "; cast it or choose another column");
    }
  }

  private static String expected(TileSpec tile, InputColumn c) {
    String plain = c.kind().expected();
    if (c.kind() == InputColumn.Kind.CATEGORY) {
      return c.vocabulary().type().expected() + ", " + plain;
    }
    String deep = c.shape().size() < 2 ? "" : " of shape " + c.shape();
    boolean whole = tile.dtype() == DType.I32 && c.vocabulary() == null;
    return plain + deep + (whole ? ", whole in an i32 tile" : "");
  }
}
