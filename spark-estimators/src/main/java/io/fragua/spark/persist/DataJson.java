package io.fragua.spark.persist;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fragua.arrow.InputColumn;
import io.fragua.arrow.Vocabulary;
import io.fragua.spark.train.EpochJson;
import io.fragua.spark.train.EpochMetrics;
import io.fragua.tensor.Check;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/** The JSON form of a model's data description and history: {@code data.json}. */
final class DataJson {
  private static final ObjectMapper JSON =
      new ObjectMapper()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);

  private static final HexFormat HEX = HexFormat.of();

  private DataJson() {}

  static String write(DataDescription d, List<EpochMetrics> history) {
    ObjectNode root = JSON.createObjectNode();
    ArrayNode numbers = root.putArray("numbers");
    for (InputColumn c : d.numbers()) {
      ObjectNode n =
          numbers
              .addObject()
              .put("name", c.name())
              .put("kind", c.kind().name().toLowerCase(Locale.ROOT));
      ArrayNode shape = n.putArray("shape");
      c.shape().forEach(shape::add);
      n.put("origin", c.origin());
    }
    named(root.putArray("categories"), d.categories());
    named(root.putArray("sparse"), d.sparse());
    reals(root.putArray("means"), d.means());
    reals(root.putArray("deviations"), d.deviations());
    root.put("standardized", d.standardized());
    root.put("classes", d.classes());
    root.put("labelMean", d.labelMean());
    root.put("labelDeviation", d.labelDeviation());
    EpochJson.write(root.putArray("history"), history);
    try {
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(root);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("data: a tree of plain values can be written", e);
    }
  }

  private static void named(ArrayNode list, List<InputColumn> columns) {
    for (InputColumn c : columns) {
      Vocabulary v = c.vocabulary();
      ObjectNode n = list.addObject().put("name", c.name());
      if (c.kind() == InputColumn.Kind.SPARSE_IDS) {
        n.put("slots", c.width());
      }
      n.put("type", v.type().name().toLowerCase(Locale.ROOT));
      if (v.type() == Vocabulary.Type.INDEX) {
        n.put("size", v.size() - 1);
        continue;
      }
      ArrayNode values = n.putArray("values");
      switch (v.type()) {
        case TEXT -> Arrays.stream(v.strings()).forEach(values::add);
        case BINARY -> Arrays.stream(v.binaries()).forEach(b -> values.add(HEX.formatHex(b)));
        default -> Arrays.stream(v.longs()).forEach(values::add);
      }
    }
  }

  private static void reals(ArrayNode list, double[] values) {
    for (double v : values) {
      list.add(v);
    }
  }

  /** A reader of one file, whose name errors begin with. */
  static final class Reader {
    private final String who;
    private final JsonNode root;

    Reader(String who, byte[] text) {
      this.who = who;
      try {
        root = JSON.readTree(text);
      } catch (java.io.IOException e) {
        throw new IllegalArgumentException(
            who + ": must be JSON: " + e.getMessage() + "; save the model again", e);
      }
    }

    DataDescription data() {
      List<InputColumn> numbers = new ArrayList<>();
      for (JsonNode n : list(root, "numbers")) {
        numbers.add(
            InputColumn.of(text(n, "name"), kind(text(n, "kind")), sizes(list(n, "shape")))
                .withOrigin(real(n, "origin")));
      }
      return new DataDescription(
          numbers,
          named("categories"),
          named("sparse"),
          reals(list(root, "means")),
          reals(list(root, "deviations")),
          check(root, "standardized", root.path("standardized").isBoolean(), "true or false")
              .booleanValue(),
          integer(root, "classes"),
          real(root, "labelMean"),
          real(root, "labelDeviation"));
    }

    private List<InputColumn> named(String name) {
      List<InputColumn> out = new ArrayList<>();
      int offset = 0;
      for (JsonNode n : list(root, name)) {
        Vocabulary v = vocabulary(n, offset);
        out.add(
            name.equals("sparse")
                ? InputColumn.sparseIds(text(n, "name"), integer(n, "slots"), v)
                : InputColumn.category(text(n, "name"), v));
        offset += v.size();
      }
      return out;
    }

    List<EpochMetrics> history() {
      return EpochJson.read(root.path("history"), who);
    }

    private InputColumn.Kind kind(String name) {
      for (InputColumn.Kind k : InputColumn.Kind.values()) {
        if (k != InputColumn.Kind.CATEGORY && k.name().toLowerCase(Locale.ROOT).equals(name)) {
          return k;
        }
      }
      throw new IllegalArgumentException(
          who + ": a kind of number is not known: \"" + name + "\"; save the model again");
    }

    private List<Integer> sizes(JsonNode list) {
      List<Integer> out = new ArrayList<>();
      for (JsonNode n : list) {
        Check.that(n.isInt(), "%s: a size must be an int: %s; save the model again", who, n);
        out.add(n.intValue());
      }
      return out;
    }

    private Vocabulary vocabulary(JsonNode n, int offset) {
      String type = text(n, "type");
      if (type.equals("index")) {
        return Vocabulary.indices(integer(n, "size"), offset);
      }
      JsonNode values = list(n, "values");
      int size = values.size();
      switch (type) {
        case "text" -> {
          String[] s = new String[size];
          Arrays.setAll(s, i -> category(values.get(i), values.get(i).isTextual()).textValue());
          return Vocabulary.of(s, offset);
        }
        case "binary" -> {
          byte[][] b = new byte[size][];
          Arrays.setAll(b, i -> binary(values.get(i)));
          return Vocabulary.of(b, offset);
        }
        case "whole" -> {
          long[] l = new long[size];
          Arrays.setAll(
              l,
              i -> {
                JsonNode v = values.get(i);
                return category(v, v.isIntegralNumber() && v.canConvertToLong()).longValue();
              });
          return Vocabulary.of(l, offset);
        }
        default ->
            throw new IllegalArgumentException(
                who
                    + ": names are text, binary, whole or index: "
                    + type
                    + "; save the model again");
      }
    }

    private byte[] binary(JsonNode v) {
      String hex = v.isTextual() ? v.textValue() : "?";
      boolean fits = hex.length() % 2 == 0 && hex.chars().allMatch(HexFormat::isHexDigit);
      return HEX.parseHex(category(v, fits).textValue());
    }

    private JsonNode category(JsonNode v, boolean ok) {
      Check.that(
          ok, "%s: a category must have its column's type: %s; save the model again", who, v);
      return v;
    }

    private double[] reals(JsonNode list) {
      double[] out = new double[list.size()];
      for (int i = 0; i < out.length; i++) {
        Check.that(
            list.get(i).isNumber(),
            "%s: a statistic must be a number: %s; save the model again",
            who,
            list.get(i));
        out[i] = list.get(i).doubleValue();
      }
      return out;
    }

    private double real(JsonNode n, String name) {
      return check(n, name, n.path(name).isNumber(), "a number").doubleValue();
    }

    private int integer(JsonNode n, String name) {
      return check(n, name, n.path(name).isInt(), "an int").intValue();
    }

    private String text(JsonNode n, String name) {
      return check(n, name, n.path(name).isTextual(), "a text").textValue();
    }

    private JsonNode list(JsonNode n, String name) {
      return check(n, name, n.path(name).isArray(), "a list");
    }

    private JsonNode check(JsonNode n, String name, boolean ok, String rule) {
      JsonNode v = n.path(name);
      Check.that(ok, "%s: \"%s\" must be %s: %s; save the model again", who, name, rule, v);
      return v;
    }
  }
}
