package io.fragua.spark.estimator;

import io.fragua.arrow.ColumnPath;
import io.fragua.arrow.ColumnStatistics;
import io.fragua.arrow.ColumnStatistics.Column;
import io.fragua.arrow.ColumnStatistics.Request;
import io.fragua.arrow.InputColumn;
import io.fragua.arrow.PairCounts;
import io.fragua.arrow.Vocabulary;
import io.fragua.spark.param.ClassifierParams;
import io.fragua.spark.param.InputParams;
import io.fragua.spark.param.TrainingParams;
import io.fragua.spark.persist.DataDescription;
import io.fragua.tensor.Check;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.ml.attribute.AttributeGroup;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.DecimalType;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Learns from the data what the network needs to know before it can be built, and finds what is
 * wrong with them before any training: one pass over the scalar columns, one more over a column of
 * vectors.
 *
 * @param <P> the parameters of an estimator
 */
final class Statistics<P extends InputParams & TrainingParams> {
  /**
   * What was learnt.
   *
   * @param rows all rows
   * @param trainingRows without those of the validation indicator
   * @param classWeights how much rows of each class count, or null
   */
  record Learnt(DataDescription data, long rows, long trainingRows, double[] classWeights) {}

  private static final Logger LOG = LoggerFactory.getLogger(Statistics.class);

  private final String stage;
  private final P params;
  private final Objective objective;
  private final Dataset<?> data;
  private final StructType schema;
  private final ValueChecks checks;

  /** Statistics of these rows, from which {@code handleInvalid=skip} has taken the invalid ones. */
  Statistics(String stage, P params, Objective objective, Dataset<?> data) {
    this.stage = stage;
    this.params = params;
    this.objective = objective;
    this.data = data;
    this.schema = data.schema();
    checks = new ValueChecks(stage, params.getHandleInvalid());
  }

  /** The columns read as numbers, with the shapes of their rows; values of sparse ones last. */
  static <P extends InputParams> List<InputColumn> numbers(
      String stage, P params, Dataset<?> data) {
    List<InputColumn> out = new ArrayList<>();
    if (params.readsFeaturesCol()) {
      out.add(new Shapes(stage, params, data).features());
    }
    for (String name : params.getNumericCols()) {
      out.add(InputColumn.scalar(name));
    }
    out.addAll(new Shapes(stage, params, data).sparse());
    return out;
  }

  /** Runs the jobs and checks what they find. */
  Learnt collect(List<InputColumn> numbers) {
    Map<String, Column> found = ColumnStatistics.collect(withDerived(), requests(numbers));
    Column label = found.get(params.getLabelCol());
    long rows = label.count();
    Check.that(
        rows > 0,
        "%s: the data set must have rows: it has none%s; check the data or the filters before fit",
        stage,
        params.getHandleInvalid().equals("skip") ? " that handleInvalid=skip keeps" : "");
    checks.valid("labelCol", params.getLabelCol(), label, rows);
    Column classes = found.get(classColumn());
    int k = 0;
    if (objective == Objective.CLASSES) {
      checkWhole(classes);
      String name = params.getLabelCol();
      k = checks.classes(name, ColumnPath.find(schema, name), label, classes.longs(), rows);
      if (params instanceof ClassifierParams c) {
        checks.thresholds(c, k);
        checks.classWeights(c, k);
      }
    }
    if (!params.getWeightCol().isEmpty()) {
      Column w = found.get(params.getWeightCol());
      checks.valid("weightCol", params.getWeightCol(), w, rows);
      checks.weights(params.getWeightCol(), w, rows);
    }
    for (String name : params.getCategoricalCols()) {
      checks.categories(name, found.get(name), rows);
    }
    boolean keep = params.getHandleInvalid().equals("keep");
    List<InputColumn> read = new ArrayList<>();
    List<Double> means = new ArrayList<>();
    List<Double> deviations = new ArrayList<>();
    List<InputColumn> sparse = new ArrayList<>();
    for (InputColumn c : numbers) {
      if (c.kind() == InputColumn.Kind.SPARSE_VALUES) {
        sparse.add(keys(c, sparse));
      } else if (c.kind() == InputColumn.Kind.SCALAR) {
        Column s = found.get(c.name());
        checks.numbers(c.name(), s, rows);
        double mean = rounded(s.mean(), s.std());
        means.add(mean);
        deviations.add(s.std());
        read.add(params.getStandardize() ? c.near(mean, type(c.name())) : c);
      } else {
        var m = VectorStatistics.collect(data, c, keep);
        String advice = c.kind() == InputColumn.Kind.VECTOR ? m.advice(c.name()) : null;
        if (advice != null) {
          LOG.warn("{} {}", stage, advice);
        }
        for (int i = 0; i < c.width(); i++) {
          double mean = m.counts()[i] == 0 ? Double.NaN : m.means()[i];
          if (!Double.isFinite(mean)) {
            checks.some("featuresCol", c.name() + "[" + i + "]", mean, rows);
          }
          means.add(rounded(mean, m.deviation(i)));
          deviations.add(m.deviation(i));
        }
        read.add(c);
      }
    }
    boolean amounts = objective == Objective.AMOUNTS;
    DataDescription d =
        new DataDescription(
            read,
            categories(found),
            sparse,
            means.stream().mapToDouble(v -> v).toArray(),
            deviations.stream().mapToDouble(Statistics::divisor).toArray(),
            params.getStandardize(),
            k,
            amounts ? rounded(label.mean(), label.std()) : 0,
            amounts ? divisor(label.std()) : 1);
    double[] weights = amounts ? null : ClassBalance.weights(params, counts(classes, k));
    return new Learnt(d, rows, trainingRows(found, rows), weights);
  }

