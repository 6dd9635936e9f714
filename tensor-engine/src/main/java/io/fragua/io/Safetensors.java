package io.fragua.io;

import io.fragua.tensor.Buffer;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A safetensors file: named tensors and text metadata. The format is 8 bytes of header length
 * (little endian), a JSON header, and the tensors one after the other without holes. Files are
 * exchanged with PyTorch, JAX and every other user of the format; equal content gives equal bytes,
 * which are those the reference implementation writes.
 *
 * <p>Immutable and thread-safe.
 *
 * @source https://github.com/huggingface/safetensors, "Format"
 */
public final class Safetensors {
  /** Of equal alignment, what the reference implementation writes first. */
  private static final List<DType> ORDER =
      List.of(
          DType.I64,
          DType.F64,
          DType.F32,
          DType.I32,
          DType.BF16,
          DType.F16,
          DType.I16,
          DType.I8,
          DType.U8,
          DType.BOOL);

  private final Map<String, Tensor> tensors;
  private final Map<String, String> metadata;

  private Safetensors(Map<String, Tensor> tensors, Map<String, String> metadata) {
    this.tensors = Collections.unmodifiableMap(tensors);
    this.metadata = Collections.unmodifiableMap(metadata);
  }

  /** The tensors, in the file's order (by dtype, then name). Unmodifiable. */
  public Map<String, Tensor> tensors() {
    return tensors;
  }

  /** The metadata. Unmodifiable. */
  public Map<String, String> metadata() {
    return metadata;
  }

  /**
   * Writes a file. The stream is not closed.
   *
   * @param tensors concrete, by name
   * @param metadata any text; empty for none
   * @throws IllegalArgumentException if a name is {@code __metadata__}
   * @throws IllegalStateException if a tensor is traced
   */
  public static void write(
      OutputStream out, Map<String, Tensor> tensors, Map<String, String> metadata)
      throws IOException {
    littleEndian();
    Map<String, Tensor> ordered = ordered(tensors);
    byte[] header = SafetensorsHeader.write(ordered, metadata);
    ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    out.write(length.putLong(header.length).array());
    out.write(header);
    byte[] chunk = new byte[1 << 16];
    for (Tensor t : ordered.values()) {
      Buffer b = t.buffer();
      for (int at = 0; at < b.size(); at += chunk.length) {
        int n = Math.min(chunk.length, b.size() - at);
        b.bytes().get(at, chunk, 0, n);
        out.write(chunk, 0, n);
      }
    }
  }

  private static Map<String, Tensor> ordered(Map<String, Tensor> tensors) {
    Comparator<String> byDtype = Comparator.comparing(n -> ORDER.indexOf(tensors.get(n).dtype()));
    Comparator<String> byBytes =
        (a, b) ->
            Arrays.compareUnsigned(
                a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));
    Map<String, Tensor> m = new LinkedHashMap<>();
    tensors.keySet().stream()
        .sorted(byDtype.thenComparing(byBytes))
        .forEach(n -> m.put(n, tensors.get(n)));
    return m;
  }

  /**
   * Reads a file.
   *
   * @param who the file's name, for errors
   * @throws IllegalArgumentException if it is no safetensors file, or is damaged
   */
  public static Safetensors read(byte[] file, String who) {
    return read(ByteBuffer.wrap(file), who);
  }

  /** As {@link #read(byte[], String)}, from position to limit, which stay. */
  public static Safetensors read(ByteBuffer file, String who) {
    littleEndian();
    ByteBuffer f = file.slice().order(ByteOrder.LITTLE_ENDIAN);
    Check.that(
        f.capacity() >= 8,
        "%s: a safetensors file begins with the header's length in 8 bytes: %d bytes; the file is"
            + " truncated or of another kind",
        who,
        f.capacity());
    long length = f.getLong(0);
    Check.that(
        length >= 0 && length <= SafetensorsHeader.MAX_BYTES,
        "%s: a header has at most %d bytes: length %s; the file is damaged or of another kind",
        who,
        SafetensorsHeader.MAX_BYTES,
        Long.toUnsignedString(length));
    Check.that(
        length <= f.capacity() - 8,
        "%s: the header must lie in the file: length %d, %d bytes follow; the file is truncated",
        who,
        length,
        f.capacity() - 8);
    byte[] text = new byte[(int) length];
    f.get(8, text);
    int start = 8 + (int) length;
    ByteBuffer data = f.slice(start, f.capacity() - start);
    SafetensorsHeader header = SafetensorsHeader.read(text, data.capacity(), who);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (SafetensorsHeader.Entry e : header.entries()) {
      Buffer b = Buffer.collected(e.type().byteSize());
      b.bytes().put(0, data, (int) e.begin(), b.size());
      tensors.put(e.name(), Tensor.of(e.type(), b));
    }
    return new Safetensors(tensors, new TreeMap<>(header.metadata()));
  }

  /** Memory has the machine's order, files are little endian; every supported machine is too. */
  private static void littleEndian() {
    Check.that(
        ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN,
        "safetensors: needs a little-endian machine: this one is %s; use x86-64 or arm64",
        ByteOrder.nativeOrder());
  }
}
