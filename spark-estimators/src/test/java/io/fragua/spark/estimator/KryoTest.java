package io.fragua.spark.estimator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.spark.train.ChildJvm;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever {@code spark.serializer} is, and whatever it is told to refuse. */
class KryoTest {
  @Test
  void kryoCarriesPlansResultsAndModels(@TempDir Path temp) throws Exception {
    List<String> said = ChildJvm.cluster(temp, KryoMain.class, 0, temp.resolve("kryo").toString());
    for (String way : List.of("barrier", "localSgd")) {
      String java = KryoMain.results(Spark.session(), way, temp.resolve(way).toString());
      assertTrue(said.contains(way + " " + java), String.join("\n", said));
      assertEquals(java.split(" ")[0], java.split(" ")[1]);
      assertEquals(way.equals("barrier") ? "2" : "0", java.split(" ")[3], "workers at once");
    }
    assertTrue(said.contains("probe 2"), String.join("\n", said));
  }
}
