package io.fragua.arrow;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.expr;
import static org.apache.spark.sql.functions.udf;

import java.sql.Date;
import java.sql.Timestamp;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.apache.spark.ml.linalg.DenseMatrix;
import org.apache.spark.ml.linalg.Matrix;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.SparseMatrix;
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
   * @param input how it is read; a dotted name is a field of a struct
   * @param sql its value in terms of {@code id}; may be null
   * @param whole whether an i32 tile takes it too
   */
  record Case(InputColumn input, String sql, boolean whole) {
    String name() {
      return input.name();
    }

    int width() {
      return input.width();
    }

    /** Whether an f32 tile takes it. */
    boolean real() {
      return input.kind() != InputColumn.Kind.SPARSE_IDS;
    }

    /** What a row's value should become, element by element. */
    double expected(Object value, int element, boolean f32) {
      if (input.kind() == InputColumn.Kind.SPARSE_IDS
          || input.kind() == InputColumn.Kind.SPARSE_VALUES) {
        return pair(value, element);
      }
      double v =
          input.kind() == InputColumn.Kind.CATEGORY
              ? id(value, input.vocabulary())
              : value == null ? FILL : number(value, element);
      return f32 ? (float) v : v;
    }

    private double number(Object value, int element) {
      return switch (input.kind()) {
        case SCALAR -> scalar(value);
        case ARRAY -> {
          Object e = value;
          int rest = element;
          int stride = width();
          for (int n : input.shape()) {
            stride /= n;
            e = e == null ? null : ((scala.collection.Seq<?>) e).apply(rest / stride);
            rest %= stride;
          }
          yield e == null ? FILL : scalar(e);
        }
        case VECTOR -> ((Vector) value).apply(element);
        case MATRIX -> {
          int columns = input.shape().get(1);
          yield ((Matrix) value).apply(element / columns, element % columns);
        }
        case IMAGE -> ((Row) value).<byte[]>getAs("data")[element] & 0xFF;
        case BYTES -> ((byte[]) value)[element] & 0xFF;
        default -> throw new IllegalArgumentException("what is named has an id");
      };
    }

    private double pair(Object value, int slot) {
      boolean ids = input.vocabulary() != null;
      Object key = null;
      double number = 0;
      if (value instanceof Vector v) {
        var sparse = v.toSparse();
        if (slot < sparse.indices().length) {
          key = sparse.indices()[slot];
          number = sparse.values()[slot];
        }
      } else if (value instanceof scala.collection.Map<?, ?> m && slot < m.size()) {
        var pair = (scala.Tuple2<?, ?>) m.toSeq().apply(slot);
        key = pair._1();
        number = scalar(pair._2());
      }
      return !ids ? (float) number : id(key, input.vocabulary());
    }

    private static int id(Object value, Vocabulary words) {
      if (value == null) {
        return words.offset();
      }
      int at =
          switch (words.type()) {
            case INDEX -> (int) value < words.size() - 1 ? (int) value : -1;
            case TEXT -> List.of(words.strings()).indexOf((String) value);
            case BINARY ->
                IntStream.range(0, words.size() - 1)
                    .filter(i -> Arrays.equals(words.binaries()[i], (byte[]) value))
                    .findFirst()
                    .orElse(-1);
            case WHOLE ->
                LongStream.of(words.longs()).boxed().toList().indexOf((long) scalar(value));
          };
      return words.offset() + 1 + at;
    }

    private static double scalar(Object v) {
      if (v instanceof Date d) {
        return d.toLocalDate().toEpochDay();
      }
      if (v instanceof Timestamp t) {
        return (Math.floorDiv(t.getTime(), 1000L) * 1_000_000 + t.getNanos() / 1000) / 1e6;
      }
      if (v instanceof LocalDateTime t) {
        return (t.toEpochSecond(ZoneOffset.UTC) * 1_000_000 + t.getNano() / 1000) / 1e6;
      }
      return v instanceof Boolean b ? (b ? 1 : 0) : ((Number) v).doubleValue();
    }
  }

  private static final String FEW = "(id % 13 - 5)"; // written with a dictionary
  private static final String MANY = "(id * 7919 % 100003 - 50000)"; // written without

  private static void scalar(List<Case> into, String type, String value, boolean whole) {
    String name = type.replaceAll("\\W", "_") + (value.equals(FEW) ? "_few" : "_many");
    into.add(new Case(InputColumn.scalar(name), "cast(" + value + " as " + type + ")", whole));
  }

  private static void times(List<Case> into, String value) {
    String name = value.equals(FEW) ? "_few" : "_many";
    into.add(
        new Case(
            InputColumn.scalar("date" + name), "date_add('1970-01-02', int" + value + ")", false));
    for (String type : List.of("timestamp", "timestamp_ntz")) {
      into.add(
          new Case(
              InputColumn.scalar(type + name),
              "cast(timestamp_micros(" + value + " * 86400000001) as " + type + ")",
              false));
    }
  }

  private static void pairs(List<Case> into, String name, String sql, int slots, Vocabulary known) {
    String typed = name.equals("map_none") ? "cast(" + sql + " as map<string, double>)" : sql;
    into.add(new Case(InputColumn.sparseIds(name + "_ids", slots, known), typed, true));
    into.add(new Case(InputColumn.sparseValues(name + "_values", slots), typed, false));
  }

  private static Case nested(String name, InputColumn of, String sql, boolean whole) {
    return new Case(of.withName("nest." + name), sql, whole);
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
          List.of(
              "float",
              "double",
              "decimal(9,2)",
              "decimal(18,4)",
              "decimal(30,6)",
              "decimal(38,24)")) {
        scalar(base, type, value, false);
      }
      times(base, value);
    }
    scalar(base, "byte", FEW, true);
    scalar(base, "boolean", FEW, true);
    for (String type :
        List.of("float", "double", "int", "long", "short", "boolean", "decimal(12,2)")) {
      boolean whole = List.of("int", "long", "short", "boolean").contains(type);
      String name = type.replaceAll("\\W", "_");
      base.add(
          new Case(
              InputColumn.array("array_" + name, 3),
              "cast(array(id % 5, "
                  + (nulls ? "if(id % 4 = 0, null, id % 3)" : "id % 3")
                  + ", id % 100) as array<"
                  + type
                  + ">)",
              whole));
    }
    String deep =
        "array(array(id % 5, "
            + (nulls ? "if(id % 4 = 0, null, id % 3)" : "id % 3")
            + ", 2), "
            + (nulls ? "if(id % 5 = 0, null, array(id, -id, 7))" : "array(id, -id, 7)")
            + ")";
    base.add(new Case(InputColumn.array("matrix_long", 2, 3), deep, true));
    base.add(
        new Case(
            InputColumn.array("deep_double", 2, 2, 3),
            "cast(array(" + deep + ", " + deep + ") as array<array<array<double>>>)",
            false));
    base.add(new Case(InputColumn.vector("dense", 4), "dense(id)", false));
    base.add(new Case(InputColumn.vector("mixed", 4), "mixed(id)", false));
    base.add(
        new Case(
            InputColumn.of("matrix", InputColumn.Kind.MATRIX, List.of(2, 3)), "matrix(id)", false));
    base.add(
        new Case(
            InputColumn.of("image", InputColumn.Kind.IMAGE, List.of(2, 1, 3)),
            "named_struct('origin', 'a', 'height', 2, 'width', 1, 'nChannels', 3, 'mode', 16,"
                + " 'data', unhex(concat('00FF80', lpad(hex(id), 6, '0'))))",
            false));
    base.add(
        new Case(
            InputColumn.of("bytes", InputColumn.Kind.BYTES, List.of(2, 2)),
            "unhex(lpad(hex(id * 65537), 8, 'F'))",
            false));
    base.add(
        new Case(
            InputColumn.of("bytes_few", InputColumn.Kind.BYTES, List.of(3)),
            "if(id % 2 = 0, X'0102FF', X'7F8081')",
            false));
    Vocabulary words = Vocabulary.of(new String[] {"k1", "k2", "k12"}, 5);
    pairs(base, "map", "map('k' || id % 4, id * 0.5, 'k1' || id % 7, 1.25)", 3, words);
    String whole = "map(cast(id % 5 as short), cast(id as int), 9S, 7, -1S, -id % 3)";
    pairs(base, "map_short", whole, 4, Vocabulary.of(new long[] {9, 2}, 0));
    pairs(base, "map_none", "map_from_arrays(array(), array())", 1, words);
    pairs(base, "pairs", "mixed(id)", 4, Vocabulary.indices(4, 1));
    base.add(nested("n", InputColumn.scalar(""), "id * 0.5D", false));
    base.add(nested("list", InputColumn.array("", 2), "array(id, 3)", true));
    base.add(nested("in.vector", InputColumn.vector("", 4), "mixed(id)", false));
    base.add(
        nested(
            "in.`dotted.name`",
            category("", Vocabulary.of(new String[] {"v1", "v7"}, 2), "").input(),
            "concat('v', id % 11)",
            true));
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
    base.add(
        category(
            "binary",
            Vocabulary.of(new byte[][] {{-1}, {1, 2}}, 4),
            "element_at(array(X'0102', X'FF', X'', X'01'), int(id % 4 + 1))"));
    base.add(
        category(
            "date",
            Vocabulary.of(new long[] {0, -3, 11}, 1),
            "date_add('1970-01-01', int(id % 13 - 4))"));
    return !nulls ? base : base.stream().map(ColumnCases::sometimesNull).toList();
  }

  private static Case category(String name, Vocabulary v, String sql) {
    return new Case(InputColumn.category("cat_" + name, v), sql, true);
  }

  private static Case sometimesNull(Case c) {
    return new Case(c.input, "if(id % 3 = 1, null, " + c.sql + ")", c.whole);
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
    UDF1<Long, Matrix> matrix =
        id ->
            switch ((int) (id % 4)) {
              case 0 -> new DenseMatrix(2, 3, new double[] {id, 1, 2, 3, 4, 5});
              case 1 -> new DenseMatrix(2, 3, new double[] {id, 1, 2, 3, 4, 5}, true);
              case 2 -> SparseMatrix.fromCOO(2, 3, coo(1, 2, id));
              default -> new DenseMatrix(2, 3, new double[] {0, id, 0, 0, 8, 0}).toSparseRowMajor();
            };
    spark.udf().register("dense", udf(dense, SQLDataTypes.VectorType()));
    spark.udf().register("mixed", udf(mixed, SQLDataTypes.VectorType()));
    UDF1<String, Vector> bad =
        what ->
            switch (what) {
              case "nan" -> Vectors.dense(2, Double.NaN, 0, 0);
              case "short" -> Vectors.dense(5, 6);
              case "sparse long" -> Vectors.sparse(6, new int[] {1, 5}, new double[] {8, 9});
              default ->
                  Vectors.sparse(4, new int[] {2, 3}, new double[] {Double.NEGATIVE_INFINITY, 1});
            };
    UDF1<String, Matrix> badMatrix =
        what ->
            switch (what) {
              case "tall" -> new DenseMatrix(3, 2, new double[] {1, 2, 3, 4, 5, 6});
              case "sparse" -> SparseMatrix.fromCOO(1, 3, coo(0, 1, 9));
              default -> new DenseMatrix(2, 3, new double[] {1, 4, 2, Double.NaN, 3, 6});
            };
    spark.udf().register("bad", udf(bad, SQLDataTypes.VectorType()));
    spark.udf().register("badMatrix", udf(badMatrix, SQLDataTypes.MatrixType()));
    spark.udf().register("matrix", udf(matrix, SQLDataTypes.MatrixType()));
    List<Column> columns = new ArrayList<>(List.of(col("id")));
    List<Case> flat = cases.stream().filter(c -> !c.name().startsWith("nest.")).toList();
    flat.forEach(c -> columns.add(expr(c.sql).as(c.name())));
    if (flat.size() < cases.size()) {
      boolean nulls = cases.stream().anyMatch(c -> c.sql.startsWith("if(id % 3 = 1, null"));
      columns.add(expr(nest(cases, nulls)).as("nest"));
    }
    return spark.range(0, rows, 1, 1).select(columns.toArray(Column[]::new));
  }

  /** A struct with a struct in it, of all cases with dotted names; both null in some rows. */
  private static String nest(List<Case> cases, boolean nulls) {
    StringBuilder outer = new StringBuilder();
    StringBuilder inner = new StringBuilder();
    for (Case c : cases) {
      if (c.name().startsWith("nest.in.")) {
        String name = c.name().substring(8).replace("`", "");
        inner.append(", '").append(name).append("', ").append(c.sql);
      } else if (c.name().startsWith("nest.")) {
        outer.append(", '").append(c.name().substring(5)).append("', ").append(c.sql);
      }
    }
    String in = "named_struct(" + inner.substring(2) + ")";
    String out =
        "named_struct('in', " + (nulls ? "if(id % 7 = 2, null, " + in + ")" : in) + outer + ")";
    return nulls ? "if(id % 5 = 3, null, " + out + ")" : out;
  }

  private static scala.collection.Iterable<scala.Tuple3<Object, Object, Object>> coo(
      int i, int j, double v) {
    return scala.jdk.javaapi.CollectionConverters.asScala(
        List.of(new scala.Tuple3<Object, Object, Object>(i, j, v)));
  }
}
