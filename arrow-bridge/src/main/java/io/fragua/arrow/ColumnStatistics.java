package io.fragua.arrow;

import io.fragua.tensor.Check;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructType;

/**
 * Statistics and distinct values of columns, in one pass over the columns that are asked for. The
 * distinct values come in ascending order, whatever the partitions; sums depend on the partitions
 * in the last bits only.
 */
public final class ColumnStatistics {
  /** How many distinct values a column may have unless said otherwise. */
  public static final int MAX_CATEGORIES = 10_000_000;

  private ColumnStatistics() {}

  /**
   * What to find out about a column.
   *
   * @param categories its distinct values and how often each occurs; for strings, integers,
   *     booleans, dates and binaries
   * @param numeric mean, deviation, least and largest; for what is read as {@link
   *     InputColumn.Kind#SCALAR}
   * @param weight another column that is asked for as a number, which says how much each row adds
   *     to the count of its distinct value; null for 1
   */
  public record Request(String column, boolean categories, boolean numeric, String weight)
      implements Serializable {
    /** Whose rows all count 1. */
    public Request(String column, boolean categories, boolean numeric) {
      this(column, categories, numeric, null);
    }
  }

  /**
   * What was found out about a column. Mean and deviation are over the values that are finite in
   * f32, as tiles read them, least and largest over all that are finite; NaN if there are none or
   * they were not asked for.
   *
   * @param count rows
   * @param nulls rows with null
   * @param nans rows with NaN or an infinity
   * @param mean arithmetic mean
   * @param std sample standard deviation (n - 1); 0 for a single value
   * @param min the least
   * @param max the largest
   * @param strings the distinct strings in order of their UTF-8 bytes; null for other columns
   * @param binaries the distinct binaries in order of their bytes, unsigned; null for other columns
   * @param longs the distinct integers in ascending order; null for other columns
   * @param counts how often each distinct value occurs, or the sum of its rows' weights; null if
   *     not asked for
   * @param firstInvalid says what and where the first null, NaN or infinity is, by partition and
   *     row; null if there is none
   * @param firstPlace where that is
   * @param minPlace where the least is, the first of several; null if there is none
   * @param maxPlace where the largest is
   */
  public record Column(
      long count,
      long nulls,
      long nans,
      double mean,
      double std,
      double min,
      double max,
      String[] strings,
      byte[][] binaries,
      long[] longs,
      double[] counts,
      String firstInvalid,
      String firstPlace,
      String minPlace,
      String maxPlace) {

    /** The distinct values as a vocabulary; for columns whose categories were asked for. */
    public Vocabulary vocabulary(int offset) {
      return strings != null
          ? Vocabulary.of(strings, offset)
          : binaries != null ? Vocabulary.of(binaries, offset) : Vocabulary.of(longs, offset);
    }
  }

  /** As {@link #collect(Dataset, List, int)} with {@link #MAX_CATEGORIES}. */
  public static Map<String, Column> collect(Dataset<?> data, List<Request> requests) {
    return collect(data, requests, MAX_CATEGORIES);
  }

  /**
   * Runs one job over the columns that were asked for.
   *
   * @param maxCategories the most distinct values a column may have
   * @return by column name, in the order of the requests
   * @throws IllegalArgumentException if a column is missing or of a wrong type
   */
  public static Map<String, Column> collect(
      Dataset<?> data, List<Request> requests, int maxCategories) {
    StructType schema = data.schema();
    Map<String, ColumnAccumulator> all = new LinkedHashMap<>();
    List<Vocabulary.Type> types = new ArrayList<>();
    for (Request r : requests) {
      Vocabulary.Type type = check(schema, r);
      types.add(type);
      Check.that(
          all.put(r.column(), new ColumnAccumulator(r, type, maxCategories)) == null,
          "column %s: a column is asked for once: it is twice; merge the requests",
          r.column());
    }
    List<String> columns = List.copyOf(all.keySet());
    Dataset<Row> parts =
        ColumnarMap.replace(
            data,
            columns,
            StatisticsFunction.SCHEMA,
            new StatisticsFunction(requests, types, maxCategories),
            "statistics");
    for (Row part : Shuffles.collected(parts)) {
      all.get(columns.get(part.getInt(0))).merge((byte[]) part.get(1));
    }
    Map<String, Column> results = new LinkedHashMap<>();
    all.forEach((name, a) -> results.put(name, a.result()));
    return results;
  }

  /** Checks the column's type and says of which type its distinct values are. */
  private static Vocabulary.Type check(StructType schema, Request r) {
    DataType t = ColumnTypes.field(schema, "statistics", r.column()).dataType();
    Vocabulary.Type type = Vocabulary.Type.of(t);
    Check.that(
        !r.categories() || type != null,
        "column %s: a categorical column must be a string, an integer, a boolean, a date or binary:"
            + " it is %s; cast it or choose another column",
        r.column(),
        t.simpleString());
    Check.that(
        !r.numeric() || ColumnTypes.isScalar(t),
        "column %s: a numeric column must be a number, boolean, date or timestamp: it is %s; cast"
            + " it or choose another column",
        r.column(),
        t.simpleString());
    return type;
  }
}
