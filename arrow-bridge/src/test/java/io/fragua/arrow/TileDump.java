package io.fragua.arrow;

import io.fragua.exec.Allocator;
import io.fragua.tensor.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.execution.vectorized.OnHeapColumnVector;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarBatch;

/** The bytes of a tile, one row per input batch, read in pieces. */
record TileDump(TileSpec tile, int piece) implements BatchFunction {
  /** The tile of all rows of the data, which has one partition, as numbers. */
  static double[] dump(Dataset<Row> data, TileSpec tile, int piece) {
    TileSpec.check(data.schema(), List.of(tile));
    List<Row> parts =
        ColumnarMap.replace(
                data,
                TileSpec.inputs(List.of(tile)),
                new StructType().add("bytes", "binary"),
                new TileDump(tile, piece),
                "dump")
            .collectAsList();
    int size = parts.stream().mapToInt(r -> ((byte[]) r.get(0)).length / 4).sum();
    double[] out = new double[size];
    int at = 0;
    for (Row r : parts) {
      ByteBuffer b = ByteBuffer.wrap((byte[]) r.get(0)).order(ByteOrder.nativeOrder());
      while (b.hasRemaining()) {
        out[at++] = tile.dtype() == io.fragua.tensor.DType.F32 ? b.getFloat() : b.getInt();
      }
    }
    return out;
  }

  @Override
  public Iterator<ColumnarBatch> apply(
      Iterator<ColumnarBatch> in, int[] ordinals, ColumnarMetrics metrics) {
    TileReader reader = new TileReader(List.of(tile), ordinals);
    return BatchFunction.each(
        in,
        b -> {
          OnHeapColumnVector v = new OnHeapColumnVector(1, DataTypes.BinaryType);
          v.putByteArray(0, bytes(reader, b));
          return new ColumnarBatch(new ColumnVector[] {v}, 1);
        });
  }

  byte[] bytes(TileReader reader, ColumnarBatch b) {
    try (Allocator allocator = new Allocator("dump")) {
      int guard = 3; // rows in front, which must stay as they are
      Buffer buffer = allocator.allocate(4L * tile.width() * (b.numRows() + guard));
      for (int i = 0; i < buffer.size(); i++) {
        buffer.bytes().put(i, (byte) 77);
      }
      for (int at = 0; at < b.numRows(); at += piece) {
        int n = Math.min(piece, b.numRows() - at);
        reader.read(b, at, n, new Buffer[] {buffer}, guard + at);
      }
      byte[] out = new byte[4 * tile.width() * b.numRows()];
      buffer.bytes().get(4 * tile.width() * guard, out);
      for (int i = 0; i < 4 * tile.width() * guard; i++) {
        if (buffer.bytes().get(i) != 77) {
          throw new IllegalStateException("the reader wrote before its rows");
        }
      }
      allocator.free(buffer);
      return out;
    }
  }
}
