package io.fragua.spark.estimator;

import io.fragua.arrow.ColumnPath;
import io.fragua.arrow.InputColumn.Kind;
import io.fragua.arrow.PairCounts;
import io.fragua.arrow.Vocabulary;
import io.fragua.spark.param.ClassifierParams;
import io.fragua.spark.param.InputParams;
import io.fragua.spark.param.OutputParams;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.Check;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.internal.SQLConf;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** Checks of columns against parameters, on the driver, before any job. */
final class SchemaChecks {
  /** Elements of an f32 tensor. */
  private static final int MOST = Buffer.LARGEST / Float.BYTES;

  private final String stage;
  private final StructType schema;
  private final Map<String, Integer> times = new HashMap<>(); // each name is there, by its key

  /**
   * Checks for one stage.
   *
   * @param stage its class, with which errors begin
   */
  SchemaChecks(String stage, StructType schema) {
    this.stage = stage;
    this.schema = schema;
    for (StructField f : schema.fields()) {
      times.merge(key(f.name()), 1, Integer::sum);
    }
  }

  /** The same for names that Spark takes for one. */
  private static String key(String name) {
    return SQLConf.get().caseSensitiveAnalysis() ? name : name.toLowerCase(Locale.ROOT);
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

  /** The columns that a stage reads, in order: numbers, categories, sparse ones. */
  static List<String> inputs(InputParams p) {
    List<String> names = numbers(p);
    names.addAll(Arrays.asList(p.getCategoricalCols()));
    names.addAll(Arrays.asList(p.getSparseCols()));
    return names;
  }

  /** Every input column exists, once, with a type that it can be read from. */
  void checkInputs(InputParams p) {
    if (p.readsFeaturesCol()) {
      features(p.getFeaturesCol(), p.getFeaturesShape());
    }
    for (String c : p.getNumericCols()) {
      check(
          "numericCols",
          c,
          "numbers, truth values or times",
          "cast it, or name it in featuresCol or categoricalCols",
          Kind.of(type("numericCols", c)) == Kind.SCALAR);
    }
    for (String c : p.getCategoricalCols()) {
      check(
          "categoricalCols",
          c,
          "texts, integers, truth values, dates or binaries",
          "cast it, or name it in numericCols",
          Vocabulary.Type.of(type("categoricalCols", c)) != null);
    }
    for (String c : p.getSparseCols()) {
      check(
          "sparseCols",
          c,
          "maps from strings or integers to numbers, or vectors",
          "make a map with map_from_arrays, or name it in featuresCol",
          PairCounts.keys(type("sparseCols", c)) != null);
    }
    Set<String> all = new HashSet<>();
    for (String c : inputs(p)) {
      Check.that(
          all.add(ColumnPath.resolved(schema, c)),
          "%s inputs: a column is read once: \"%s\" is named twice in featuresCol, numericCols,"
              + " categoricalCols and sparseCols; name it once",
          stage,
          c);
    }
  }

  private void features(String column, int[] shape) {
    DataType t = type("featuresCol", column);
    Kind kind = Kind.of(t);
    check(
        "featuresCol",
        column,
        "vectors, matrices, arrays of numbers, images or binary",
        "make it with a VectorAssembler, or name it in numericCols or categoricalCols",
        kind != null && kind.hasShape());
    Check.that(
        shape.length == 0 || kind.reads(t, shape.length),
        "%s featuresShape: must have an axis for each of the column's: %s for \"%s\", which holds"
            + " %s; give as many sizes, or none",
        stage,
        Arrays.toString(shape),
        column,
        t.catalogString());
    Check.that(
        Arrays.stream(shape).asDoubleStream().reduce(1, (a, b) -> a * b) <= MOST,
        "%s featuresShape: a row must fit a tensor of f32, which has at most %d elements: %s; cut"
            + " rows into smaller ones",
        stage,
        MOST,
        Arrays.toString(shape));
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
    String resolved = ColumnPath.resolved(schema, column);
    Check.that(
        inputs(p).stream().noneMatch(c -> ColumnPath.resolved(schema, c).equals(resolved)),
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
              !times.containsKey(key(column)),
              "%s %s: must be a new column: \"%s\" is already one of %s; set another name, or drop"
                  + " the old column",
              stage,
              param,
              column,
              Arrays.toString(schema.fieldNames()));
          Check.that(
              out.values().stream().filter(c -> key(c).equals(key(column))).count() == 1,
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
    int found = times.getOrDefault(key(column), 0);
    StructField field = found > 1 ? null : ColumnPath.find(schema, column);
    if (field == null) {
      String all = Arrays.toString(schema.fieldNames());
      throw new IllegalArgumentException(
          found > 1
              ? String.format(
                  "%s %s: must name one column of the data set: \"%s\" is there %d times in %s;"
                      + " rename or drop the others",
                  stage, param, column, found, all)
              : String.format(
                  "%s %s: must name a column of the data set: \"%s\" is not one of %s; correct %s,"
                      + " or add the column",
                  stage, param, column, all, param));
    }
    return field.dataType();
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

  private static boolean isNumber(DataType t) {
    return t instanceof NumericType;
  }
}