  /** What the rows of each class count together. */
  private static double[] counts(Column classes, int k) {
    double[] counts = new double[k];
    for (int i = 0; i < classes.longs().length; i++) {
      counts[(int) classes.longs()[i]] = classes.counts()[i];
    }
    return counts;
  }

  private DataType type(String column) {
    return ColumnPath.find(schema, column).dataType();
  }

  private org.apache.spark.sql.Column column(String name) {
    return ColumnPath.column(schema, name);
  }

  /** A constant column has deviation 0: it becomes 0, not NaN. */
  private static double divisor(double deviation) {
    return deviation > 0 && (float) (1 / deviation) < Float.POSITIVE_INFINITY ? deviation : 1;
  }

  /**
   * A mean without its last bits, which change with the order of the rows, and with them what a
   * checkpoint knows the training by. It is off by less than a ten-millionth of the deviation.
   */
  private static double rounded(double mean, double deviation) {
    double step = Math.scalb(1.0, Math.getExponent(deviation) - 24);
    double rounded = Math.rint(mean / step) * step;
    return deviation > 0 && Double.isFinite(rounded) ? rounded : mean;
  }

  private List<Request> requests(List<InputColumn> numbers) {
    Map<String, Request> r = new LinkedHashMap<>();
    r.put(params.getLabelCol(), new Request(params.getLabelCol(), false, true));
    if (objective == Objective.CLASSES) {
      boolean same = classColumn().equals(params.getLabelCol());
      r.put(classColumn(), new Request(classColumn(), true, same, learntWeight()));
      if (learntWeight() != null) {
        r.put(learntWeight(), new Request(learntWeight(), false, true));
      }
    }
    for (String name : List.of(params.getWeightCol(), params.getValidationIndicatorCol())) {
      if (!name.isEmpty()) {
        r.putIfAbsent(name, new Request(name, false, true));
      }
    }
    for (InputColumn c : numbers) {
      if (c.kind() == InputColumn.Kind.SCALAR) {
        r.putIfAbsent(c.name(), new Request(c.name(), false, true));
      }
    }
    for (String name : params.getCategoricalCols()) {
      r.put(name, new Request(name, true, false));
    }
    return List.copyOf(r.values());
  }

  private boolean labelIsWhole() {
    DataType t = type(params.getLabelCol());
    return !(t.equals(DataTypes.FloatType)
        || t.equals(DataTypes.DoubleType)
        || t instanceof DecimalType);
  }

  /** The column whose distinct values are the classes: the label, or a whole-number copy of it. */
  private String classColumn() {
    if (labelIsWhole()) {
      return params.getLabelCol();
    }
    return ColumnPath.free(schema, params.getLabelCol() + "_class");
  }

