package io.fragua.graph;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fragua.op.Op;
import io.fragua.op.OpTable;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The JSON form of a graph: what a saved model's {@code graph.json} holds. Reading treats the text
 * as hostile: sizes are checked before memory is taken, every type is inferred again, and nothing
 * but the op table's rows can be named.
 */
public final class GraphJson {
  /**
   * Version of the format; a reader refuses a higher one. Since 2 an equation may have several
   * results, and a setting may be a graph; a text of 1 means the same.
   */
  public static final int FORMAT = 2;

  // The text is in memory already, so the length of a constant's base64 needs no second limit.
  private static final ObjectMapper JSON =
      new ObjectMapper(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private GraphJson() {}

  /** Writes a graph; equal graphs give equal text. */
  public static String write(Graph g) {
    ObjectNode root = JSON.createObjectNode();
    root.put("format", FORMAT);
    graph(root, g);
    try {
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(root);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("graph: a tree of plain values can be written", e);
    }
  }

  private static void graph(ObjectNode root, Graph g) {
    ArrayNode inputs = root.putArray("inputs");
    for (Graph.Input i : g.inputs()) {
      type(inputs.addObject().put("name", i.name()), i.type());
    }
    ArrayNode constants = root.putArray("constants");
    for (Tensor c : g.constants()) {
      byte[] data = new byte[c.buffer().size()];
      c.buffer().bytes().get(0, data);
      type(constants.addObject(), c.type()).put("data", data); // base64, little endian
    }
    ArrayNode equations = root.putArray("equations");
    for (Graph.Equation e : g.equations()) {
      ObjectNode n = equations.addObject().put("op", e.op().name());
      if (e.types().size() == 1) {
        type(n, e.type());
      } else {
        ArrayNode results = n.putArray("results");
        e.types().forEach(t -> type(results.addObject(), t));
      }
      ArrayNode in = n.putArray("inputs");
      e.inputs().forEach(in::add);
      if (!e.attrs().asMap().isEmpty()) {
        attrs(n.putObject("attrs"), e.attrs());
      }
    }
    ArrayNode outputs = root.putArray("outputs");
    for (Graph.Output o : g.outputs()) {
      outputs.addObject().put("name", o.name()).put("value", o.value());
    }
  }

  /**
   * Reads a graph.
   *
   * @throws IllegalArgumentException if the text is no graph, is damaged, or has a newer format
   */
  public static Graph read(String text) {
    JsonNode root;
    try {
      root = JSON.readTree(text);
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "graph: the text must be JSON: " + e.getMessage() + "; the file is damaged", e);
    }
    int format = integer(root, "format");
    Check.that(
        format >= 1 && format <= FORMAT,
        "graph: this version reads formats 1 to %d: format %d; load it with a newer Fragua",
        FORMAT,
        format);
    return graph(root);
  }

  private static Graph graph(JsonNode root) {
    List<Graph.Input> inputs = new ArrayList<>();
    for (JsonNode n : list(root, "inputs")) {
      inputs.add(new Graph.Input(text(n, "name"), type(n)));
    }
    List<Tensor> constants = new ArrayList<>();
    for (JsonNode n : list(root, "constants")) {
      constants.add(constant(n));
    }
    List<Graph.Equation> equations = new ArrayList<>();
    for (JsonNode n : list(root, "equations")) {
      Op op = OpTable.get(text(n, "op"));
      List<Integer> in = new ArrayList<>();
      for (JsonNode v : list(n, "inputs")) {
        Check.that(v.isInt(), "graph: a value number must be an int: %s; the graph is damaged", v);
        in.add(v.intValue());
      }
      List<TensorType> types = new ArrayList<>();
      if (n.has("results")) {
        for (JsonNode r : list(n, "results")) {
          types.add(type(r));
        }
      } else {
        types.add(type(n));
      }
      equations.add(new Graph.Equation(op, attrs(n.path("attrs")), in, types));
    }
    List<Graph.Output> outputs = new ArrayList<>();
    for (JsonNode n : list(root, "outputs")) {
      outputs.add(new Graph.Output(text(n, "name"), integer(n, "value")));
    }
    return new Graph(inputs, constants, equations, outputs);
  }

