package io.fragua.arrow;

import java.io.Serializable;
import java.util.Arrays;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.MutableProjection;
import org.apache.spark.sql.catalyst.expressions.MutableProjection$;
import org.apache.spark.sql.execution.vectorized.MutableColumnarRow;
import org.apache.spark.sql.execution.vectorized.OnHeapColumnVector;
import org.apache.spark.sql.execution.vectorized.WritableColumnVector;
import org.apache.spark.sql.types.BooleanType;
import org.apache.spark.sql.types.ByteType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DoubleType;
import org.apache.spark.sql.types.FloatType;
import org.apache.spark.sql.types.LongType;
import org.apache.spark.sql.types.ShortType;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.types.TimestampNTZType;
import org.apache.spark.sql.types.TimestampType;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarBatchRow;
import scala.collection.immutable.Seq;

/**
 * Columns that one generated projection writes, for one task. Expressions of a single column that
 * comes with a dictionary (Parquet's usual encoding) are computed once for each entry that occurs
 * in a batch and handed out to its rows: the parts of a timestamp cost more than all else that is
 * done to it.
 */
final class DerivedColumns {
  private static final int FIRST_CAPACITY = 4096; // what Spark's Parquet reader yields

  /**
   * What is computed together.
   *
   * @param column position of the only input column that the expressions use, or -1
   * @param expressions deterministic, of types that a vector takes in place
   * @param written their names and types
   */
  record Spec(int column, Seq<Expression> expressions, StructType written)
      implements Serializable {}

  private final int column;
  private final MutableProjection projection;
  private final OnHeapColumnVector[] vectors;
  private final OnHeapColumnVector[] byEntry; // the same for the entries of a batch; made on demand
  private final StructType written;
  private int[] firstRows = new int[0]; // of the entries that occur, in order of occurrence
  private int[] places = new int[0]; // of each row's entry among those
  private int[] placeOf = new int[0]; // the entry's place + 1; 0 when not seen in this batch

  DerivedColumns(Spec spec, Seq<Attribute> input) {
    this.column = spec.column();
    this.written = spec.written();
    this.projection = MutableProjection$.MODULE$.create(spec.expressions(), input);
    this.vectors = OnHeapColumnVector.allocateColumns(FIRST_CAPACITY, written);
    this.byEntry = new OnHeapColumnVector[vectors.length];
  }

  /** The results, the same vectors for every batch. */
  WritableColumnVector vector(int i) {
    return vectors[i];
  }

  /** Computes the first {@code rows} rows. */
  void compute(ColumnVector[] columns, int rows) {
    prepare(vectors, rows);
    ColumnarBatchRow row = new ColumnarBatchRow(columns);
    if (column >= 0 && columns[column] instanceof WritableColumnVector v && v.hasDictionary()) {
      int entries = entries(v, rows);
      if (byEntry.length > 0 && byEntry[0] == null) {
        System.arraycopy(
            OnHeapColumnVector.allocateColumns(FIRST_CAPACITY, written),
            0,
            byEntry,
            0,
            byEntry.length);
      }
      prepare(byEntry, entries);
      MutableColumnarRow target = target(byEntry);
      for (int k = 0; k < entries; k++) {
        row.rowId = firstRows[k];
        target.rowId = k;
        projection.apply(row);
      }
      for (int i = 0; i < vectors.length; i++) {
        handOut(byEntry[i], vectors[i], rows);
      }
    } else {
      MutableColumnarRow target = target(vectors);
      for (int i = 0; i < rows; i++) {
        row.rowId = i;
        target.rowId = i;
        projection.apply(row);
      }
    }
  }

  private static void prepare(OnHeapColumnVector[] vectors, int rows) {
    for (OnHeapColumnVector v : vectors) {
      v.reset();
      v.reserve(rows);
    }
  }

  private MutableColumnarRow target(WritableColumnVector[] to) {
    MutableColumnarRow target = new MutableColumnarRow(to);
    projection.target(target);
    return target;
  }

  /**
   * Finds the dictionary entries that occur, null being one of its own. What was found is forgotten
   * with the batch: the next may have another dictionary, which the vector does not tell.
   */
  private int entries(WritableColumnVector v, int rows) {
    firstRows = Numbers.fit(firstRows, rows);
    places = Numbers.fit(places, rows);
    WritableColumnVector ids = v.getDictionaryIds();
    boolean nulls = v.hasNull();
    int count = 0;
    int nullPlace = -1;
    for (int i = 0; i < rows; i++) {
      if (nulls && v.isNullAt(i)) {
        if (nullPlace < 0) {
          firstRows[count] = i;
          nullPlace = count++;
        }
        places[i] = nullPlace;
        continue;
      }
      int id = ids.getDictId(i);
      if (id >= placeOf.length) {
        placeOf = Arrays.copyOf(placeOf, Math.max(id + 1, 2 * placeOf.length));
      }
      int place = placeOf[id] - 1;
      if (place < 0) {
        firstRows[count] = i;
        place = count++;
        placeOf[id] = count;
      }
      places[i] = place;
    }
    for (int k = 0; k < count; k++) {
      if (k != nullPlace) {
        placeOf[ids.getDictId(firstRows[k])] = 0;
      }
    }
    return count;
  }

  private void handOut(OnHeapColumnVector from, OnHeapColumnVector to, int rows) {
    DataType t = to.dataType();
    if (t instanceof DoubleType) {
      for (int i = 0; i < rows; i++) {
        to.putDouble(i, from.getDouble(places[i]));
      }
    } else if (t instanceof FloatType) {
      for (int i = 0; i < rows; i++) {
        to.putFloat(i, from.getFloat(places[i]));
      }
    } else if (t instanceof LongType
        || t instanceof TimestampType
        || t instanceof TimestampNTZType) {
      for (int i = 0; i < rows; i++) {
        to.putLong(i, from.getLong(places[i]));
      }
    } else if (t instanceof ShortType) {
      for (int i = 0; i < rows; i++) {
        to.putShort(i, from.getShort(places[i]));
      }
    } else if (t instanceof ByteType) {
      for (int i = 0; i < rows; i++) {
        to.putByte(i, from.getByte(places[i]));
      }
    } else if (t instanceof BooleanType) {
      for (int i = 0; i < rows; i++) {
        to.putBoolean(i, from.getBoolean(places[i]));
      }
    } else {
      for (int i = 0; i < rows; i++) { // int and date
        to.putInt(i, from.getInt(places[i]));
      }
    }
    if (from.hasNull()) {
      for (int i = 0; i < rows; i++) {
        if (from.isNullAt(places[i])) {
          to.putNull(i);
        }
      }
    }
  }
}
