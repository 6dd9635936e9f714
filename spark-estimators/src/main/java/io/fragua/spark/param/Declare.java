package io.fragua.spark.param;

import io.fragua.tensor.Check;
import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.ml.param.BooleanParam;
import org.apache.spark.ml.param.DoubleArrayParam;
import org.apache.spark.ml.param.DoubleParam;
import org.apache.spark.ml.param.IntArrayParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.LongParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.Params;
import org.apache.spark.ml.param.StringArrayParam;
import scala.Function1;

/**
 * Creates the parameters of one stage, each with its range and default. The range is part of the
 * documentation that {@code explainParams} prints and of the error that a wrong value gets.
 */
public final class Declare {
  /** Whether a value lies in a range. Parameters are serializable, so their ranges are. */
  interface Range<T> extends Serializable {
    boolean contains(T value);
  }

  /** Spark's own has no check, and takes anything. */
  private static final class Truth extends BooleanParam {
    private static final long serialVersionUID = 1L;

    private final String who;

    Truth(Params owner, String who, String name, String doc) {
      super(owner, name, doc);
      this.who = who;
    }

    @Override
    public Function1<Object, Object> isValid() {
      return valid(who, "true or false", Boolean.class, v -> true);
    }
  }

  private final Params owner;

  Declare(Params owner) {
    this.owner = owner;
  }

  IntParam integer(String name, String doc, String rule, Range<Integer> range, int preset) {
    IntParam p =
        new IntParam(
            owner,
            name,
            text(doc, rule),
            check(name, rule, Integer.class, v -> range.contains((int) v)));
    owner.setDefault(p, preset);
    return p;
  }

  LongParam integer64(String name, String doc, String rule, long preset) {
    LongParam p =
        new LongParam(owner, name, text(doc, rule), check(name, rule, Long.class, v -> true));
    owner.setDefault(p, preset);
    return p;
  }

  /** A number with which f32 numbers are computed: its range must hold what becomes of it. */
  DoubleParam real(String name, String doc, String rule, Range<Double> range, double preset) {
    DoubleParam p =
        new DoubleParam(
            owner,
            name,
            text(doc, rule),
            check(name, rule, Double.class, v -> range.contains((double) (float) (double) v)));
    owner.setDefault(p, preset);
    return p;
  }

  BooleanParam truth(String name, String doc, boolean preset) {
    BooleanParam p = new Truth(owner, who(name), name, doc);
    owner.setDefault(p, preset);
    return p;
  }

  /** A text; null as preset means that there is no default. */
  Param<String> text(String name, String doc, String rule, Range<String> range, String preset) {
    Param<String> p =
        new Param<>(
            owner.uid(),
            name,
            text(doc, rule),
            check(name, rule, String.class, range),
            String.class);
    if (preset != null) {
      owner.setDefault(p, preset);
    }
    return p;
  }

  /** A column's name, or empty for none where that is allowed. */
  Param<String> column(String name, String doc, boolean mayBeEmpty, String preset) {
    return text(
        name,
        doc,
        mayBeEmpty ? "a column name, or empty for none" : "a column name, not empty",
        v -> mayBeEmpty || !v.isEmpty(),
        preset);
  }

  /** One of a few words. */
  Param<String> choice(String name, String doc, List<String> words, String preset) {
    List<String> known = List.copyOf(words);
    return text(name, doc, "one of " + String.join(", ", known), known::contains, preset);
  }

  StringArrayParam columns(String name, String doc) {
    String rule = "column names, none empty, none twice";
    StringArrayParam p =
        new StringArrayParam(
            owner,
            name,
            text(doc, rule),
            check(
                name,
                rule,
                String[].class,
                v ->
                    Arrays.stream(v).noneMatch(c -> c == null || c.isEmpty())
                        && Arrays.stream(v).distinct().count() == v.length));
    owner.setDefault(p, new String[0]);
    return p;
  }

  IntArrayParam integers(String name, String doc, String rule, Range<int[]> range, int... preset) {
    IntArrayParam p =
        new IntArrayParam(owner, name, text(doc, rule), check(name, rule, int[].class, range));
    owner.setDefault(p, preset);
    return p;
  }

  /** Real numbers without a default. */
  DoubleArrayParam reals(String name, String doc, String rule, Range<double[]> range) {
    return new DoubleArrayParam(
        owner, name, text(doc, rule), check(name, rule, double[].class, range));
  }

  private static String text(String doc, String rule) {
    return doc + " (" + rule + ")";
  }

  private <T> Function1<T, Object> check(
      String name, String rule, Class<?> type, Range<? super T> range) {
    return valid(who(name), rule, type, range);
  }

  private String who(String name) {
    return owner.getClass().getSimpleName() + " " + name;
  }

  /**
   * Spark's own message names neither the range nor a remedy, so the check throws a better one
   * itself instead of answering no. What is set by a parameter's name may be of any type.
   */
  private static <T> Function1<T, Object> valid(
      String who, String rule, Class<?> type, Range<? super T> range) {
    return (Function1<T, Object> & Serializable)
        v -> {
          Check.that(
              v == null || type.isInstance(v),
              "%s: must be of type %s: %s of another type; set another value",
              who,
              type.getSimpleName(),
              print(v));
          Check.that(
              v != null && range.contains(v),
              "%s: must be %s: %s; set another value",
              who,
              rule,
              print(v));
          return true;
        };
  }

  /** The value, of an array a copy. */
  @SuppressWarnings("unchecked")
  static <T> T copy(T v) {
    Object copy = v;
    if (v instanceof int[] a) {
      copy = a.clone();
    } else if (v instanceof double[] a) {
      copy = a.clone();
    } else if (v instanceof String[] a) {
      copy = a.clone();
    }
    return (T) copy;
  }

  /** A value as errors show it. */
  public static String print(Object v) {
    if (v instanceof int[] a) {
      return Arrays.toString(a);
    }
    if (v instanceof double[] a) {
      return Arrays.toString(a);
    }
    if (v instanceof String[] a) {
      return Arrays.toString(a);
    }
    return v instanceof String s ? '"' + s + '"' : String.valueOf(v);
  }
}
