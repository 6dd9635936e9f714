package io.fragua.spark.estimator;

import io.fragua.spark.param.ClassifierParams;
import io.fragua.spark.param.InputParams;
import io.fragua.spark.param.OutputParams;
import io.fragua.tensor.Check;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructType;

/** Checks of columns against parameters, on the driver, before any job. */
final class SchemaChecks {
  private final String stage;
  private final StructType schema;

  /**
   * Checks for one stage.
   *
   * @param stage its class, with which errors begin
   */
  SchemaChecks(String stage, StructType schema) {
    this.stage = stage;
    this.schema = schema;
  }

  /** The columns that a stage reads as numbers, in order: first the vectors, then the scalars. */
  static List<String> numbers(InputParams p) {
    List<String> names = new ArrayList<>();
    if (p.readsFeaturesCol()) {
      names.add(p.getFeaturesCol());
    }
    names.addAll(Arrays.asList(p.getNumericCols()));
    return names;
  }

  /** The columns that a stage reads, in order: numbers, then categories. */
  static List<String> inputs(InputParams p) {
    List<String> names = numbers(p);
    names.addAll(Arrays.asList(p.getCategoricalCols()));
    return names;
  }

  /** Every input column exists, once, with a type that it can be read from. */
  void checkInputs(InputParams p) {
    if (p.readsFeaturesCol()) {
      check(
          "featuresCol",
          p.getFeaturesCol(),
          "vectors or arrays of numbers",
          "make it with a VectorAssembler, or name it in numericCols or categoricalCols",
          isVector(type("featuresCol", p.getFeaturesCol()))
              || isNumericArray(type("featuresCol", p.getFeaturesCol())));
    }
    for (String c : p.getNumericCols()) {
      DataType t = type("numericCols", c);
      check(
          "numericCols",
          c,
          "numbers or truth values",
          "cast it, or name it in featuresCol or categoricalCols",
          isNumber(t) || t.equals(DataTypes.BooleanType));
    }
    for (String c : p.getCategoricalCols()) {
      check(
          "categoricalCols",
          c,
          "texts or integers",
          "cast it, or name it in numericCols",
          isCategory(type("categoricalCols", c)));
    }
    List<String> all = inputs(p);
    for (String c : all) {
      Check.that(
          all.indexOf(c) == all.lastIndexOf(c),
          "%s inputs: a column is read once: \"%s\" is named twice in featuresCol, numericCols and"
              + " categoricalCols; name it once",
          stage,
          c);
    }
  }

  /** A column that is not read as an input, of the right type. */
  void checkNumber(String param, String column, boolean orTruth, InputParams p) {
    DataType t = type(param, column);
    check(
        param,
        column,
        orTruth ? "numbers or truth values" : "numbers",
        t instanceof StringType
            ? "index the texts with a StringIndexer, or cast them"
            : "cast it, or name another column",
        isNumber(t) || orTruth && t.equals(DataTypes.BooleanType));
    checkNotInput(param, column, p);
  }

  /** A column of truth values that is not read as an input. */
  void checkTruth(String param, String column, InputParams p) {
    check(
        param,
        column,
        "truth values",
        "compare it with a value, or name another column",
        type(param, column).equals(DataTypes.BooleanType));
    checkNotInput(param, column, p);
  }

  private void checkNotInput(String param, String column, InputParams p) {
    Check.that(
        !inputs(p).contains(column),
        "%s %s: must not be an input: \"%s\" is one of %s; take it out of the inputs",
        stage,
        param,
        column,
        inputs(p));
  }

  /** The output columns, those that are not left out, by parameter name; all of them new. */
  Map<String, String> checkOutputs(OutputParams p) {
    Map<String, String> out = new LinkedHashMap<>();
    if (p instanceof ClassifierParams c) {
      out.put("rawPredictionCol", c.getRawPredictionCol());
      out.put("probabilityCol", c.getProbabilityCol());
    }
    out.put("predictionCol", p.getPredictionCol());
    out.values().removeIf(String::isEmpty);
    Check.that(
        !out.isEmpty(),
        "%s outputs: at least one column must be appended: all names are empty; set predictionCol",
        stage);
    out.forEach(
        (param, column) -> {
          Check.that(
              Arrays.stream(schema.fieldNames()).noneMatch(f -> f.equalsIgnoreCase(column)),
              "%s %s: must be a new column: \"%s\" is already one of %s; set another name, or drop"
                  + " the old column",
              stage,
              param,
              column,
              Arrays.toString(schema.fieldNames()));
          Check.that(
              out.values().stream().filter(column::equalsIgnoreCase).count() == 1,
              "%s %s: output columns need different names: \"%s\" twice in %s; set another name",
              stage,
              param,
              column,
              out);
        });
    return out;
  }

  /** The type of a column that must exist, and only once. */
  DataType type(String param, String column) {
    long found = Arrays.stream(schema.fieldNames()).filter(column::equals).count();
    Check.that(
        found <= 1,
        "%s %s: must name one column of the data set: \"%s\" is there %d times in %s; rename or"
            + " drop the others",
        stage,
        param,
        column,
        found,
        Arrays.toString(schema.fieldNames()));
    Check.that(
        found == 1,
        "%s %s: must name a column of the data set: \"%s\" is not one of %s; correct %s, or add the"
            + " column",
        stage,
        param,
        column,
        Arrays.toString(schema.fieldNames()),
        param);
    return schema.apply(column).dataType();
  }

  private void check(String param, String column, String rule, String remedy, boolean ok) {
    Check.that(
        ok,
        "%s %s: must hold %s: \"%s\" holds %s; %s",
        stage,
        param,
        rule,
        column,
        type(param, column).catalogString(),
        remedy);
  }

  static boolean isVector(DataType t) {
    return t.equals(SQLDataTypes.VectorType());
  }

  static boolean isCategory(DataType t) {
    return t instanceof StringType || isInteger(t);
  }

  private static boolean isInteger(DataType t) {
    return t.equals(DataTypes.ByteType)
        || t.equals(DataTypes.ShortType)
        || t.equals(DataTypes.IntegerType)
        || t.equals(DataTypes.LongType);
  }

  private static boolean isNumber(DataType t) {
    return t instanceof NumericType;
  }

  private static boolean isNumericArray(DataType t) {
    return t instanceof ArrayType a && isNumber(a.elementType());
  }
}
