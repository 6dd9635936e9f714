package io.fragua.spark.train;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fragua.spark.files.CheckedFolder;
import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A checkpoint without its tensors: the JSON file that makes it one.
 *
 * @param identity of its training: names and values
 * @param rows what it was learning from, all workers together
 * @param position where it stood
 * @param bytes size of the file of the tensors
 * @param sha256 of that file
 */
record Checkpoint(
    Map<String, String> identity, DataSum.Value rows, Position position, long bytes, String sha256)
    implements Serializable {
  private static final int FORMAT = 1;
  private static final ObjectMapper JSON =
      new ObjectMapper()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);

  Checkpoint {
    identity = new TreeMap<>(identity);
  }

  CheckedFolder.Sum sum() {
    return new CheckedFolder.Sum(bytes, sha256);
  }

  byte[] write() throws IOException {
    ObjectNode root = JSON.createObjectNode().put("formatVersion", FORMAT);
    ObjectNode training = root.putObject("training");
    identity.forEach(training::put);
    root.putObject("data")
        .put("content", Long.toHexString(rows.content()))
        .put("order", Long.toHexString(rows.order()));
    root.putObject("tensors").put("bytes", bytes).put("sha256", sha256);
    ObjectNode p = root.putObject("position");
    p.put("epoch", position.epoch())
        .put("step", position.step())
        .put("globalStep", position.globalStep())
        .put("rows", position.rows());
    EpochJson.real(p, "loss", position.loss());
    EpochJson.real(p, "weights", position.weights());
    EpochJson.real(p, "seconds", position.seconds());
    EpochJson.real(p, "best", position.best());
    p.put("worse", position.worse()).put("ended", position.ended());
    EpochJson.write(root.putArray("history"), position.history());
    return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(root);
  }

  /**
   * Reads what {@link #write} wrote, or what somebody else did.
   *
   * @param who the file's name, which errors begin with
   * @throws IllegalArgumentException if it is no checkpoint
   */
  static Checkpoint read(byte[] text, String who) {
    JsonNode root;
    try {
      root = JSON.readTree(text);
    } catch (IOException e) {
      throw new IllegalArgumentException(
          who + ": must be JSON: " + e.getMessage() + "; " + CheckpointFolder.REMEDY, e);
    }
    long format = EpochJson.integer(root, "formatVersion", Integer.MAX_VALUE, who);
    Check.that(
        format == FORMAT,
        "%s: this version of Fragua reads checkpoints of format %d: format %d; go on with the"
            + " version that wrote it",
        who,
        FORMAT,
        format);
    Map<String, String> identity = new TreeMap<>();
    for (Iterator<String> names = root.path("training").fieldNames(); names.hasNext(); ) {
      String name = names.next();
      identity.put(name, text(root.path("training"), name, who));
    }
    JsonNode p = root.path("position");
    boolean truth = p.path("ended").isBoolean();
    Check.that(truth, "%s: \"ended\" must be true or false; %s", who, CheckpointFolder.REMEDY);
    Position position =
        new Position(
            (int) EpochJson.integer(p, "epoch", Integer.MAX_VALUE, who),
            (int) EpochJson.integer(p, "step", Integer.MAX_VALUE, who),
            EpochJson.integer(p, "globalStep", Long.MAX_VALUE, who),
            EpochJson.integer(p, "rows", Long.MAX_VALUE, who),
            EpochJson.real(p, "loss", who),
            EpochJson.real(p, "weights", who),
            EpochJson.real(p, "seconds", who),
            EpochJson.real(p, "best", who),
            (int) EpochJson.integer(p, "worse", Integer.MAX_VALUE, who),
            p.path("ended").booleanValue(),
            new ArrayList<>(EpochJson.read(root.path("history"), who)));
    Check.that(
        position.history().size() == position.epoch(),
        "%s: its history must be that of the epochs before: %d, epoch %d; %s",
        who,
        position.history().size(),
        position.epoch(),
        CheckpointFolder.REMEDY);
    return new Checkpoint(
        identity,
        new DataSum.Value(hex(root, "content", who), hex(root, "order", who)),
        position,
        EpochJson.integer(root.path("tensors"), "bytes", Long.MAX_VALUE, who),
        text(root.path("tensors"), "sha256", who));
  }

  /**
   * Copies a checkpoint's tensors to those that they are to become.
   *
   * @param who their file, for errors
   * @throws IllegalArgumentException if they are not exactly these
   */
  static void copy(Map<String, Tensor> given, Map<String, Tensor> to, String who) {
    Check.that(
        to.keySet().equals(given.keySet()),
        "%s: must hold the tensors %s: it holds %s; %s",
        who,
        new TreeSet<>(to.keySet()),
        new TreeSet<>(given.keySet()),
        CheckpointFolder.REMEDY);
    given.forEach(
        (name, t) -> {
          Tensor mine = to.get(name);
          Check.that(
              t.type().equals(mine.type()),
              "%s: %s must be %s: %s; %s",
              who,
              name,
              mine.type(),
              t.type(),
              CheckpointFolder.REMEDY);
          mine.buffer().copyFrom(t.buffer());
        });
  }

  private static long hex(JsonNode root, String name, String who) {
    String s = text(root.path("data"), name, who);
    try {
      return Long.parseUnsignedLong(s, 16);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          who
              + ": \""
              + name
              + "\" must be a hexadecimal number: "
              + s
              + "; "
              + CheckpointFolder.REMEDY,
          e);
    }
  }

  private static String text(JsonNode n, String name, String who) {
    Check.that(
        n.path(name).isTextual(),
        "%s: \"%s\" must be a text: %s; %s",
        who,
        name,
        n.path(name),
        CheckpointFolder.REMEDY);
    return n.path(name).textValue();
  }
}
