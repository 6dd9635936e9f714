package io.fragua.spark.estimator;

import io.fragua.arrow.ColumnPath;
import io.fragua.arrow.InputColumn;
import io.fragua.arrow.InputColumn.Kind;
import io.fragua.arrow.PairCounts;
import io.fragua.spark.param.InputParams;
import io.fragua.tensor.Check;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.ml.attribute.AttributeGroup;
import org.apache.spark.ml.linalg.Matrix;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;

/**
 * Finds the shape of a column's rows: the declared one, that of the metadata, or else the data's.
 *
 * @param stage with which errors begin
 */
record Shapes(String stage, InputParams params, Dataset<?> data) {
  /** {@code featuresCol} with its shape. */
  InputColumn features() {
    String name = params.getFeaturesCol();
    StructField f = ColumnPath.find(data.schema(), name);
    Kind kind = Kind.of(f.dataType());
    List<Integer> shape = Arrays.stream(params.getFeaturesShape()).boxed().toList();
    if (shape.isEmpty() && kind == Kind.VECTOR && AttributeGroup.fromStructField(f).size() > 0) {
      shape = List.of(AttributeGroup.fromStructField(f).size());
    }
    if (shape.isEmpty()) {
      shape = found(name, kind);
    }
    Check.that(
        shape.stream().allMatch(n -> n > 0),
        "%s featuresCol: must have at least one number: \"%s\" holds lists of size 0; assemble some"
            + " features",
        stage,
        name);
    return InputColumn.of(name, kind, shape);
  }

  /** {@code sparseCols} with as many slots as the fullest row has pairs. */
  List<InputColumn> sparse() {
    List<String> names = List.of(params.getSparseCols());
    if (names.isEmpty()) {
      return List.of();
    }
    int[][] most = PairCounts.largest(data, names);
    List<InputColumn> out = new ArrayList<>();
    for (int i = 0; i < most.length; i++) {
      out.add(InputColumn.sparseValues(names.get(i), Math.max(1, most[i][0])));
    }
    return out;
  }

  private List<Integer> found(String name, Kind kind) {
    Column column = ColumnPath.column(data.schema(), name);
    if (params.getHandleInvalid().equals("keep") && (kind == Kind.ARRAY || kind == Kind.BYTES)) {
      return largest(name, column, kind);
    }
    if (!params.getHandleInvalid().equals("error")) {
      return commonest(name, column, kind);
    }
    List<Row> first = data.filter(column.isNotNull()).select(column).takeAsList(1);
    rows(name, !first.isEmpty());
    return of(first.get(0).get(0)); // where all must have one shape, any row has it
  }

  /**
   * The shape that most rows have, of equally many the larger: which row is first may change from
   * run to run, and it may be the invalid one.
   */
  private List<Integer> commonest(String name, Column column, Kind kind) {
    Dataset<Row> shapes = data.filter(column.isNotNull()).select(shape(name, column, kind).as("s"));
    Column s = functions.col("s");
    List<Row> most =
        shapes
            .groupBy(s)
            .count()
            .orderBy(
                functions.forall(s, n -> n.gt(0)).desc_nulls_last(),
                functions.col("count").desc(),
                s.desc())
            .takeAsList(1);
    rows(name, !most.isEmpty());
    return most.get(0).getList(0);
  }

  /** {@link #of} as a column, where Spark can tell without a look at the numbers. */
  private Column shape(String name, Column column, Kind kind) {
    List<Column> sizes = new ArrayList<>();
    if (kind == Kind.BYTES) {
      sizes.add(functions.length(column));
    } else if (kind == Kind.IMAGE) {
      for (String field : List.of("height", "width", "nChannels")) {
        sizes.add(column.getField(field));
      }
    } else if (kind == Kind.ARRAY) {
      Column list = column;
      DataType t = ColumnPath.find(data.schema(), name).dataType();
      while (t instanceof ArrayType a) {
        sizes.add(functions.coalesce(functions.size(list), functions.lit(0)));
        list = functions.get(list, functions.lit(0));
        t = a.elementType();
      }
    } else {
      UDF1<Object, List<Integer>> of = Shapes::of;
      return functions.udf(of, DataTypes.createArrayType(DataTypes.IntegerType)).apply(column);
    }
    return functions.array(sizes.toArray(Column[]::new));
  }

  private void rows(String name, boolean some) {
    Check.that(
        some,
        "%s featuresCol: the data set must have rows: no row has a value in \"%s\"; check the data"
            + " or the filters before fit",
        stage,
        name);
  }

  /** The shape of one row, by what Spark makes of it. */
  private static List<Integer> of(Object row) {
    if (row instanceof Vector v) {
      return List.of(v.size());
    }
    if (row instanceof Matrix m) {
      return List.of(m.numRows(), m.numCols());
    }
    if (row instanceof byte[] b) {
      return List.of(b.length);
    }
    if (row instanceof Row image) {
      return List.of(image.getAs("height"), image.getAs("width"), image.getAs("nChannels"));
    }
    List<Integer> shape = new ArrayList<>();
    Object list = row;
    while (list instanceof scala.collection.Seq<?> s) {
      shape.add(s.size());
      list = s.isEmpty() ? null : s.apply(0);
    }
    return shape;
  }

  /** The largest sizes of lists, or of binaries, in any row. */
  private List<Integer> largest(String name, Column column, Kind kind) {
    List<Column> sizes = new ArrayList<>();
    if (kind == Kind.BYTES) {
      sizes.add(functions.max(functions.length(column)));
    } else {
      sizes.add(functions.max(functions.size(column)));
      Column lists = column;
      DataType t = ColumnPath.find(data.schema(), name).dataType();
      while (((ArrayType) t).elementType() instanceof ArrayType inner) {
        Column all = lists;
        sizes.add(
            functions.max(functions.array_max(functions.transform(all, l -> functions.size(l)))));
        lists = functions.flatten(functions.filter(all, Column::isNotNull));
        t = inner;
      }
    }
    Row row = data.filter(column.isNotNull()).select(sizes.toArray(Column[]::new)).first();
    rows(name, !row.isNullAt(0));
    List<Integer> shape = new ArrayList<>();
    for (int i = 0; i < sizes.size(); i++) {
      shape.add(row.isNullAt(i) ? 0 : row.getInt(i));
    }
    return shape;
  }
}
