package io.fragua.spark.estimator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.spark.train.ChildJvm;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * On a cluster: whatever {@code spark.serializer} is, and whatever it is told to refuse; and with
 * cores for workers.
 */
class KryoTest {
  @TempDir private static Path temp;
  private static List<String> said;

  @BeforeAll
  static void run() throws Exception {
    Path cluster = temp.resolve("cluster");
    said = ChildJvm.cluster(cluster, KryoMain.class, 0, temp.resolve("kryo").toString());
  }

  private static void assertSaid(String line) {
    assertTrue(said.contains(line), () -> line + " is not in\n" + String.join("\n", said));
  }

  private static String twoWorkers(String way) throws Exception {
    return KryoMain.results(Spark.session(), way, 0, Spark.folder(way).toString());
  }

  @Test
  void kryoCarriesPlansResultsAndModels() throws Exception {
    for (String way : List.of("barrier", "localSgd")) {
      String java = twoWorkers(way);
      assertSaid(way + " " + java);
      assertEquals(java.split(" ")[0], java.split(" ")[1]);
    }
    assertSaid("probe 2");
  }

  /** Of four cores two workers take two each, and learn what two of one core learn. */
  @Test
  void workersGetTheCoresThatTheyAskFor() throws Exception {
    assertSaid("asked for [2, 2]");
    assertSaid("cores " + twoWorkers("barrier"));
  }
}
