package io.fragua.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.Golden;
import io.fragua.testing.Tolerance;
import io.fragua.testing.Values;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Round trips, the reference implementation's file, and files that lie. */
class SafetensorsTest {
  private static final String GOLDEN = "all_dtypes.safetensors";

  private static byte[] write(Map<String, Tensor> tensors, Map<String, String> metadata)
      throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Safetensors.write(out, tensors, metadata);
    return out.toByteArray();
  }

  @Test
  void theReferenceFileIsReadAndWrittenByteForByte() throws IOException {
    Safetensors s = Safetensors.read(Golden.bytes(GOLDEN), GOLDEN);
    assertEquals(Map.of("made by", "fragua/golden"), s.metadata());
    assertEquals(15, s.tensors().size());
    for (DType t : DType.values()) {
      String name =
          "x."
              + switch (t) {
                case F32 -> "float32";
                case F64 -> "float64";
                case F16 -> "float16";
                case BF16 -> "bfloat16";
                case I8 -> "int8";
                case U8 -> "uint8";
                case I16 -> "int16";
                case I32 -> "int32";
                case I64 -> "int64";
                case BOOL -> "bool";
              };
      Tensor x = s.tensors().get(name);
      assertEquals(TensorType.of(t, 2, 3), x.type());
      double[] expected =
          switch (t) {
            case U8 -> new double[] {0, 1, 254, 3, 100, 249};
            case BOOL -> new double[] {0, 1, 1, 1, 1, 1};
            default -> new double[] {0, 1, -2, 3, 100, -7};
          };
      assertArrayEquals(expected, x.toDoubles(), name);
    }
    assertEquals(1.5, s.tensors().get("scalar").item());
    assertEquals(TensorType.of(DType.F32, 0, 3), s.tensors().get("empty").type());
    assertEquals(3, s.tensors().get("ñandú \"x\"\\").item());
    assertArrayEquals(Golden.bytes(GOLDEN), write(s.tensors(), s.metadata()));
  }

  @Test
  void everyTypeAndSizeComesBack() throws IOException {
    Map<String, Tensor> all = new LinkedHashMap<>();
    long seed = 0;
    for (DType t : DType.values()) {
      for (int[] dims : new int[][] {{}, {0}, {1}, {3, 5}, {2, 0, 3}, {70000}}) {
        TensorType type = TensorType.of(t, dims);
        all.put(type.toString(), Values.bits().make(type, seed++));
      }
    }
    Map<String, String> metadata = Map.of("b", "2", "a", "line\nbreak \u0000 \"é\" \uD83D\uDE00");
    byte[] file = write(all, metadata);
    Safetensors s = Safetensors.read(file, "test");
    assertEquals(metadata, s.metadata());
    assertEquals(all.keySet(), s.tensors().keySet());
    all.forEach((name, t) -> assertNull(Tolerance.BITS.difference(t, s.tensors().get(name)), name));
    assertEquals(0, ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong(0) % 8);
    // the order of the map does not matter
    Map<String, Tensor> turned = new LinkedHashMap<>();
    List<String> names = List.copyOf(all.keySet());
    for (int i = names.size() - 1; i >= 0; i--) {
      turned.put(names.get(i), all.get(names.get(i)));
    }
    assertArrayEquals(file, write(turned, metadata));
  }

  @Test
  void aBufferIsReadFromItsPositionAndLeftAlone() throws IOException {
    byte[] file = write(Map.of("x", Tensor.of(new int[] {4, 5}, 2)), Map.of());
    ByteBuffer b = ByteBuffer.allocateDirect(file.length + 7);
    b.position(3).put(3, file).limit(3 + file.length);
    Safetensors s = Safetensors.read(b, "test");
    assertArrayEquals(new int[] {4, 5}, s.tensors().get("x").toInts());
    assertEquals(3, b.position());
  }

  @Test
  void nothingIsAFileToo() throws IOException {
    byte[] file = write(Map.of(), Map.of());
    assertEquals("{}      ", new String(file, 8, 8, StandardCharsets.UTF_8));
    assertEquals(Map.of(), Safetensors.read(file, "test").tensors());
  }

  @Test
  void aTracedTensorOrAReservedNameIsNotWritten() {
    TensorType t = TensorType.of(DType.F32);
    assertThrows(IllegalStateException.class, () -> write(Map.of("x", Tensor.input(t)), Map.of()));
    assertEquals(
        "safetensors: a tensor cannot be called __metadata__: it is; rename the parameter",
        assertThrows(
                IllegalArgumentException.class,
                () -> write(Map.of("__metadata__", Tensor.full(t, 0)), Map.of()))
            .getMessage());
  }

  @Test
  void longNamesAndTextsComeBack() throws IOException {
    Tensor one = Tensor.scalar(DType.F32, 1);
    String name = "n".repeat(60_000);
    Map<String, String> metadata = Map.of("k", "x".repeat(21_000_000));
    Safetensors s = Safetensors.read(write(Map.of(name, one), metadata), "test");
    assertEquals(java.util.Set.of(name), s.tensors().keySet());
    assertEquals(metadata, s.metadata());
  }

  @Test
  void aHeaderThatWouldNotBeReadIsNotWritten() {
    String text = "x".repeat(50_000_000);
    Map<String, String> metadata = Map.of("a", text, "b", text);
    assertEquals(
        "safetensors: the header must be of at most 100000000 bytes: it has 100000032; shorten"
            + " names or metadata, or write several files",
        assertThrows(IllegalArgumentException.class, () -> write(Map.of(), metadata)).getMessage());
  }

  @Test
  void metadataMayBeNull() {
    byte[] header = "{\"__metadata__\":null}".getBytes(StandardCharsets.UTF_8);
    assertEquals(Map.of(), Safetensors.read(file(header.length, header, 0), "test").metadata());
  }

  /** A file that lies, and what is said. */
  private record Lie(String name, byte[] file, String message) {
    @Override
    public String toString() {
      return name;
    }
  }

  /** A file of a header as given and so many bytes of data. */
  private static byte[] file(long length, byte[] header, int data) {
    ByteBuffer b = ByteBuffer.allocate(8 + header.length + data).order(ByteOrder.LITTLE_ENDIAN);
    return b.putLong(length).put(header).array();
  }

  private static Lie lie(String name, String header, int data, String message) {
    byte[] h = header.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    return new Lie(name, file(h.length, h, data), message);
  }

  private static String entry(String name, String dtype, String shape, String offsets) {
    return "'"
        + name
        + "':{'dtype':'"
        + dtype
        + "','shape':"
        + shape
        + ",'data_offsets':"
        + offsets
        + "}";
  }

  static Stream<Lie> lies() {
    String x4 = entry("x", "F32", "[1]", "[0,4]");
    String kind = "; the file is damaged or of another kind";
    String damaged = "; the file is damaged";
    return Stream.of(
        new Lie(
            "shorter than the length",
            new byte[7],
            "f: a safetensors file begins with the header's length in 8 bytes: 7 bytes; the file is"
                + " truncated or of another kind"),
        new Lie(
            "header beyond the file",
            file(3, new byte[2], 0),
            "f: the header must lie in the file: length 3, 2 bytes follow; the file is truncated"),
        new Lie(
            "header over the limit",
            file(100_000_001, new byte[2], 0),
            "f: a header has at most 100000000 bytes: length 100000001" + kind),
        new Lie(
            "header length negative as a signed number",
            file(-1, new byte[2], 0),
            "f: a header has at most 100000000 bytes: length 18446744073709551615" + kind),
        new Lie(
            "not UTF-8",
            file(3, new byte[] {'{', (byte) 0xff, '}'}, 0),
            "f: the header must be UTF-8: it is not" + kind),
        lie(
            "empty header",
            "",
            0,
            "f: the header must be a JSON object from its first byte: it begins with \"\"" + kind),
        lie(
            "a list",
            "[1, 2, 3, 4]",
            0,
            "f: the header must be a JSON object from its first byte: it begins with \"[1, 2, 3\""
                + kind),
        lie(
            "a space first",
            " {}",
            0,
            "f: the header must be a JSON object from its first byte: it begins with \" {}\""
                + kind),
        lie(
            "no end",
            "{",
            0,
            "f: the header must be JSON without repeated names: Unexpected end-of-input: expected"
                + " close marker for Object"
                + kind),
        lie(
            "something after the end",
            "{} {}",
            0,
            "f: the header must be JSON without repeated names: Trailing token" + kind),
        lie(
            "a name twice",
            "{" + x4 + "," + x4 + "}",
            4,
            "f: the header must be JSON without repeated names: Duplicate field 'x'" + kind),
        lie(
            "nested beyond reason",
            "{'x':" + "[".repeat(2000) + "]".repeat(2000) + "}",
            0,
            "f: the header must be JSON without repeated names: Document nesting depth" + kind),
        lie(
            "metadata a list",
            "{'__metadata__':[]}",
            0,
            "f: __metadata__ must map texts to texts: []" + damaged),
        lie(
            "metadata a number",
            "{'__metadata__':{'epoch':3}}",
            0,
            "f: __metadata__ must map texts to texts: \"epoch\" is 3" + damaged),
        lie(
            "unknown dtype",
            "{" + entry("x", "F8_E4M3", "[4]", "[0,4]") + "}",
            4,
            "f: dtype must be one of [F32, F64, F16, BF16, I8, U8, I16, I32, I64, BOOL]: \"x\" has"
                + " \"F8_E4M3\"; convert the file"),
        lie(
            "dtype in lower case",
            "{" + entry("x", "f32", "[1]", "[0,4]") + "}",
            4,
            "f: dtype must be one of [F32, F64, F16, BF16, I8, U8, I16, I32, I64, BOOL]: \"x\" has"
                + " \"f32\"; convert the file"),
        lie(
            "no entry",
            "{'x':7}",
            0,
            "f: dtype must be one of [F32, F64, F16, BF16, I8, U8, I16, I32, I64, BOOL]: \"x\" has"
                + " ; convert the file"),
        lie(
            "negative size",
            "{" + entry("x", "F32", "[-1]", "[0,4]") + "}",
            4,
            "f: a shape must be a list of sizes from 0 to 2147483647: \"x\" has [-1]" + damaged),
        lie(
            "fractional size",
            "{" + entry("x", "F32", "[1.0]", "[0,4]") + "}",
            4,
            "f: a shape must be a list of sizes from 0 to 2147483647: \"x\" has [1.0]" + damaged),
        lie(
            "size beyond int",
            "{" + entry("x", "F32", "[4294967297]", "[0,4]") + "}",
            4,
            "f: a shape must be a list of sizes from 0 to 2147483647: \"x\" has [4294967297]"
                + damaged),
        lie(
            "no shape",
            "{'x':{'dtype':'F32','data_offsets':[0,4]}}",
            4,
            "f: a shape must be a list of sizes from 0 to 2147483647: \"x\" has " + damaged),
        lie(
            "elements beyond long",
            "{" + entry("x", "F32", "[2147483647,2147483647,2147483647]", "[0,4]") + "}",
            4,
            "f: a tensor's size in bytes must be below 2^63: \"x\" is f32[2147483647, 2147483647,"
                + " 2147483647]"
                + damaged),
        lie(
            "type larger than its bytes",
            "{" + entry("x", "F32", "[2000000000]", "[0,4]") + "}",
            4,
            "f: a tensor's bytes must fit its type: \"x\" is f32[2000000000] (8000000000 bytes),"
                + " [0, 4) has 4"
                + damaged),
        lie(
            "type smaller than its bytes",
            "{" + entry("x", "F32", "[]", "[0,8]") + "}",
            8,
            "f: a tensor's bytes must fit its type: \"x\" is f32[] (4 bytes), [0, 8) has 8"
                + damaged),
        lie(
            "one offset",
            "{" + entry("x", "F32", "[1]", "[4]") + "}",
            4,
            "f: data_offsets must be two integers: \"x\" has [4]" + damaged),
        lie(
            "offset a text",
            "{" + entry("x", "F32", "[1]", "['0',4]") + "}",
            4,
            "f: data_offsets must be two integers: \"x\" has [\"0\",4]" + damaged),
        lie(
            "offset beyond long",
            "{" + entry("x", "F32", "[1]", "[0,99999999999999999999]") + "}",
            4,
            "f: data_offsets must be two integers: \"x\" has [0,99999999999999999999]" + damaged),
        lie(
            "negative offset",
            "{" + entry("x", "F32", "[1]", "[-4,0]") + "}",
            4,
            "f: a tensor must lie in the file: \"x\" is [-4, 0) of 4 bytes; the file is damaged or"
                + " truncated"),
        lie(
            "offsets exchanged",
            "{" + entry("x", "F32", "[1]", "[4,0]") + "}",
            4,
            "f: a tensor must lie in the file: \"x\" is [4, 0) of 4 bytes; the file is damaged or"
                + " truncated"),
        lie(
            "data cut off",
            "{" + x4 + "}",
            3,
            "f: a tensor must lie in the file: \"x\" is [0, 4) of 3 bytes; the file is damaged or"
                + " truncated"),
        lie(
            "a hole",
            "{" + x4 + "," + entry("y", "F32", "[1]", "[8,12]") + "}",
            12,
            "f: tensors must follow each other without hole or overlap: \"y\" begins at 8, the one"
                + " before ends at 4"
                + damaged),
        lie(
            "a hole in front",
            "{" + entry("y", "F32", "[1]", "[4,8]") + "}",
            8,
            "f: tensors must follow each other without hole or overlap: \"y\" begins at 4, the one"
                + " before ends at 0"
                + damaged),
        lie(
            "an overlap",
            "{" + entry("x", "F32", "[2]", "[0,8]") + "," + entry("y", "F32", "[1]", "[4,8]") + "}",
            8,
            "f: tensors must follow each other without hole or overlap: \"y\" begins at 4, the one"
                + " before ends at 8"
                + damaged),
        lie(
            "one place for two",
            "{" + x4 + "," + entry("y", "F32", "[1]", "[0,4]") + "}",
            4,
            "f: tensors must follow each other without hole or overlap: \"y\" begins at 0, the one"
                + " before ends at 4"
                + damaged),
        lie(
            "bytes after the last tensor",
            "{" + x4 + "}",
            5,
            "f: the tensors must fill the file: they end at 4 of 5 bytes" + damaged));
  }

  @ParameterizedTest
  @MethodSource("lies")
  void aFileThatLiesIsRefused(Lie lie) {
    assertEquals(
        lie.message(),
        assertThrows(IllegalArgumentException.class, () -> Safetensors.read(lie.file(), "f"))
            .getMessage());
  }

  /** Damage at any one byte gives an error or another valid file, and nothing else. */
  @Test
  void noDamagedByteBringsItDown() {
    byte[] file = Golden.bytes(GOLDEN);
    int refused = 0;
    for (int i = 0; i < file.length; i++) {
      for (int bit = 0; bit < 8; bit++) {
        byte[] damaged = file.clone();
        damaged[i] ^= (byte) (1 << bit);
        try {
          Safetensors.read(damaged, "f");
        } catch (IllegalArgumentException e) {
          refused++;
          assertEquals("f: ", e.getMessage().substring(0, 3), e.getMessage());
        }
      }
    }
    assertEquals(true, refused > 2000, refused + " refused");
    for (int n = 0; n < file.length; n++) {
      byte[] cut = java.util.Arrays.copyOf(file, n);
      assertThrows(IllegalArgumentException.class, () -> Safetensors.read(cut, "f"));
    }
  }
}
