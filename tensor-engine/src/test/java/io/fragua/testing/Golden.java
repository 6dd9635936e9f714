package io.fragua.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Values computed by somebody else, in resources {@code golden}; scripts in {@code
 * src/test/python}.
 */
public final class Golden {
  private Golden() {}

  /** The JSON file of this name. */
  public static JsonNode json(String name) {
    try {
      return new ObjectMapper().readTree(bytes(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The file of this name. */
  public static byte[] bytes(String name) {
    try (InputStream in = Golden.class.getResourceAsStream("/golden/" + name)) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A list of whole numbers. */
  public static int[] ints(JsonNode list) {
    return IntStream.range(0, list.size()).map(i -> list.get(i).intValue()).toArray();
  }

  /** A list of numbers as an f32 tensor of this shape. */
  public static Tensor floats(JsonNode list, int... dims) {
    float[] v = new float[list.size()];
    for (int i = 0; i < v.length; i++) {
      v[i] = (float) list.get(i).doubleValue();
    }
    return Tensor.of(v, dims);
  }

  /** An object's members, in order. */
  public static Map<String, JsonNode> members(JsonNode object) {
    Map<String, JsonNode> m = new LinkedHashMap<>();
    object.properties().forEach(e -> m.put(e.getKey(), e.getValue()));
    return m;
  }

  /** A tensor as the scripts write it: dtype, shape, data. */
  public static Tensor tensor(JsonNode n) {
    int[] dims = new int[n.get("shape").size()];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = n.get("shape").get(i).intValue();
    }
    DType t = DType.parse(n.get("dtype").textValue());
    TensorType type = new TensorType(t, Shape.of(dims));
    Buffer b = Buffer.collected(type.byteSize());
    for (int i = 0; i < n.get("data").size(); i++) {
      JsonNode v = n.get("data").get(i);
      if (t.isFloating()) {
        b.putDouble(t, i, v.isTextual() ? Double.parseDouble(v.textValue()) : v.doubleValue());
      } else {
        b.putLong(t, i, v.longValue());
      }
    }
    return Tensor.of(type, b);
  }
}
