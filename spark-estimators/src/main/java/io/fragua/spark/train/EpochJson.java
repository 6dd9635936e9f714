package io.fragua.spark.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fragua.tensor.Check;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The JSON form of a training's history, in models and checkpoints. Doubles keep their bits. */
public final class EpochJson {
  private EpochJson() {}

  /** Appends an object an epoch. */
  public static void write(ArrayNode epochs, List<EpochMetrics> history) {
    for (EpochMetrics m : history) {
      ObjectNode n = epochs.addObject().put("epoch", m.epoch());
      real(n, "trainLoss", m.trainLoss());
      if (m.validationLoss() != null) {
        real(n, "validationLoss", m.validationLoss());
      }
      if (!m.validationMetrics().isEmpty()) {
        ObjectNode metrics = n.putObject("validationMetrics");
        m.validationMetrics().forEach((name, v) -> real(metrics, name, v));
      }
      n.put("rows", m.rows());
      real(n, "seconds", m.seconds());
    }
  }

  /**
   * Reads what {@link #write} wrote.
   *
   * @param who the file, for errors
   * @throws IllegalArgumentException if something is missing or of another kind
   */
  public static List<EpochMetrics> read(JsonNode epochs, String who) {
    Check.that(epochs.isArray(), "%s: \"history\" must be a list: %s; save it again", who, epochs);
    List<EpochMetrics> out = new ArrayList<>();
    for (JsonNode n : epochs) {
      Map<String, Double> metrics = new TreeMap<>();
      for (Iterator<String> names = n.path("validationMetrics").fieldNames(); names.hasNext(); ) {
        String name = names.next();
        metrics.put(name, real(n.path("validationMetrics"), name, who));
      }
      out.add(
          new EpochMetrics(
              (int) integer(n, "epoch", Integer.MAX_VALUE, who),
              real(n, "trainLoss", who),
              n.has("validationLoss") ? real(n, "validationLoss", who) : null,
              metrics,
              integer(n, "rows", Long.MAX_VALUE, who),
              real(n, "seconds", who)));
    }
    return out;
  }

  /** JSON has no infinity, which a loss may be: then the value is a text. */
  static void real(ObjectNode n, String name, double v) {
    if (Double.isFinite(v)) {
      n.put(name, v);
    } else {
      n.put(name, Double.toString(v));
    }
  }

  static double real(JsonNode n, String name, String who) {
    JsonNode v = n.path(name);
    if (v.isTextual()) {
      try {
        return Double.parseDouble(v.textValue());
      } catch (NumberFormatException e) {
        throw new IllegalArgumentException(
            who + ": \"" + name + "\" must be a number: " + v + "; save it again", e);
      }
    }
    Check.that(v.isNumber(), "%s: \"%s\" must be a number: %s; save it again", who, name, v);
    return v.doubleValue();
  }

  static long integer(JsonNode n, String name, long most, String who) {
    JsonNode v = n.path(name);
    Check.that(
        v.isIntegralNumber() && v.canConvertToLong() && v.longValue() >= 0 && v.longValue() <= most,
        "%s: \"%s\" must be an integer from 0 to %d: %s; save it again",
        who,
        name,
        most,
        v);
    return v.longValue();
  }
}
