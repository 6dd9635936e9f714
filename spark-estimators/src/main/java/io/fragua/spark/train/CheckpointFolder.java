package io.fragua.spark.train;

import io.fragua.spark.files.CheckedFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A folder of checkpoints. Each is a file of tensors and, written after it, a JSON file of the same
 * name that says what the other must be; without the second there is no checkpoint. Both get their
 * names when they are complete.
 */
final class CheckpointFolder extends CheckedFolder {
  private static final Logger LOG = LoggerFactory.getLogger(CheckpointFolder.class);

  static final String REMEDY =
      "remove this checkpoint to go on from the one before, or all of them to begin anew";

  /** Is there while a training runs, for workers to see that they see the driver's folder. */
  private static final String MARK = "in-use";

  private static final Pattern NAME = Pattern.compile("checkpoint-\\d{15}\\.json");
  private static final int MOST_JSON = 64 << 20;

  CheckpointFolder(String path, Configuration hadoop) throws IOException {
    super(path, hadoop, "checkpoint", REMEDY);
  }

  /** What the driver says of a folder that it cannot use. */
  static UncheckedIOException unusable(String path, IOException e) {
    return new UncheckedIOException(
        "train: checkpointDir must be on a file system that can be read and written: "
            + path
            + ": "
            + e.getMessage()
            + "; correct it",
        e);
  }

  /** The file name without its ending. */
  static String base(long globalStep) {
    return String.format("checkpoint-%015d", globalStep);
  }

  private static String tensors(long globalStep) {
    return base(globalStep) + ".safetensors";
  }

  /** JSON files of the checkpoints, oldest first. */
  private List<String> names() throws IOException {
    List<String> names = new ArrayList<>(list());
    names.removeIf(n -> !NAME.matcher(n).matches());
    Collections.sort(names);
    return names;
  }

  /**
   * Writes a checkpoint and removes all but the newest ones.
   *
   * @param keep how many stay
   */
  void save(
      Map<String, String> identity, DataSum.Value rows, Position position, byte[] tensors, int keep)
      throws IOException {
    String json = base(position.globalStep()) + ".json";
    if (!has(json) || !sound(json)) { // else it is there, from before an executor was lost
      Sum sum = replace(tensors(position.globalStep()), tensors);
      Checkpoint c = new Checkpoint(identity, rows, position, sum.bytes(), sum.sha256());
      replace(json, c.write());
    }
    List<String> all = names();
    // Later ones are damaged, and written anew when it is time.
    all.removeIf(n -> n.compareTo(json) > 0);
    for (String old : all.subList(0, Math.max(0, all.size() - keep))) {
      removeCheckpoint(old);
    }
  }

  private void removeCheckpoint(String json) throws IOException {
    remove(json); // first: without it the other file is nothing
    remove(json.replace(".json", ".safetensors"));
  }

  /**
   * The newest checkpoint, or null if there is none. One that is damaged is left out if there is an
   * older one; a training that goes on from that writes it anew.
   *
   * @throws IllegalArgumentException if there is none but a damaged one
   */
  Checkpoint newest() throws IOException {
    List<String> all = names();
    int at = all.size() - 1;
    while (at > 0 && !sound(all.get(at))) {
      at--;
    }
    return at < 0 ? null : read(all.get(at));
  }

  /** Whether both files are as they were written; a warning says what is wrong. */
  private boolean sound(String json) throws IOException {
    try {
      Checkpoint c = read(json);
      check(tensors(c.position().globalStep()), c.sum());
      return true;
    } catch (IllegalArgumentException damaged) {
      LOG.warn("train: a checkpoint is left out, for it is damaged: {}", damaged.getMessage());
      return false;
    }
  }

  private Checkpoint read(String json) throws IOException {
    Checkpoint c = Checkpoint.read(readUnchecked(json, MOST_JSON), name(json));
    if (!json.equals(base(c.position().globalStep()) + ".json")) {
      throw new IllegalArgumentException(
          name(json)
              + ": a checkpoint's file must be named after its step: "
              + c.position().globalStep()
              + "; "
              + REMEDY);
    }
    return c;
  }

  /** The tensors' file of a checkpoint that {@link #newest} gave. */
  byte[] tensors(Checkpoint c) throws IOException {
    return read(tensors(c.position().globalStep()), c.sum());
  }

  /** Full name of the tensors' file, for errors. */
  String tensorsName(Checkpoint c) {
    return name(tensors(c.position().globalStep()));
  }

  /** Leaves a mark for {@link #checkMark}. */
  void mark() throws IOException {
    replace(MARK, new byte[0]);
  }

  /** Takes the mark away. */
  void unmark() throws IOException {
    remove(MARK);
  }

  /**
   * Whether this is the folder that the driver marked.
   *
   * @throws IllegalArgumentException if it is another, as a local one on another machine
   */
  void checkMark(String host) throws IOException {
    if (!has(MARK)) {
      throw new IllegalArgumentException(
          name(MARK)
              + ": checkpointDir must be on a file system that driver and executors see: it is not"
              + " there on host "
              + host
              + "; use a shared file system");
    }
  }

  /** Removes all checkpoints and what unfinished ones left. */
  void clear() throws IOException {
    for (String json : names()) {
      removeCheckpoint(json);
    }
    for (String file : list()) {
      if (file.matches("checkpoint-\\d{15}\\.safetensors")) {
        remove(file); // its JSON was never written
      }
    }
    removeUnfinished();
  }

  /**
   * Refuses a checkpoint of another training.
   *
   * @throws IllegalArgumentException naming all that differs
   */
  void check(Checkpoint c, Map<String, String> identity) {
    TreeSet<String> names = new TreeSet<>(identity.keySet());
    names.addAll(c.identity().keySet());
    Map<String, String> differs = new TreeMap<>();
    for (String n : names) {
      String then = c.identity().get(n);
      String now = identity.get(n);
      if (!String.valueOf(then).equals(String.valueOf(now))) {
        differs.put(n, then + " then, " + now + " now");
      }
    }
    if (!differs.isEmpty()) {
      throw other(c, differs.toString());
    }
  }

  IllegalArgumentException other(Checkpoint c, String differs) {
    return new IllegalArgumentException(
        name(base(c.position().globalStep()) + ".json")
            + ": a training goes on from its own checkpoints: this is of another, which differs in "
            + differs
            + "; fit with the same data and parameters, set another checkpointDir, or remove the"
            + " checkpoints to begin anew");
  }
}
