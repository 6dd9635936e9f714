package io.fragua.arrow;

import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.execution.vectorized.WritableColumnVector;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarArray;

/** An array of numbers, or of such arrays, of a fixed shape. */
final class ArrayColumn extends RowColumn {
  private static final int MISSING = -1;

  private final int[] sizes; // of the axes
  private final int last; // size of the last axis
  private float[] floats;
  private float[] elements;
  private int[] ints;
  private int[] starts = new int[0]; // of the lists of the present axis, in their child
  private int[] inner = new int[0]; // the same, one axis further in
  private int[] lengths = new int[0]; // of the lists of the last axis

  ArrayColumn(Spec spec) {
    super(spec);
    sizes = column.shape().stream().mapToInt(i -> i).toArray();
    last = sizes[sizes.length - 1];
  }

  @Override
  float[] floats(ColumnVector v, int from, int n) {
    if (!(v instanceof WritableColumnVector w) || !Numbers.bulk(v)) {
      return super.floats(v, from, n);
    }
    float[] x = writable(w, from, n);
    checkFinite(x, n * width, v, from);
    return x;
  }

  /**
   * From Spark's own vectors, whose lists lie one after the other in a child: the numbers of the
   * innermost lists are taken as one range, which is already the tile where nothing is null and
   * every size is right.
   */
  private float[] writable(WritableColumnVector v, int from, int n) {
    starts = Numbers.fit(starts, n);
    for (int i = 0; i < n; i++) {
      starts[i] = from + i;
    }
    WritableColumnVector lists = v;
    int count = n;
    for (int axis = 0; axis < sizes.length - 1; axis++) {
      expand(lists, axis, count, count / n, from);
      lists = lists.arrayData();
      count *= sizes[axis];
    }
    return leaves(lists, count, count / n, from, n);
  }

  /** From places of lists to places of the lists in them. */
  private void expand(WritableColumnVector lists, int axis, int count, int perRow, int from) {
    int size = sizes[axis];
    inner = Numbers.fit(inner, count * size);
    for (int i = 0; i < count; i++) {
      int length = open(lists, i, axis, size, from + i / perRow);
      int at = length == 0 ? 0 : lists.getArrayOffset(starts[i]);
      for (int k = 0; k < size; k++) {
        inner[i * size + k] = k < length ? at + k : MISSING;
      }
    }
    int[] swap = starts;
    starts = inner;
    inner = swap;
  }

  /** How many elements of a list are used; 0 where it is null or missing. */
  private int open(WritableColumnVector lists, int i, int axis, int size, int row) {
    if (starts[i] == MISSING) {
      return 0; // of a list that is null or too short, which has been heard of
    }
    if (lists.isNullAt(starts[i])) {
      if (axis == 0) {
        checkNull(row);
      } else if (isError(row)) {
        throw invalid(row, "elements must not be null", "null on axis " + axis);
      }
      return 0;
    }
    int length = lists.getArrayLength(starts[i]);
    if (length != size && isError(row)) {
      throw wrongLength(row, axis, length);
    }
    return Math.min(length, size);
  }

  private IllegalArgumentException wrongLength(int row, int axis, int length) {
    return wrongShape(row, sizes.length == 1 ? length : length + " on axis " + axis);
  }

  private float[] leaves(WritableColumnVector lists, int count, int perRow, int from, int n) {
    lengths = Numbers.fit(lengths, count);
    int first = Integer.MAX_VALUE;
    int end = 0;
    int expected = -1;
    boolean dense = true;
    for (int i = 0; i < count; i++) {
      int length = open(lists, i, sizes.length - 1, last, from + i / perRow);
      lengths[i] = length;
      if (length > 0) {
        int at = lists.getArrayOffset(starts[i]);
        starts[i] = at;
        dense &= expected < 0 || at == expected;
        expected = at + length;
        first = Math.min(first, at);
        end = Math.max(end, at + length);
      }
      dense &= length == last;
    }
    float[] x = elements;
    if (end > 0) {
      ColumnVector child = lists.arrayData();
      x = elements = Numbers.floats(child, first, end - first, elements);
      if (child.hasNull()) {
        nullElements(child, x, first, count, perRow, from);
      }
      if (dense) {
        return x;
      }
    }
    floats = Numbers.fit(floats, n * width);
    for (int i = 0; i < count; i++) {
      if (lengths[i] > 0) {
        System.arraycopy(x, starts[i] - first, floats, i * last, lengths[i]);
      }
      Arrays.fill(floats, i * last + lengths[i], (i + 1) * last, fill);
    }
    return floats;
  }

