package io.fragua.arrow;

import java.util.Arrays;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarArray;
import org.apache.spark.sql.vectorized.ColumnarMap;

/**
 * A map or a Spark ML vector as pairs of an id and a value, in so many slots a row. One tile has
 * the ids, another the values; both read the pairs of a row in the same order. Slots that a row
 * does not fill have the id of the unseen and the value 0.
 */
final class SparseColumn extends TileColumn {
  private final int slots;
  private final Vocabulary vocabulary; // null where the values are read
  private final Pairs pairs = new Pairs();
  private float[] floats;
  private int[] ints;

  SparseColumn(Spec spec) {
    super(spec);
    slots = column.width();
    vocabulary = column.vocabulary();
  }

  /** Whether a type holds pairs of keys and numbers. */
  static boolean isSparse(DataType t) {
    return MlVectors.isVector(t) || t instanceof MapType m && ColumnTypes.isNumber(m.valueType());
  }

  /** Of which type the keys are; null for a type without pairs. */
  static Vocabulary.Type keys(DataType t) {
    if (!isSparse(t)) {
      return null;
    }
    if (!(t instanceof MapType m)) {
      return Vocabulary.Type.INDEX;
    }
    return ColumnTypes.isText(m.keyType())
        ? Vocabulary.Type.TEXT
        : ColumnTypes.isIntegral(m.keyType()) ? Vocabulary.Type.WHOLE : null;
  }

  /** The pairs of a row, of which a dense vector has one for every number that is not 0. */
  static final class Pairs {
    private ColumnarArray keys; // null for a dense vector
    private ColumnarArray values;
    private DataType keyType;
    private DataType valueType;
    private int next; // place in a dense vector
    private int size;

    /** Begins a row that is not null; how many pairs it has. */
    int open(ColumnVector v, int row) {
      next = 0;
      if (v.dataType() instanceof MapType m) {
        ColumnarMap map = v.getMap(row);
        keys = map.keyArray();
        values = map.valueArray();
        keyType = m.keyType();
        valueType = m.valueType();
        size = map.numElements();
        return size;
      }
      values = v.getChild(MlVectors.VALUES).getArray(row);
      keyType = DataTypes.IntegerType;
      valueType = DataTypes.DoubleType;
      if (v.getChild(MlVectors.TYPE).getByte(row) == MlVectors.SPARSE) {
        keys = v.getChild(MlVectors.INDICES).getArray(row);
        size = v.getChild(MlVectors.SIZE).getInt(row);
        return values.numElements();
      }
      keys = null;
      size = values.numElements();
      int count = 0;
      for (int k = 0; k < size; k++) {
        count += values.getDouble(k) != 0 ? 1 : 0;
      }
      return count;
    }

    /** The size of a vector; of a map the number of its pairs. */
    int size() {
      return size;
    }

    /** The place of the next pair, the number {@code k} of the row. */
    private int place(int k) {
      if (keys != null) {
        return k;
      }
      while (values.getDouble(next) == 0) {
        next++;
      }
      return next++;
    }

    private int id(int place, Vocabulary known) {
      if (known.type() == Vocabulary.Type.TEXT) {
        return known.id(keys.getUTF8String(place));
      }
      return known.id(keys == null ? place : ArrayValues.whole(keys, keyType, place));
    }

    private String key(int place) {
      return ColumnTypes.isText(keyType)
          ? "\"" + keys.getUTF8String(place) + "\""
          : String.valueOf(keys == null ? place : ArrayValues.whole(keys, keyType, place));
    }
  }

  /** Begins a row: how many of its pairs are used, 0 where it is null. */
  private int open(ColumnVector v, int row) {
    if (v.isNullAt(row)) {
      checkNull(row);
      return 0;
    }
    int n = pairs.open(v, row);
    if (n > slots && isError(row)) {
      throw invalid(row, "every row must hold at most " + slots + " pairs", n + " pairs");
    }
    return Math.min(n, slots);
  }

  @Override
  int[] ints(ColumnVector v, int from, int n) {
    ints = Numbers.fit(ints, n * slots);
    Arrays.fill(ints, 0, n * slots, vocabulary.offset());
    boolean vector = vocabulary.type() == Vocabulary.Type.INDEX;
    for (int i = 0; i < n; i++) {
      int row = from + i;
      int count = open(v, row);
      if (vector && !v.isNullAt(row) && pairs.size != vocabulary.size() - 1 && isError(row)) {
        throw invalid(
            row, "every row must have the size " + (vocabulary.size() - 1), "size " + pairs.size);
      }
      for (int k = 0; k < count; k++) {
        int place = pairs.place(k);
        int id = pairs.id(place, vocabulary);
        if (id == vocabulary.offset() && isError(row)) {
          throw invalid(
              row,
              "keys must be among the " + (vocabulary.size() - 1) + " known",
              pairs.key(place));
        }
        ints[i * slots + k] = id;
      }
    }
    return ints;
  }

  @Override
  float[] floats(ColumnVector v, int from, int n) {
    floats = Numbers.fit(floats, n * slots);
    Arrays.fill(floats, 0, n * slots, 0);
    for (int i = 0; i < n; i++) {
      int count = open(v, from + i);
      for (int k = 0; k < count; k++) {
        floats[i * slots + k] = value(from + i, pairs.place(k));
      }
    }
    return floats;
  }

  private float value(int row, int place) {
    boolean none = pairs.values.isNullAt(place);
    double x = none ? 0 : ArrayValues.real(pairs.values, pairs.valueType, place);
    if (!none && Math.abs(x) <= Float.MAX_VALUE) {
      return (float) x;
    }
    if (isError(row)) {
      throw none
          ? invalid(row, "elements must not be null", "null at key " + pairs.key(place))
          : invalid(row, "numbers must be finite in f32", x + " at key " + pairs.key(place));
    }
    return 0;
  }
}
