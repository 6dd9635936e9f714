package io.fragua.arrow;

import java.util.ArrayList;
import java.util.List;

/** What cannot be read of columns of every kind, and what is said of it and done with it. */
final class InvalidCases {
  private InvalidCases() {}

  /**
   * A value that cannot be read.
   *
   * @param input how its column is read; a name is that of a field in the column
   * @param good what other rows hold
   * @param bad the value
   * @param message of the error, up to the place
   * @param kept what stands in its place where it is no error
   */
  record Bad(InputColumn input, String good, String bad, String message, double... kept) {
    @Override
    public String toString() {
      return input.kind() + " " + bad;
    }
  }

  private static final double F = ColumnCases.FILL; // what stands in for a value
  private static final String NULL = "values must not be null: null";

  /** All cases of invalid values. */
  static List<Bad> bad() {
    List<Bad> all = new ArrayList<>();
    InputColumn scalar = InputColumn.scalar("");
    for (String type :
        List.of(
            "byte", "boolean", "int", "long", "float", "double", "decimal(9,2)", "decimal(30,6)")) {
      all.add(new Bad(scalar, "cast(1 as " + type + ")", "null", NULL, F));
    }
    all.add(new Bad(scalar, "date'2020-01-01'", "null", NULL, F));
    all.add(new Bad(scalar, "timestamp'2020-01-01'", "null", NULL, F));
    all.add(new Bad(scalar, "timestamp_ntz'2020-01-01'", "null", NULL, F));
    String finite = "numbers must be finite in f32: ";
    all.add(new Bad(scalar, "1f", "float('NaN')", finite + "NaN", F));
    all.add(new Bad(scalar, "1D", "double('NaN')", finite + "NaN", F));
    all.add(new Bad(scalar, "1f", "float('Infinity')", finite + "Infinity", F));
    all.add(new Bad(scalar, "1D", "-double('Infinity')", finite + "-Infinity", F));
    all.add(new Bad(scalar, "1D", "1e300D", finite + "1.0E300", F));
    InputColumn field = InputColumn.scalar("x");
    all.add(new Bad(field, "named_struct('x', 1D)", "null", NULL, F));
    all.add(new Bad(field, "named_struct('x', 1D)", "named_struct('x', double(null))", NULL, F));

    InputColumn two = InputColumn.array("", 2);
    String size = "every row must hold 2 numbers: ";
    all.add(new Bad(two, "array(1f, 2f)", "null", NULL, F, F));
    all.add(new Bad(two, "array(1f, 2f)", "array(3f)", size + "1 numbers", 3, F));
    all.add(new Bad(two, "array(1f, 2f)", "array(3f, 4f, 5f)", size + "3 numbers", 3, 4));
    all.add(
        new Bad(
            two, "array(1D, 2D)", "array(1D, double('NaN'))", finite + "NaN at element 1", 1, F));
    all.add(
        new Bad(
            two,
            "array(1, 2)",
            "array(null, 5)",
            "elements must not be null: null at element 0",
            F,
            5));
    InputColumn deep = InputColumn.array("", 2, 2);
    String good = "array(array(1D, 2D), array(3D, 4D))";
    String shape = "every row must have the shape [2, 2]: ";
    all.add(new Bad(deep, good, "null", NULL, F, F, F, F));
    all.add(
        new Bad(deep, good, "array(array(1D), array(3D, 4D))", shape + "1 on axis 1", 1, F, 3, 4));
    all.add(new Bad(deep, good, "array(array(1D, 2D))", shape + "1 on axis 0", 1, 2, F, F));
    all.add(
        new Bad(
            deep,
            good,
            "array(null, array(3D, 4D))",
            "elements must not be null: null on axis 1",
            F,
            F,
            3,
            4));
    all.add(
        new Bad(
            deep,
            good,
            "array(array(1D, 2D), array(double('NaN'), 4D))",
            finite + "NaN at element [1, 0]",
            1,
            2,
            F,
            4));

    InputColumn vector = InputColumn.vector("", 4);
    String four = "every row must hold 4 numbers: ";
    all.add(new Bad(vector, "dense(id)", "null", NULL, F, F, F, F));
    all.add(new Bad(vector, "mixed(1L)", "bad('nan')", finite + "NaN at element 1", 2, F, 0, 0));
    all.add(
        new Bad(
            vector,
            "mixed(1L)",
            "bad('sparse infinity')",
            finite + "-Infinity at element 2",
            0,
            0,
            F,
            1));
    all.add(new Bad(vector, "dense(id)", "bad('short')", four + "2 numbers", 5, 6, F, F));
    all.add(new Bad(vector, "dense(id)", "bad('sparse long')", four + "6 numbers", 0, 8, 0, 0));
    InputColumn matrix = InputColumn.of("", InputColumn.Kind.MATRIX, List.of(2, 3));
    String six = "every row must have the shape [2, 3]: ";
    all.add(new Bad(matrix, "matrix(id)", "null", NULL, F, F, F, F, F, F));
    all.add(new Bad(matrix, "matrix(0L)", "badMatrix('tall')", six + "[3, 2]", 1, 4, F, 2, 5, F));
    all.add(new Bad(matrix, "matrix(2L)", "badMatrix('sparse')", six + "[1, 3]", 0, 9, 0, F, F, F));
    all.add(
        new Bad(
            matrix,
            "matrix(0L)",
            "badMatrix('nan')",
            finite + "NaN at element [1, 1]",
            1,
            2,
            3,
            4,
            F,
            6));

    InputColumn image = InputColumn.of("", InputColumn.Kind.IMAGE, List.of(1, 2, 1));
    String picture = image(1, 2, 0, "X'0102'");
    String pixels = "every row must have the shape [1, 2, 1]: ";
    all.add(new Bad(image, picture, "null", NULL, F, F));
    all.add(new Bad(image, picture, image(2, 1, 0, "X'0304'"), pixels + "[2, 1, 1]", 3, F));
    all.add(
        new Bad(
            image,
            picture,
            image(-1, -1, -1, "X''"),
            "an image must have 8 bits a channel (CV_8U): mode -1",
            F,
            F));
    all.add(
        new Bad(
            image,
            picture,
            image(1, 2, 0, "X'01'"),
            "an image must hold height x width x channels bytes: 1 x 2 x 1 and 1 bytes",
            F,
            F));
    InputColumn bytes = InputColumn.of("", InputColumn.Kind.BYTES, List.of(3));
    all.add(new Bad(bytes, "X'010203'", "null", NULL, F, F, F));
    all.add(
        new Bad(
            bytes, "X'010203'", "X'FF'", "every row must hold 3 numbers: 1 numbers", 255, F, F));

    InputColumn values = InputColumn.sparseValues("", 2);
    String ab = "map('a', 1D, 'b', 2D)";
    all.add(new Bad(values, ab, "null", NULL, 0, 0));
    all.add(
        new Bad(values, ab, "map('c', 1D, 'd', double('NaN'))", finite + "NaN at key \"d\"", 1, 0));
    all.add(
        new Bad(
            values, "map(7, 2)", "map(7, null)", "elements must not be null: null at key 7", 0, 0));
    all.add(
        new Bad(
            values,
            ab,
            "map('a', 1D, 'b', 2D, 'c', 3D)",
            "every row must hold at most 2 pairs: 3 pairs",
            1,
            2));
    InputColumn ids = InputColumn.sparseIds("", 2, Vocabulary.of(new String[] {"a", "b"}, 3));
    all.add(new Bad(ids, ab, "null", NULL, 3, 3));
    all.add(
        new Bad(ids, ab, "map('b', 1D, 'c', 2D)", "keys must be among the 2 known: \"c\"", 5, 3));
    InputColumn index = InputColumn.sparseIds("", 4, Vocabulary.indices(4, 1));
    all.add(
        new Bad(
            index,
            "mixed(id)",
            "bad('sparse long')",
            "every row must have the size 4: size 6",
            3,
            1,
            1,
            1));

    InputColumn text = InputColumn.category("", Vocabulary.of(new String[] {"a", "b"}, 3));
    String known = "values must be among the 2 known: ";
    all.add(new Bad(text, "'b'", "null", NULL, 3));
    all.add(new Bad(text, "'b'", "'ñ'", known + "\"ñ\"", 3));
    InputColumn whole = InputColumn.category("", Vocabulary.of(new long[] {1, 5}, 9));
    all.add(new Bad(whole, "5L", "6L", known + "6", 9));
    all.add(new Bad(whole, "tinyint(5)", "null", NULL, 9));
    all.add(new Bad(whole, "date'1970-01-02'", "date'1970-01-01'", known + "1970-01-01", 9));
    InputColumn binary = InputColumn.category("", Vocabulary.of(new byte[][] {{1}, {-1}}, 0));
    all.add(new Bad(binary, "X'FF'", "X'FE00'", known + "0xfe00", 0));
    all.add(new Bad(binary, "X'FF'", "null", NULL, 0));
    return all;
  }

  private static String image(int height, int width, int mode, String data) {
    int channels = height < 0 ? -1 : 1;
    return String.format(
        "named_struct('origin', '', 'height', %d, 'width', %d, 'nChannels', %d, 'mode', %d, 'data',"
            + " %s)",
        height, width, channels, height < 0 ? -1 : mode, data);
  }
}
