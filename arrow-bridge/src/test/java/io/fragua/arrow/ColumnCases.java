package io.fragua.arrow;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.expr;
import static org.apache.spark.sql.functions.udf;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF1;

/**
 * Columns of every kind, and what each row of them should become: the cases of the reader tests.
 */
final class ColumnCases {
  /** What a null becomes in these cases. */
  static final double FILL = 7;

  private ColumnCases() {}

  /**
   * One column.
   *
   * @param sql its value in terms of {@code id}; may be null
   * @param whole whether an i32 tile takes it too
   */
  record Case(
      String name, InputColumn.Kind kind, int width, Vocabulary words, String sql, boolean whole) {
    InputColumn input() {
      return new InputColumn(name, kind, width, words);
    }

    /** What a row's value should become, element by element. */
    double expected(Object value, int element, boolean f32) {
      double v =
          switch (kind) {
            case SCALAR -> value == null ? FILL : number(value);
            case ARRAY -> {
              Object e = value == null ? null : ((scala.collection.Seq<?>) value).apply(element);
              yield e == null ? FILL : number(e);
            }
            case VECTOR -> value == null ? FILL : ((Vector) value).apply(element);
            case CATEGORY -> id(value);
          };
      return f32 ? (float) v : v;
    }

    private int id(Object value) {
      if (value == null) {
        return words.offset();
      }
      int at =
          words.isText()
              ? List.of(words.strings()).indexOf((String) value)
              : LongStream.of(words.longs()).boxed().toList().indexOf((long) number(value));
      return words.offset() + 1 + at;
    }

    private static double number(Object v) {
      return v instanceof Boolean b ? (b ? 1 : 0) : ((Number) v).doubleValue();
    }
  }

  private static final String FEW = "(id % 13 - 5)"; // written with a dictionary
  private static final String MANY = "(id * 7919 % 100003 - 50000)"; // written without

  private static void scalar(List<Case> into, String type, String value, boolean whole) {
    String name = type.replaceAll("\\W", "_") + (value.equals(FEW) ? "_few" : "_many");
    into.add(
        new Case(
            name, InputColumn.Kind.SCALAR, 1, null, "cast(" + value + " as " + type + ")", whole));
  }

  /** All cases; with nulls every third row or so is null, and so are some elements of arrays. */
  static List<Case> all(boolean nulls) {
    List<Case> base = new ArrayList<>();
    for (String value : List.of(FEW, MANY)) {
      for (String type : List.of("short", "int", "long")) {
        if (!type.equals("short") || value.equals(FEW)) {
          scalar(base, type, value, true);
        }
      }
      for (String type :
          List.of("float", "double", "decimal(9,2)", "decimal(18,4)", "decimal(30,6)")) {
        scalar(base, type, value, false);
      }
    }
    scalar(base, "byte", FEW, true);
    scalar(base, "boolean", FEW, true);
    for (String type :
        List.of("float", "double", "int", "long", "short", "boolean", "decimal(12,2)")) {
      boolean whole = List.of("int", "long", "short", "boolean").contains(type);
      String name = type.replaceAll("\\W", "_");
      base.add(
          new Case(
              "array_" + name,
              InputColumn.Kind.ARRAY,
              3,
              null,
              "cast(array(id % 5, "
                  + (nulls ? "if(id % 4 = 0, null, id % 3)" : "id % 3")
                  + ", id % 100) as array<"
                  + type
                  + ">)",
              whole));
    }
    base.add(new Case("dense", InputColumn.Kind.VECTOR, 4, null, "dense(id)", false));
    base.add(new Case("mixed", InputColumn.Kind.VECTOR, 4, null, "mixed(id)", false));
    String[] few = IntStream.range(0, 8).mapToObj(i -> "v" + i).toArray(String[]::new);
    String[] many =
        IntStream.range(0, 3000).mapToObj(i -> "a longer value " + (i * 3)).toArray(String[]::new);
    base.add(category("text_few", Vocabulary.of(few, 0), "concat('v', id % 11)"));
    base.add(category("text_many", Vocabulary.of(many, 100), "concat('a longer value ', id)"));
    base.add(
        category(
            "text_odd",
            Vocabulary.of(new String[] {"", "ñandú", "日本", "12345678", "123456789"}, 3),
            "element_at(array('', 'ñandú', '日本', '12345678', '123456789', 'no', '1234567'), cast(id"
                + " % 7 + 1 as int))"));
    base.add(category("text_none", Vocabulary.of(new String[0], 2), "concat('v', id % 11)"));
    base.add(
        category("int_few", Vocabulary.of(new long[] {3, -1, 0}, 1), "cast(id % 6 - 2 as int)"));
    base.add(category("byte_few", Vocabulary.of(new long[] {3, 1}, 0), "cast(id % 6 as byte)"));
    base.add(category("short_few", Vocabulary.of(new long[] {3, 1}, 0), "cast(id % 6 as short)"));
    base.add(category("bool", Vocabulary.of(new long[] {1}, 0), "id % 3 = 0"));
    base.add(
        category(
            "long_many",
            Vocabulary.of(LongStream.range(0, 2000).map(i -> i * 5_000_000_000L).toArray(), 10),
            "id * 1000000000"));
    return !nulls ? base : base.stream().map(ColumnCases::sometimesNull).toList();
  }

  private static Case category(String name, Vocabulary v, String sql) {
    return new Case("cat_" + name, InputColumn.Kind.CATEGORY, 1, v, sql, true);
  }

  private static Case sometimesNull(Case c) {
    return new Case(
        c.name, c.kind, c.width, c.words, "if(id % 3 = 1, null, " + c.sql + ")", c.whole);
  }

  /** The cases as a data set with {@code id} in front, one partition. */
  static Dataset<Row> data(List<Case> cases, long rows) {
    var spark = Session.get();
    UDF1<Long, Vector> dense = id -> Vectors.dense(id % 5, id % 3, -id, id * 0.25);
    UDF1<Long, Vector> mixed =
        id ->
            id % 2 == 0
                ? Vectors.dense(id, 1, 2, 3)
                : Vectors.sparse(4, new int[] {1, 3}, new double[] {id, 0.5});
    spark.udf().register("dense", udf(dense, SQLDataTypes.VectorType()));
    spark.udf().register("mixed", udf(mixed, SQLDataTypes.VectorType()));
    List<Column> columns = new ArrayList<>(List.of(col("id")));
    cases.forEach(c -> columns.add(expr(c.sql).as(c.name)));
    return spark.range(0, rows, 1, 1).select(columns.toArray(Column[]::new));
  }
}
