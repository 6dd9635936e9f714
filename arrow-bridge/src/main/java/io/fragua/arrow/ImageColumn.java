package io.fragua.arrow;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.unsafe.types.UTF8String;
import scala.Option;

/**
 * Spark's image struct: height, width, number of channels, OpenCV's mode and the bytes, row by row,
 * channels of a pixel side by side (blue, green, red).
 *
 * @source Spark ImageSchema: the modes are CV_8UC1, CV_8UC3 and CV_8UC4, all of 8 bits a channel
 */
final class ImageColumn extends RowColumn {
  private static final Map<String, DataType> FIELDS =
      Map.of(
          "height", DataTypes.IntegerType,
          "width", DataTypes.IntegerType,
          "nChannels", DataTypes.IntegerType,
          "mode", DataTypes.IntegerType,
          "data", DataTypes.BinaryType);

  private final int height;
  private final int columns;
  private final int channels;
  private int[] ordinals; // of height, width, nChannels, mode, data

  ImageColumn(Spec spec) {
    super(spec);
    height = column.shape().get(0);
    columns = column.shape().get(1);
    channels = column.shape().get(2);
  }

  static boolean isImage(DataType t) {
    return t instanceof StructType s
        && FIELDS.entrySet().stream()
            .allMatch(
                f -> {
                  Option<Object> at = s.getFieldIndex(f.getKey());
                  return at.isDefined()
                      && s.fields()[(Integer) at.get()].dataType().equals(f.getValue());
                });
  }

  @Override
  void row(ColumnVector v, int row, float[] x, int at) {
    if (ordinals == null) {
      StructType s = (StructType) v.dataType();
      ordinals =
          Stream.of("height", "width", "nChannels", "mode", "data")
              .mapToInt(s::fieldIndex)
              .toArray();
    }
    int h = v.getChild(ordinals[0]).getInt(row);
    int w = v.getChild(ordinals[1]).getInt(row);
    int c = v.getChild(ordinals[2]).getInt(row);
    int mode = v.getChild(ordinals[3]).getInt(row);
    ColumnVector data = v.getChild(ordinals[4]);
    if (mode < 0 || mode % 8 != 0 || data.isNullAt(row)) {
      checkReadable(row, mode, x, at);
      return;
    }
    UTF8String b = BytesColumn.bytes(data, row);
    if (b.numBytes() != (long) h * w * c || h < 0 || w < 0 || c < 0) {
      if (isError(row)) {
        throw invalid(
            row,
            "an image must hold height x width x channels bytes",
            h + " x " + w + " x " + c + " and " + b.numBytes() + " bytes");
      }
      Arrays.fill(x, at, at + width, fill);
      return;
    }
    if (h != height || w != columns || c != channels) {
      checkShape(row, List.of(h, w, c), x, at);
    }
    for (int i = 0; i < Math.min(h, height); i++) {
      for (int j = 0; j < Math.min(w, columns); j++) {
        int from = (i * w + j) * c;
        int to = at + (i * columns + j) * channels;
        for (int k = 0; k < Math.min(c, channels); k++) {
          x[to + k] = b.getByte(from + k) & 0xFF;
        }
      }
    }
  }

  /** Spark gives files that are no images the mode -1. */
  private void checkReadable(int row, int mode, float[] x, int at) {
    if (isError(row)) {
      throw invalid(row, "an image must have 8 bits a channel (CV_8U)", "mode " + mode);
    }
    Arrays.fill(x, at, at + width, fill);
  }
}
