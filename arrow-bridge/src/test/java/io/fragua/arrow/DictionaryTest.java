package io.fragua.arrow;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.AttributeReference;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.Length;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.execution.vectorized.Dictionary;
import org.apache.spark.sql.execution.vectorized.OnHeapColumnVector;
import org.apache.spark.sql.execution.vectorized.WritableColumnVector;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarBatch;
import org.junit.jupiter.api.Test;

/**
 * One batch that is filled again and again with other dictionaries, as a file reader does from one
 * row group to the next.
 */
final class DictionaryTest {
  private static final int ROWS = 6;

  private final OnHeapColumnVector vector = new OnHeapColumnVector(ROWS, DataTypes.StringType);
  private final ColumnarBatch batch = new ColumnarBatch(new ColumnVector[] {vector}, ROWS);

  /** Words by their number, and which word each row has; -1 is null. */
  private void fill(String[] words, int... rows) {
    vector.reset();
    vector.setDictionary(new Words(words));
    WritableColumnVector ids = vector.reserveDictionaryIds(ROWS);
    for (int i = 0; i < ROWS; i++) {
      if (rows[i] < 0) {
        vector.putNull(i);
      } else {
        ids.putInt(i, rows[i]);
      }
    }
  }

  private record Words(String[] words) implements Dictionary {
    @Override
    public byte[] decodeToBinary(int id) {
      return words[id].getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public int decodeToInt(int id) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long decodeToLong(int id) {
      throw new UnsupportedOperationException();
    }

    @Override
    public float decodeToFloat(int id) {
      throw new UnsupportedOperationException();
    }

    @Override
    public double decodeToDouble(int id) {
      throw new UnsupportedOperationException();
    }
  }

  @Test
  void categoriesFollowTheDictionary() {
    Vocabulary known = Vocabulary.of(new String[] {"a", "b", "c"}, 0);
    TileReader reader =
        new TileReader(
            List.of(
                new TileSpec("ids", DType.I32, List.of(InputColumn.category("s", known)), true)),
            new int[] {0});
    fill(new String[] {"a", "b", "x"}, 0, 1, 2, 1, -1, 0);
    assertArrayEquals(new int[] {1, 2, 0, 2, 0, 1}, read(reader, 2));
    fill(new String[] {"c", "a"}, 0, 1, 0, 1, 1, 0);
    assertArrayEquals(new int[] {3, 1, 3, 1, 1, 3}, read(reader, 4));
    fill(new String[] {"b", "c", "a"}, 2, 2, 1, 0, -1, -1);
    assertArrayEquals(new int[] {1, 1, 3, 2, 0, 0}, read(reader, 6));
    fill(new String[] {"a", "b", "c"}, 2, 2, 1, 0, -1, -1);
    assertArrayEquals(new int[] {3, 3, 2, 1, 0, 0}, read(reader, 6));
  }

  private int[] read(TileReader reader, int atOnce) {
    Buffer tile = Buffer.collected(4 * ROWS);
    for (int at = 0; at < ROWS; at += atOnce) {
      reader.read(batch, at, Math.min(atOnce, ROWS - at), new Buffer[] {tile}, at);
    }
    int[] out = new int[ROWS];
    tile.bytes().asIntBuffer().get(out);
    return out;
  }

  @Test
  void derivedColumnsFollowTheDictionary() {
    Attribute s =
        new AttributeReference(
            "s",
            DataTypes.StringType,
            true,
            Metadata.empty(),
            NamedExpression.newExprId(),
            ScalaLists.seq(List.of()));
    DerivedColumns derived =
        new DerivedColumns(
            new DerivedColumns.Spec(
                0,
                ScalaLists.<Expression>seq(List.of(new Length(s))),
                new StructType().add("n", "int")),
            ScalaLists.seq(List.of(s)));
    fill(new String[] {"", "1", "22"}, 0, 1, 2, 1, -1, 0);
    assertLengths(derived, 0, 1, 2, 1, -1, 0);
    fill(new String[] {"333", "4444"}, 0, 1, 0, 1, 1, 0);
    assertLengths(derived, 3, 4, 3, 4, 4, 3);
    assertFalse(derived.vector(0).hasNull(), "nulls of the batch before");
    fill(new String[] {"1"}, -1, -1, -1, -1, -1, 0);
    assertLengths(derived, -1, -1, -1, -1, -1, 1);
  }

  private void assertLengths(DerivedColumns derived, int... want) {
    derived.compute(new ColumnVector[] {vector}, ROWS);
    WritableColumnVector n = derived.vector(0);
    for (int i = 0; i < ROWS; i++) {
      assertEquals(want[i], n.isNullAt(i) ? -1 : n.getInt(i), "row " + i);
    }
  }
}
