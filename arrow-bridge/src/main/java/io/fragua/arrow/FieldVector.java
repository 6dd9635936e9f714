package io.fragua.arrow;

import org.apache.spark.sql.execution.vectorized.WritableColumnVector;
import org.apache.spark.sql.types.Decimal;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarArray;
import org.apache.spark.sql.vectorized.ColumnarMap;
import org.apache.spark.unsafe.types.UTF8String;

/** A field of a struct, null where the struct is. Frees nothing: the struct's vector does. */
final class FieldVector extends ColumnVector {
  private final ColumnVector struct;
  private final ColumnVector field;

  private FieldVector(ColumnVector struct, ColumnVector field) {
    super(field.dataType());
    this.struct = struct;
    this.field = field;
  }

  /**
   * The field's own vector where that is null as well, as it is in Spark's own vectors; but not in
   * those of a struct that a file lacks, whose fields hold zeros.
   */
  static ColumnVector of(ColumnVector struct, int ordinal) {
    ColumnVector field = struct.getChild(ordinal);
    return !struct.hasNull() || struct instanceof WritableColumnVector w && !w.isAllNull()
        ? field
        : new FieldVector(struct, field);
  }

  @Override
  public void close() {}

  @Override
  public boolean hasNull() {
    return true;
  }

  /** At most; Spark asks for it to see whether there are any. */
  @Override
  public int numNulls() {
    return struct.numNulls() + field.numNulls();
  }

  @Override
  public boolean isNullAt(int i) {
    return struct.isNullAt(i) || field.isNullAt(i);
  }

  @Override
  public boolean getBoolean(int i) {
    return field.getBoolean(i);
  }

  @Override
  public byte getByte(int i) {
    return field.getByte(i);
  }

  @Override
  public short getShort(int i) {
    return field.getShort(i);
  }

  @Override
  public int getInt(int i) {
    return field.getInt(i);
  }

  @Override
  public long getLong(int i) {
    return field.getLong(i);
  }

  @Override
  public float getFloat(int i) {
    return field.getFloat(i);
  }

  @Override
  public double getDouble(int i) {
    return field.getDouble(i);
  }

  @Override
  public ColumnarArray getArray(int i) {
    return isNullAt(i) ? null : field.getArray(i);
  }

  @Override
  public ColumnarMap getMap(int i) {
    return isNullAt(i) ? null : field.getMap(i);
  }

  @Override
  public Decimal getDecimal(int i, int precision, int scale) {
    return isNullAt(i) ? null : field.getDecimal(i, precision, scale);
  }

  @Override
  public UTF8String getUTF8String(int i) {
    return isNullAt(i) ? null : field.getUTF8String(i);
  }

  @Override
  public byte[] getBinary(int i) {
    return isNullAt(i) ? null : field.getBinary(i);
  }

  @Override
  public ColumnVector getChild(int ordinal) {
    return new FieldVector(this, field.getChild(ordinal));
  }
}
