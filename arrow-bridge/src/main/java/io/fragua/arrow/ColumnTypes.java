package io.fragua.arrow;

import static org.apache.spark.sql.functions.abs;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.forall;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.size;

import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.DecimalType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * Which Spark types each kind of input column is read from, and which of their values are valid.
 */
final class ColumnTypes {
  private ColumnTypes() {}

  static boolean isFloating(DataType t) {
    return t.equals(DataTypes.FloatType) || t.equals(DataTypes.DoubleType);
  }

  /** The types a whole number is read from. */
  static boolean isIntegral(DataType t) {
    return t.equals(DataTypes.ByteType)
        || t.equals(DataTypes.ShortType)
        || t.equals(DataTypes.IntegerType)
        || t.equals(DataTypes.LongType)
        || t.equals(DataTypes.BooleanType);
  }

  static boolean isNumber(DataType t) {
    return isFloating(t) || isIntegral(t) || t instanceof DecimalType;
  }

  static boolean isText(DataType t) {
    return t instanceof StringType;
  }

  /** The field of this name, as Spark finds it by default: in any case, if only one fits so. */
  static StructField field(StructType schema, String who, String name) {
    StructField exact = null;
    List<StructField> same = new ArrayList<>();
    for (StructField f : schema.fields()) {
      if (f.name().equals(name)) {
        exact = f;
      }
      if (f.name().equalsIgnoreCase(name)) {
        same.add(f);
      }
    }
    if (exact == null && same.size() == 1) {
      exact = same.get(0);
    }
    Check.that(
        exact != null,
        "%s: an input column must be there: \"%s\" is not among %s; correct the name",
        who,
        name,
        List.of(schema.fieldNames()));
    return exact;
  }

  static void check(StructType schema, TileSpec tile, InputColumn c) {
    DataType t = field(schema, "tile " + tile.name(), c.name()).dataType();
    boolean fits =
        switch (c.kind()) {
          case SCALAR -> isNumber(t) && (tile.dtype() == DType.F32 || isIntegral(t));
          case ARRAY ->
              t instanceof ArrayType a
                  && isNumber(a.elementType())
                  && (tile.dtype() == DType.F32 || isIntegral(a.elementType()));
          case VECTOR -> MlVectors.isVector(t) && tile.dtype() == DType.F32;
          case CATEGORY -> c.vocabulary().isText() ? isText(t) : isIntegral(t);
        };
    Check.that(
        fits,
        "column %s: must be %s: it is %s; cast it or choose another column",
        c.name(),
        expected(tile, c),
        t.simpleString());
  }

  private static String expected(TileSpec tile, InputColumn c) {
    String number = tile.dtype() == DType.F32 ? "a number or boolean" : "a whole number or boolean";
    return switch (c.kind()) {
      case SCALAR -> number;
      case ARRAY -> "an array of " + number;
      case VECTOR -> "a Spark ML vector";
      case CATEGORY ->
          c.vocabulary().isText() ? "a string, as in fit" : "an integer or boolean, as in fit";
    };
  }

  /** Conditions under which the column's value can be read; none for a category. */
  static List<Column> valid(StructType schema, TileSpec tile, InputColumn c) {
    StructField f = field(schema, "tile " + tile.name(), c.name());
    Column v = new Column("`" + f.name().replace("`", "``") + "`");
    List<Column> all = new ArrayList<>();
    switch (c.kind()) {
      case SCALAR -> {
        all.add(v.isNotNull());
        if (isFloating(f.dataType())) {
          all.add(finite(v));
        }
      }
      case ARRAY -> {
        DataType element = ((ArrayType) f.dataType()).elementType();
        all.add(v.isNotNull());
        all.add(size(v).equalTo(c.width()));
        all.add(
            coalesce(
                forall(v, e -> isFloating(element) ? e.isNotNull().and(finite(e)) : e.isNotNull()),
                lit(false)));
      }
      case VECTOR -> all.add(v.isNotNull());
      case CATEGORY -> {}
    }
    return all;
  }

  /** Not NaN, not infinite, and within f32: what a tile can hold. */
  private static Column finite(Column v) {
    // NaN is larger than every number in Spark's order, so one comparison excludes it too.
    return abs(v.cast(DataTypes.DoubleType)).leq((double) Float.MAX_VALUE);
  }
}
