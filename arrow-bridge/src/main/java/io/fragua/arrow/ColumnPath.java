package io.fragua.arrow;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.catalyst.analysis.UnresolvedAttribute$;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.internal.SQLConf;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import scala.Option;

/**
 * Finds columns by name. A name is that of a column of the data set, whatever characters it has, or
 * else one as in Spark SQL: {@code a.b.c} or {@code a.`b.c`} of a field in a struct, or {@code
 * `a.b`} of a column. Letters of another case fit if only one name fits so, unless {@code
 * spark.sql.caseSensitive} is set.
 */
public final class ColumnPath {
  private ColumnPath() {}

  /**
   * The field of this name.
   *
   * @return null if there is none; nullable if a struct around it is
   */
  public static StructField find(StructType schema, String name) {
    List<StructField> path = path(schema, name);
    if (path == null || path.size() == 1) {
      return path == null ? null : path.get(0);
    }
    StructField last = path.get(path.size() - 1);
    boolean nullable = path.stream().anyMatch(StructField::nullable);
    return new StructField(last.name(), last.dataType(), nullable, last.metadata());
  }

  /**
   * The column of this name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static Column column(StructType schema, String name) {
    return functions.col(resolved(schema, name));
  }

  /**
   * One name for all spellings of a column: its path in quotes, with the letters of the schema.
   *
   * @throws IllegalArgumentException if there is no such column
   */
  public static String resolved(StructType schema, String name) {
    List<StructField> path = path(schema, name);
    io.fragua.tensor.Check.that(
        path != null,
        "column \"%s\": must be there: it is not among %s; correct the name",
        name,
        List.of(schema.fieldNames()));
    return path.stream().map(f -> quoted(f.name())).collect(Collectors.joining("."));
  }

  /**
   * A name for a column to be added: this one, or a longer one if some column has it in any case.
   */
  public static String free(StructType schema, String name) {
    boolean taken = Arrays.stream(schema.fieldNames()).anyMatch(name::equalsIgnoreCase);
    return taken ? free(schema, name + "_") : name;
  }

  /** Whether the name is no column's own: that of a field in a struct, or one in quotes. */
  static boolean isPath(StructType schema, String name) {
    return field(schema, name) == null && path(schema, name) != null;
  }

  private static String quoted(String name) {
    return "`" + name.replace("`", "``") + "`";
  }

  /** From the column of the data set to the field; null if there is none. */
  private static List<StructField> path(StructType schema, String name) {
    StructField top = field(schema, name);
    if (top != null) {
      return List.of(top);
    }
    List<StructField> path = new ArrayList<>();
    for (String part : parts(name)) {
      StructType in = schema;
      if (!path.isEmpty()) {
        if (!(path.get(path.size() - 1).dataType() instanceof StructType s)) {
          return null;
        }
        in = s;
      }
      StructField f = field(in, part);
      if (f == null) {
        return null;
      }
      path.add(f);
    }
    return path.isEmpty() ? null : path;
  }

  /** A dotted name's parts; none if its quotes do not close, which no column's name does either. */
  static List<String> parts(String name) {
    long quotes = name.chars().filter(c -> c == '`').count();
    return quotes % 2 == 1 || name.isEmpty() || name.startsWith(".") || name.endsWith(".")
        ? List.of()
        : ScalaLists.list(UnresolvedAttribute$.MODULE$.parseAttributeName(name));
  }

  private static StructField field(StructType schema, String name) {
    Option<Object> exact = schema.getFieldIndex(name);
    if (exact.isDefined()) {
      return schema.fields()[(Integer) exact.get()];
    }
    if (SQLConf.get().caseSensitiveAnalysis()) {
      return null;
    }
    StructField same = null;
    for (StructField f : schema.fields()) {
      if (f.name().equalsIgnoreCase(name)) {
        if (same != null) {
          return null;
        }
        same = f;
      }
    }
    return same;
  }
}
