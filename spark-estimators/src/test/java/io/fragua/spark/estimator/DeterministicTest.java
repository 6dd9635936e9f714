package io.fragua.spark.estimator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.fragua.spark.train.ChildJvm;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code deterministic=true}: what was learnt depends neither on workers nor on partitions. */
class DeterministicTest {
  @Test
  void anyNumberOfWorkersAndAnyPartitionsGiveTheSameBits(@TempDir Path temp) throws Exception {
    List<String[]> said =
        ChildJvm.run(temp, DeterministicMain.class).stream()
            .filter(l -> l.startsWith("MODEL ") || l.startsWith("OTHER "))
            .map(l -> l.split(" "))
            .toList();
    assertEquals(6, said.size());
    String first = said.get(0)[3];
    for (String[] s : said.subList(1, 5)) {
      assertEquals(first, s[3], s[1] + " workers, " + s[2] + " partitions");
    }
    assertNotEquals(first, said.get(5)[3], "another seed");
  }
}