  /** The column of what a row counts in the balance of the classes; null if each counts 1. */
  private String learntWeight() {
    boolean alike = params.getWeightCol().isEmpty() && params.getValidationIndicatorCol().isEmpty();
    return ClassBalance.isAsked(params) && !alike ? ColumnPath.free(schema, "learnt_weight") : null;
  }

  private Dataset<?> withDerived() {
    Dataset<?> all = data;
    if (objective == Objective.CLASSES && !labelIsWhole()) {
      var label = column(params.getLabelCol()).cast(DataTypes.DoubleType);
      var whole = functions.floor(label);
      all = all.withColumn(classColumn(), functions.when(label.equalTo(whole), whole));
    }
    if (learntWeight() != null) {
      String weight = params.getWeightCol();
      String held = params.getValidationIndicatorCol();
      var counts = weight.isEmpty() ? functions.lit(1) : column(weight);
      var learns = held.isEmpty() ? functions.lit(true) : functions.not(column(held));
      all =
          all.withColumn(
              learntWeight(),
              functions
                  .when(functions.coalesce(learns, functions.lit(true)), counts)
                  .otherwise(0)
                  .cast(DataTypes.DoubleType));
    }
    return all;
  }

  private void checkWhole(Column classes) {
    String label = params.getLabelCol();
    if (!labelIsWhole() && classes.nulls() > 0) {
      var v = column(label).cast(DataTypes.DoubleType);
      Object example =
          data.filter(v.notEqual(functions.floor(v)))
              .select(column(label))
              .takeAsList(1)
              .get(0)
              .get(0);
      throw new IllegalArgumentException(
          String.format(
              "%s labelCol: a classifier's labels must be whole numbers 0, 1, 2, ...: \"%s\" holds"
                  + " %s in %s; number the classes, or use a NeuralRegressor",
              stage, label, example, classes.firstPlace()));
    }
  }

  private List<InputColumn> categories(Map<String, Column> found) {
    List<InputColumn> out = new ArrayList<>();
    int offset = 0;
    for (String name : params.getCategoricalCols()) {
      Column c = found.get(name);
      Vocabulary v = c.vocabulary(offset);
      out.add(InputColumn.category(name, v));
      offset += v.size();
    }
    return out;
  }

  /** A sparse column with the ids of its keys, which go on where those of the last one end. */
  private InputColumn keys(InputColumn c, List<InputColumn> before) {
    int offset = before.isEmpty() ? 0 : before.get(before.size() - 1).vocabulary().maxId() + 1;
    DataType t = type(c.name());
    Vocabulary v;
    if (t instanceof MapType) {
      Dataset<?> keys =
          data.select(functions.explode(functions.map_keys(column(c.name()))).as("key"));
      v =
          ColumnStatistics.collect(keys, List.of(new Request("key", true, false)))
              .get("key")
              .vocabulary(offset);
    } else {
      v = indices(data, c.name(), offset);
    }
    Check.that(
        v.size() > 1,
        "%s sparseCols: some row must have a key: \"%s\" has none; leave the column out",
        stage,
        c.name());
    return InputColumn.sparseIds(c.name(), c.width(), v);
  }

  /** The indices of a column's vectors: as many as the metadata say, or as the largest has. */
  static Vocabulary indices(Dataset<?> data, String column, int offset) {
    int known = AttributeGroup.fromStructField(ColumnPath.find(data.schema(), column)).size();
    int size = known > 0 ? known : PairCounts.largest(data, List.of(column))[0][1];
    return Vocabulary.indices(Math.max(0, size), offset);
  }

  private long trainingRows(Map<String, Column> found, long rows) {
    String name = params.getValidationIndicatorCol();
    if (name.isEmpty()) {
      return Math.max(1, Math.round(rows * (1 - params.getValidationFraction())));
    }
    Column c = found.get(name);
    long valid = c.nulls() == rows ? 0 : Math.round(c.mean() * (rows - c.nulls()));
    Check.that(
        valid > 0 && valid < rows,
        "%s validationIndicatorCol: must be true in some rows and false in others: \"%s\" is true"
            + " in %d of %d rows; correct the column, or leave the parameter empty",
        stage,
        name,
        valid,
        rows);
    return rows - valid;
  }
}
