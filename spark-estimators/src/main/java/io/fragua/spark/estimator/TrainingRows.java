package io.fragua.spark.estimator;

import io.fragua.arrow.ColumnPath;
import io.fragua.arrow.InputColumn;
import io.fragua.arrow.TileSpec;
import io.fragua.spark.param.EstimatorSetters;
import io.fragua.spark.train.RowOrder;
import io.fragua.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructType;

/**
 * Which rows and columns of a data set a training reads.
 *
 * @param params of the estimator
 * @param shards parts of a batch that {@code deterministic} sums in a fixed order
 */
record TrainingRows(EstimatorSetters<?> params, int shards) {
  /**
   * Without the rows that {@code handleInvalid} skips.
   *
   * @param numbers columns of numbers
   */
  Dataset<?> valid(Dataset<?> dataset, List<InputColumn> numbers) {
    if (!params.getHandleInvalid().equals("skip")) {
      return dataset;
    }
    Dataset<?> rows = dataset;
    for (String c : params.getCategoricalCols()) { // any other value is one that fit sees
      rows = rows.filter(ColumnPath.column(rows.schema(), c).isNotNull());
    }
    List<TileSpec> read = new ArrayList<>();
    if (!numbers.isEmpty()) {
      read.add(Tiles.numbers("x", numbers, false));
    }
    read.addAll(labels(0));
    return ofOneSize(TileSpec.withoutInvalid(rows, read), numbers);
  }

  /** Without vectors of pairs of another size; the size is that of rows that are valid else. */
  private static Dataset<?> ofOneSize(Dataset<?> rows, List<InputColumn> numbers) {
    List<InputColumn> vectors = new ArrayList<>();
    for (InputColumn c : numbers) {
      String name = c.name();
      if (c.kind() == InputColumn.Kind.SPARSE_VALUES
          && !(ColumnPath.find(rows.schema(), name).dataType() instanceof MapType)) {
        vectors.add(InputColumn.sparseIds(name, c.width(), Statistics.indices(rows, name, 0)));
      }
    }
    return vectors.isEmpty()
        ? rows
        : TileSpec.withoutInvalid(
            rows, List.of(new TileSpec("sparse_ids", DType.I32, vectors, false)));
  }

  /** The rows in the order that {@code deterministic} needs. */
  Dataset<?> inOrder(Dataset<?> rows) {
    if (!params.getDeterministic()) {
      return rows;
    }
    List<Column> columns = used(rows.schema());
    if (!params.getValidationIndicatorCol().isEmpty()) {
      columns.add(ColumnPath.column(rows.schema(), params.getValidationIndicatorCol()));
    }
    return RowOrder.arrange(rows, columns, shards);
  }

  /** All columns that a training reads but the one that says which rows are for validation. */
  private List<Column> used(StructType schema) {
    List<Column> columns = new ArrayList<>();
    usedNames().forEach(n -> columns.add(ColumnPath.column(schema, n)));
    return columns;
  }

  private List<String> usedNames() {
    List<String> names = SchemaChecks.inputs(params);
    names.add(params.getLabelCol());
    if (!params.getWeightCol().isEmpty() && !names.contains(params.getWeightCol())) {
      names.add(params.getWeightCol());
    }
    return names;
  }

  /** What is read into each tile. */
  List<TileSpec> tiles(Statistics.Learnt learnt) {
    List<TileSpec> tiles = Tiles.inputs(learnt.data(), params.getHandleInvalid());
    tiles.addAll(labels(learnt.data().labelMean()));
    return tiles;
  }

  /** The label, less this number, and, if rows have weights, theirs. */
  private List<TileSpec> labels(double origin) {
    TileSpec label = Tiles.single("label", params.getLabelCol(), origin);
    return params.getWeightCol().isEmpty()
        ? List.of(label)
        : List.of(label, Tiles.single("weight", params.getWeightCol(), 0));
  }

  /** A name for the column that says which rows are for validation; null without such rows. */
  String validationColumn(StructType schema) {
    if (params.getValidationIndicatorCol().isEmpty() && params.getValidationFraction() == 0) {
      return null;
    }
    return ColumnPath.free(schema, "validation");
  }

  /** The rows to train on, with nothing but the columns that are needed. */
  Dataset<?> training(Dataset<?> rows, String validation) {
    StructType schema = rows.schema();
    List<String> names = usedNames();
    List<Column> columns = used(schema);
    for (int i = 0; i < names.size(); i++) {
      columns.set(i, columns.get(i).as(names.get(i))); // fields of structs become columns
    }
    if (validation != null) {
      Column held =
          params.getValidationIndicatorCol().isEmpty()
              // by content: recomputed partitions have their rows in another order after a shuffle
              ? RowOrder.share(rows, used(schema), params.getSeed(), params.getValidationFraction())
              : functions.coalesce(
                  ColumnPath.column(schema, params.getValidationIndicatorCol()),
                  functions.lit(false));
      columns.add(held.as(validation));
    }
    return rows.select(columns.toArray(Column[]::new));
  }
}
