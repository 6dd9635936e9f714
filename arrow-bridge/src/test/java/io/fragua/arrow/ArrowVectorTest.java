package io.fragua.arrow;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.fragua.tensor.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.Float4Vector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.StructVector;
import org.apache.arrow.vector.complex.impl.UnionListWriter;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.spark.sql.vectorized.ArrowColumnVector;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarBatch;
import org.junit.jupiter.api.Test;

/**
 * Tiles from Arrow vectors, which throw where Spark's own answer: on nulls, on ranges over them.
 */
final class ArrowVectorTest {
  @Test
  void readsArrowColumns() {
    try (BufferAllocator root = new RootAllocator();
        Float4Vector f = new Float4Vector("f", root);
        Float8Vector d = new Float8Vector("d", root);
        BigIntVector l = new BigIntVector("l", root);
        VarCharVector s = new VarCharVector("s", root);
        ListVector a = ListVector.empty("a", root)) {
      int n = 5;
      UnionListWriter w = a.getWriter();
      for (int i = 0; i < n; i++) {
        f.setSafe(i, i + 0.5f);
        d.setSafe(i, i * 2);
        if (i == 2) {
          l.setNull(i);
          s.setNull(i);
        } else {
          l.setSafe(i, -i);
          s.setSafe(i, ("v" + i).getBytes(StandardCharsets.UTF_8));
        }
        w.setPosition(i);
        if (i != 3) {
          w.startList();
          w.writeFloat4(i);
          if (i == 4) {
            w.writeNull();
          } else {
            w.writeFloat4(i * 10);
          }
          w.endList();
        }
      }
      f.setValueCount(n);
      d.setValueCount(n);
      l.setValueCount(n);
      s.setValueCount(n);
      a.setValueCount(n);
      ColumnVector[] columns = {
        new ArrowColumnVector(f),
        new ArrowColumnVector(d),
        new ArrowColumnVector(l),
        new ArrowColumnVector(s),
        new ArrowColumnVector(a)
      };
      TileSpec tile =
          new TileSpec(
              "x",
              DType.F32,
              List.of(
                  InputColumn.scalar("f"),
                  InputColumn.scalar("d"),
                  InputColumn.scalar("l"),
                  InputColumn.category("s", Vocabulary.of(new String[] {"v1", "v4"}, 0)),
                  InputColumn.array("a", 2)),
              true,
              List.of(7.0, 7.0, 7.0, 7.0, 9.0));
      TileReader reader = new TileReader(List.of(tile), new int[] {0, 1, 2, 3, 4});
      byte[] bytes = new TileDump(tile, 2).bytes(reader, new ColumnarBatch(columns, n));
      float[] got = new float[6 * n];
      ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).asFloatBuffer().get(got);
      float[] want = {
        0.5f, 0, 0, 0, 0, 0, //
        1.5f, 2, -1, 1, 1, 10, //
        2.5f, 4, 7, 0, 2, 20, //
        3.5f, 6, -3, 0, 9, 9, //
        4.5f, 8, -4, 2, 4, 9
      };
      assertArrayEquals(want, got);
    }
  }

  @Test
  void aFieldIsNullWhereItsStructIs() {
    try (BufferAllocator root = new RootAllocator();
        StructVector s = StructVector.empty("s", root)) {
      Float8Vector x =
          s.addOrGet(
              "x",
              FieldType.nullable(new ArrowType.FloatingPoint(FloatingPointPrecision.DOUBLE)),
              Float8Vector.class);
      for (int i = 0; i < 3; i++) {
        x.setSafe(i, i + 1);
        if (i == 1) {
          s.setNull(i);
        } else {
          s.setIndexDefined(i);
        }
      }
      s.setValueCount(3);
      ColumnVector field = FieldVector.of(new ArrowColumnVector(s), 0);
      TileSpec tile =
          new TileSpec("t", DType.F32, List.of(InputColumn.scalar("x")), true, List.of(9.0));
      byte[] bytes =
          new TileDump(tile, 2)
              .bytes(
                  new TileReader(List.of(tile), new int[] {0}),
                  new ColumnarBatch(new ColumnVector[] {field}, 3));
      float[] got = new float[3];
      ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).asFloatBuffer().get(got);
      assertArrayEquals(new float[] {1, 9, 3}, got);
    }
  }
}
