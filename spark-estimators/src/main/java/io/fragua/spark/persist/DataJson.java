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
import java.util.List;
import java.util.Locale;

/** The JSON form of a model's data description and history: {@code data.json}. */
final class DataJson {
  private static final ObjectMapper JSON =
      new ObjectMapper()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);

  private DataJson() {}

  static String write(DataDescription d, List<EpochMetrics> history) {
    ObjectNode root = JSON.createObjectNode();
    ArrayNode numbers = root.putArray("numbers");
    for (InputColumn c : d.numbers()) {
      numbers
          .addObject()
          .put("name", c.name())
          .put("kind", c.kind().name().toLowerCase(Locale.ROOT))
          .put("width", c.width());
    }
    ArrayNode categories = root.putArray("categories");
    for (InputColumn c : d.categories()) {
      Vocabulary v = c.vocabulary();
      ObjectNode n = categories.addObject().put("name", c.name());
      n.put("type", v.isText() ? "string" : "integer");
      ArrayNode values = n.putArray("values");
      if (v.isText()) {
        for (String s : v.strings()) {
          values.add(s);
        }
      } else {
        for (long x : v.longs()) {
          values.add(x);
        }
      }
    }
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
            new InputColumn(text(n, "name"), kind(text(n, "kind")), integer(n, "width"), null));
      }
      List<InputColumn> categories = new ArrayList<>();
      int offset = 0;
      for (JsonNode n : list(root, "categories")) {
        Vocabulary v = vocabulary(n, offset);
        categories.add(InputColumn.category(text(n, "name"), v));
        offset += v.size();
      }
      return new DataDescription(
          numbers,
          categories,
          reals(list(root, "means")),
          reals(list(root, "deviations")),
          check(root, "standardized", root.path("standardized").isBoolean(), "true or false")
              .booleanValue(),
          integer(root, "classes"),
          real(root, "labelMean"),
          real(root, "labelDeviation"));
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
          who + ": a kind must be scalar, array or vector: \"" + name + "\"; save the model again");
    }

    private Vocabulary vocabulary(JsonNode n, int offset) {
      JsonNode values = list(n, "values");
      boolean strings = text(n, "type").equals("string");
      String[] s = new String[strings ? values.size() : 0];
      long[] l = new long[strings ? 0 : values.size()];
      for (int i = 0; i < values.size(); i++) {
        JsonNode v = values.get(i);
        Check.that(
            strings ? v.isTextual() : v.canConvertToLong() && v.isIntegralNumber(),
            "%s: a category must be a %s: %s; save the model again",
            who,
            strings ? "text" : "64-bit integer",
            v);
        if (strings) {
          s[i] = v.textValue();
        } else {
          l[i] = v.longValue();
        }
      }
      return strings ? Vocabulary.of(s, offset) : Vocabulary.of(l, offset);
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
