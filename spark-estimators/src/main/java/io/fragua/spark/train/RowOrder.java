package io.fragua.spark.train;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructType;

/**
 * An order of rows that follows from what they hold, however the data set is partitioned: a hash
 * says in which partition a row lies, and a second where in it. Equal rows stand side by side.
 */
public final class RowOrder {
  private RowOrder() {}

  /**
   * The rows in that order, in so many partitions; all columns are kept.
   *
   * @param columns that decide the order
   */
  public static Dataset<Row> arrange(Dataset<?> data, List<Column> columns, int partitions) {
    // 128 bits together: rows that differ have the same of both only by an impossible chance.
    Column first = hash(data, columns, 1);
    Column second = hash(data, columns, 2);
    return data.toDF().repartition(partitions, first).sortWithinPartitions(first, second);
  }

  /**
   * A condition that holds for about this share of the rows and follows from what they hold.
   *
   * @param columns that decide
   */
  public static Column share(Dataset<?> data, List<Column> columns, long seed, double share) {
    Column number = functions.shiftrightunsigned(hash(data, columns, seed), 11); // 53 bits
    return number.lt(functions.lit(share * 0x1p53));
  }

  private static Column hash(Dataset<?> data, List<Column> columns, long salt) {
    StructType types = data.select(columns.toArray(Column[]::new)).schema();
    List<Column> parts = new ArrayList<>(List.of(functions.lit(salt)));
    for (int i = 0; i < columns.size(); i++) {
      parts.add(hashable(columns.get(i), types.fields()[i].dataType()));
    }
    return functions.xxhash64(parts.toArray(Column[]::new));
  }

  /** Spark does not hash maps, whose entries have no order. */
  private static Column hashable(Column c, DataType type) {
    return type instanceof MapType ? functions.array_sort(functions.map_entries(c)) : c;
  }
}