  private void nullElements(
      ColumnVector child, float[] x, int first, int count, int perRow, int from) {
    for (int i = 0; i < count; i++) {
      for (int k = 0; k < lengths[i]; k++) {
        if (child.isNullAt(starts[i] + k)) {
          checkElement(from + i / perRow, i % perRow * last + k);
          x[starts[i] + k - first] = fill;
        }
      }
    }
  }

  private void checkElement(int row, int element) {
    if (isError(row)) {
      throw invalid(row, "elements must not be null", "null at " + at(element));
    }
  }

  // --- from any other vector, and whole numbers: list by list

  @Override
  void row(ColumnVector v, int row, float[] x, int at) {
    Arrays.fill(x, at, at + width, fill);
    list(v.getArray(row), ((ArrayType) v.dataType()).elementType(), 0, row, at, 0, x, null);
  }

  @Override
  int[] ints(ColumnVector v, int from, int n) {
    DataType element = ((ArrayType) v.dataType()).elementType();
    ints = Numbers.fit(ints, n * width);
    Arrays.fill(ints, 0, n * width, wholeFill);
    for (int i = 0; i < n; i++) {
      int row = from + i;
      if (v.isNullAt(row)) {
        checkNull(row);
      } else {
        list(v.getArray(row), element, 0, row, i * width, 0, null, ints);
      }
    }
    return ints;
  }

  /** Writes what is valid of a list to one of the two arrays, which hold the fill. */
  private void list(
      ColumnarArray a, DataType t, int axis, int row, int at, int from, float[] x, int[] whole) {
    if (a.numElements() != sizes[axis] && isError(row)) {
      throw wrongLength(row, axis, a.numElements());
    }
    int stride = stride(axis);
    for (int k = 0; k < Math.min(a.numElements(), sizes[axis]); k++) {
      int element = from + k * stride;
      if (a.isNullAt(k)) {
        checkElement(row, element);
      } else if (t instanceof ArrayType deeper) {
        list(a.getArray(k), deeper.elementType(), axis + 1, row, at, element, x, whole);
      } else if (x != null) {
        x[at + element] = (float) ArrayValues.real(a, t, k);
      } else {
        whole[at + element] = whole(ArrayValues.whole(a, t, k), row, element);
      }
    }
  }

  private int whole(long value, int row, int element) {
    if (value == (int) value) {
      return (int) value;
    }
    if (isError(row)) {
      throw invalid(row, "whole numbers must fit an i32", value + " at " + at(element));
    }
    return wholeFill;
  }

  /** Numbers from one place of an axis to the next. */
  private int stride(int axis) {
    int stride = 1;
    for (int i = axis + 1; i < sizes.length; i++) {
      stride *= sizes[i];
    }
    return stride;
  }

  @Override
  String given(ColumnVector v, int row, int element, float x) {
    ColumnarArray a = v.getArray(row);
    DataType t = ((ArrayType) v.dataType()).elementType();
    List<Integer> shape = column.shape();
    int rest = element;
    for (int axis = 0; axis < shape.size() - 1; axis++) {
      a = a.getArray(rest / stride(axis));
      t = ((ArrayType) t).elementType();
      rest %= stride(axis);
    }
    return ArrayValues.real(a, t, rest) + " at " + at(element);
  }
}
