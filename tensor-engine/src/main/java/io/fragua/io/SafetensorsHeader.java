package io.fragua.io;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.ShapeException;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** The JSON part of a safetensors file, checked so that its offsets can be trusted. */
record SafetensorsHeader(List<Entry> entries, Map<String, String> metadata) {
  /** The reference implementation's limit. */
  static final int MAX_BYTES = 100_000_000;

  private static final String METADATA = "__metadata__";

  private static final JsonMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints( // a name or text may be as long as the header
                      StreamReadConstraints.builder()
                          .maxNameLength(MAX_BYTES)
                          .maxStringLength(MAX_BYTES)
                          .build())
                  .build())
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /** One tensor: its bytes are {@code [begin, begin + size)} of the data. */
  record Entry(String name, TensorType type, long begin) {
    long end() {
      return begin + type.byteSize();
    }
  }

  /**
   * The header of these tensors in this order, padded so that the data is aligned to 8 bytes.
   *
   * @throws IllegalArgumentException if a name is reserved or the header is longer than is read
   */
  static byte[] write(Map<String, Tensor> tensors, Map<String, String> metadata) {
    ObjectNode root = JSON.createObjectNode();
    if (!metadata.isEmpty()) {
      ObjectNode m = root.putObject(METADATA);
      new TreeMap<>(metadata).forEach(m::put);
    }
    long at = 0;
    for (Map.Entry<String, Tensor> e : tensors.entrySet()) {
      Check.that(
          !e.getKey().equals(METADATA),
          "safetensors: a tensor cannot be called %s: it is; rename the parameter",
          METADATA);
      TensorType t = e.getValue().type();
      ObjectNode n = root.putObject(e.getKey());
      n.put("dtype", t.dtype().name());
      ArrayNode shape = n.putArray("shape");
      for (int d : t.shape().dims()) {
        shape.add(d);
      }
      n.putArray("data_offsets").add(at).add(at + t.byteSize());
      at += t.byteSize();
    }
    try {
      byte[] text = JSON.writeValueAsBytes(root);
      byte[] padded = Arrays.copyOf(text, (text.length + 7) / 8 * 8);
      Check.that(
          padded.length <= MAX_BYTES,
          "safetensors: the header must be of at most %d bytes: it has %d; shorten names or"
              + " metadata, or write several files",
          MAX_BYTES,
          padded.length);
      Arrays.fill(padded, text.length, padded.length, (byte) ' ');
      return padded;
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("safetensors: a tree of plain values can be written", e);
    }
  }

  /** Parses and checks a header of a file with {@code dataSize} bytes of data. */
  static SafetensorsHeader read(byte[] text, long dataSize, String who) {
    JsonNode root = parse(text, who);
    Map<String, String> metadata = new TreeMap<>();
    List<Entry> entries = new ArrayList<>();
    for (Map.Entry<String, JsonNode> e : root.properties()) {
      if (e.getKey().equals(METADATA)) {
        metadata.putAll(metadata(e.getValue(), who));
      } else {
        entries.add(entry(e.getKey(), e.getValue(), dataSize, who));
      }
    }
    entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    long at = 0;
    for (Entry e : entries) {
      Check.that(
          e.begin() == at,
          "%s: tensors must follow each other without hole or overlap: \"%s\" begins at %d, the one"
              + " before ends at %d; the file is damaged",
          who,
          e.name(),
          e.begin(),
          at);
      at = e.end();
    }
    Check.that(
        at == dataSize,
        "%s: the tensors must fill the file: they end at %d of %d bytes; the file is damaged",
        who,
        at,
        dataSize);
    return new SafetensorsHeader(entries, metadata);
  }

  private static JsonNode parse(byte[] text, String who) {
    try {
      String s = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text)).toString();
      JsonNode root = JSON.readTree(s);
      Check.that(
          root.isObject() && s.charAt(0) == '{',
          "%s: the header must be a JSON object from its first byte: it begins with \"%s\"; the"
              + " file is damaged or of another kind",
          who,
          s.substring(0, Math.min(8, s.length())));
      return root;
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException(
          who + ": the header must be UTF-8: it is not; the file is damaged or of another kind", e);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          who
              + ": the header must be JSON without repeated names: "
              + e.getOriginalMessage().split(" \\(", 2)[0] // the rest is about Jackson's settings
              + "; the file is damaged or of another kind",
          e);
    }
  }

  private static Map<String, String> metadata(JsonNode n, String who) {
    Map<String, String> m = new TreeMap<>();
    if (n.isNull()) { // as safetensors for Python
      return m;
    }
    Check.that(
        n.isObject(), "%s: %s must map texts to texts: %s; the file is damaged", who, METADATA, n);
    for (Map.Entry<String, JsonNode> e : n.properties()) {
      Check.that(
          e.getValue().isTextual(),
          "%s: %s must map texts to texts: \"%s\" is %s; the file is damaged",
          who,
          METADATA,
          e.getKey(),
          e.getValue());
      m.put(e.getKey(), e.getValue().textValue());
    }
    return m;
  }

  private static Entry entry(String name, JsonNode n, long dataSize, String who) {
    DType dtype = dtype(name, n, who);
    int[] dims = dims(name, n, who);
    JsonNode o = n.path("data_offsets");
    Check.that(
        o.isArray()
            && o.size() == 2
            && o.get(0).isIntegralNumber()
            && o.get(1).isIntegralNumber()
            && o.get(0).canConvertToLong()
            && o.get(1).canConvertToLong(),
        "%s: data_offsets must be two integers: \"%s\" has %s; the file is damaged",
        who,
        name,
        o);
    long begin = o.get(0).longValue();
    long end = o.get(1).longValue();
    Check.that(
        0 <= begin && begin <= end && end <= dataSize,
        "%s: a tensor must lie in the file: \"%s\" is [%d, %d) of %d bytes; the file is damaged or"
            + " truncated",
        who,
        name,
        begin,
        end,
        dataSize);
    TensorType type;
    long size;
    try {
      type = TensorType.of(dtype, dims);
      size = type.byteSize();
    } catch (ShapeException e) {
      throw new IllegalArgumentException(
          who
              + ": a tensor's size in bytes must be below 2^63: \""
              + name
              + "\" is "
              + dtype
              + Arrays.toString(dims)
              + "; the file is damaged",
          e);
    }
    Check.that(
        size == end - begin,
        "%s: a tensor's bytes must fit its type: \"%s\" is %s (%d bytes), [%d, %d) has %d; the file"
            + " is damaged",
        who,
        name,
        type,
        size,
        begin,
        end,
        end - begin);
    return new Entry(name, type, begin);
  }

  private static DType dtype(String name, JsonNode n, String who) {
    JsonNode v = n.path("dtype");
    boolean known =
        v.isTextual()
            && Arrays.stream(DType.values()).anyMatch(t -> t.name().equals(v.textValue()));
    Check.that(
        known,
        "%s: dtype must be one of %s: \"%s\" has %s; convert the file",
        who,
        Arrays.toString(DType.values()).toUpperCase(Locale.ROOT),
        name,
        v);
    return DType.parse(v.textValue());
  }

  private static int[] dims(String name, JsonNode n, String who) {
    JsonNode v = n.path("shape");
    boolean ok = v.isArray();
    for (int i = 0; ok && i < v.size(); i++) {
      ok = v.get(i).isIntegralNumber() && v.get(i).canConvertToInt() && v.get(i).intValue() >= 0;
    }
    Check.that(
        ok,
        "%s: a shape must be a list of sizes from 0 to 2147483647: \"%s\" has %s; the file is"
            + " damaged",
        who,
        name,
        v);
    int[] dims = new int[v.size()];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = v.get(i).intValue();
    }
    return dims;
  }
}
