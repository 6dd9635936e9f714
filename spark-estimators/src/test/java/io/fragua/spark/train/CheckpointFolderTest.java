package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which checkpoints stay in a folder; trainings that go on from them are in RecoveryTest. */
class CheckpointFolderTest {
  private static final byte[] TENSORS = {1, 2, 3};

  @TempDir Path folder;

  @Test
  void aDamagedCheckpointIsWrittenAnewWhenTheTrainingComesThereAgain() throws IOException {
    CheckpointFolder f = new CheckpointFolder(folder.toUri().toString(), new Configuration());
    for (int i = 0; i < 2; i++) {
      f.save(Map.of(), DataSum.Value.NONE, Position.START, TENSORS, 1);
      assertArrayEquals(TENSORS, f.tensors(f.newest()));
      truncate(folder.resolve(files(folder, ".safetensors").get(0)));
    }
  }

  /** With the newest damaged, the one that is gone on from is older, and so is what comes next. */
  @Test
  void aDamagedCheckpointTakesNoSoundOneAway() throws IOException {
    CheckpointFolder f = new CheckpointFolder(folder.toUri().toString(), new Configuration());
    f.save(Map.of(), DataSum.Value.NONE, after(50), TENSORS, 2);
    f.save(Map.of(), DataSum.Value.NONE, after(100), TENSORS, 2);
    truncate(folder.resolve(files(folder, ".safetensors").get(1)));
    for (int step : new int[] {60, 70}) {
      f.save(Map.of(), DataSum.Value.NONE, after(step), TENSORS, 1);
      assertEquals(step, f.newest().position().globalStep());
    }
    assertEquals(2, files(folder, ".json").size(), "the damaged one and the last");
    f.save(Map.of(), DataSum.Value.NONE, after(100), TENSORS, 1);
    assertEquals(1, files(folder, ".json").size());
    assertArrayEquals(TENSORS, f.tensors(f.newest()));
  }

  private static Position after(int steps) {
    return new Position(0, 0, steps, 0, 0, 0, 0, 0, 0, false, new ArrayList<>());
  }

  /** Names of the files there with this ending, in order, without Hadoop's checksums. */
  static List<String> files(Path folder, String ending) {
    try (Stream<Path> s = Files.list(folder)) {
      return s.map(p -> p.getFileName().toString())
          .filter(n -> !n.endsWith(".crc") && n.endsWith(ending))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Takes a file's last byte, and the checksum that Hadoop keeps beside it. */
  static void truncate(Path file) throws IOException {
    byte[] good = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(good, good.length - 1));
    Files.deleteIfExists(file.resolveSibling("." + file.getFileName() + ".crc"));
  }
}