  private static Tensor constant(JsonNode n) {
    TensorType t = type(n);
    byte[] data;
    try {
      data = n.path("data").binaryValue();
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "graph: a constant's data must be base64: " + e.getMessage() + "; the graph is damaged",
          e);
    }
    Check.that(
        data != null && data.length == t.byteSize(),
        "graph: a constant's data must fit its type: %s needs %d bytes, got %s; the graph is"
            + " damaged",
        t,
        t.byteSize(),
        data == null ? "none" : data.length);
    for (int i = 0; t.dtype() == DType.BOOL && i < data.length; i++) {
      Check.that(
          data[i] == 0 || data[i] == 1,
          "graph: a bool constant holds bytes 0 and 1: %d at position %d of %s; the graph is"
              + " damaged",
          data[i],
          i,
          t);
    }
    Buffer b = Buffer.collected(data.length);
    b.bytes().put(0, data);
    return Tensor.of(t, b);
  }

  private static ObjectNode type(ObjectNode n, TensorType t) {
    n.put("dtype", t.dtype().toString());
    ArrayNode shape = n.putArray("shape");
    for (int d : t.shape().dims()) {
      shape.add(d);
    }
    return n;
  }

  private static TensorType type(JsonNode n) {
    DType dtype = DType.parse(text(n, "dtype"));
    TensorType t = new TensorType(dtype, Shape.of(ints(list(n, "shape"))));
    t.byteSize(); // refuses a size that overflows
    return t;
  }

  private static void attrs(ObjectNode n, Attrs attrs) {
    for (Map.Entry<String, Object> e : attrs.asMap().entrySet()) {
      Object v = e.getValue();
      if (v instanceof Integer i) {
        n.put(e.getKey(), i);
      } else if (v instanceof Double d) {
        // An object, so that 1.0 stays a double, and infinities and NaN are legal JSON.
        n.putObject(e.getKey()).put("real", d.toString());
      } else if (v instanceof int[] a) {
        ArrayNode list = n.putArray(e.getKey());
        for (int x : a) {
          list.add(x);
        }
      } else if (v instanceof Graph g) {
        graph(n.putObject(e.getKey()).putObject("graph"), g);
      } else {
        n.put(e.getKey(), (String) v);
      }
    }
  }

  private static Attrs attrs(JsonNode n) {
    Attrs a = Attrs.NONE;
    Check.that(
        n.isMissingNode() || n.isObject(),
        "graph: \"attrs\" must be an object: %s; the graph is damaged",
        n);
    for (Map.Entry<String, JsonNode> e : n.properties()) {
      JsonNode v = e.getValue();
      Object value;
      if (v.isInt()) {
        value = v.intValue();
      } else if (v.isTextual()) {
        value = v.textValue();
      } else if (v.isArray()) {
        value = ints(v);
      } else if (v.has("graph")) {
        value = graph(v.path("graph"));
      } else {
        try {
          value = Double.valueOf(text(v, "real"));
        } catch (NumberFormatException x) {
          throw new IllegalArgumentException(
              "graph: a real setting must be a number: " + v + "; the graph is damaged", x);
        }
      }
      a = a.with(e.getKey(), value);
    }
    return a;
  }

  private static int[] ints(JsonNode list) {
    int[] out = new int[list.size()];
    for (int i = 0; i < out.length; i++) {
      JsonNode v = list.get(i);
      Check.that(v.isInt(), "graph: a list element must be an int: %s; the graph is damaged", v);
      out[i] = v.intValue();
    }
    return out;
  }

  private static JsonNode list(JsonNode n, String name) {
    JsonNode v = n.path(name);
    Check.that(v.isArray(), "graph: \"%s\" must be a list: %s; the graph is damaged", name, v);
    return v;
  }

  private static String text(JsonNode n, String name) {
    JsonNode v = n.path(name);
    Check.that(v.isTextual(), "graph: \"%s\" must be a text: %s; the graph is damaged", name, v);
    return v.textValue();
  }

  private static int integer(JsonNode n, String name) {
    JsonNode v = n.path(name);
    Check.that(v.isInt(), "graph: \"%s\" must be an int: %s; the graph is damaged", name, v);
    return v.intValue();
  }
}
