package io.fragua.spark.estimator;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.apache.spark.ml.param.Param;
import org.junit.jupiter.api.Test;

/** The module's README lists the parameters as they are. */
class ReadmeTest {
  @Test
  void tableOfParametersIsCurrent() throws IOException {
    String readme = Files.readString(Path.of("README.md"));
    String table = table(new NeuralClassifier());
    assertTrue(readme.contains(table), () -> "README.md should contain:\n" + table);
  }

  private static String table(NeuralClassifier c) {
    StringBuilder s =
        new StringBuilder("| parameter | default | meaning (range) |\n|---|---|---|\n");
    for (Param<?> p : c.params()) {
      s.append("| `").append(p.name()).append("` | ").append(preset(c, p)).append(" | ");
      s.append(p.doc()).append(" |\n");
    }
    return s.toString();
  }

  private static String preset(NeuralClassifier c, Param<?> p) {
    if (!c.hasDefault(p)) {
      return "not set";
    }
    Object v = c.getDefault(p).get();
    if (v instanceof int[] a) {
      return Arrays.toString(a);
    }
    if (v instanceof String[] a) {
      return a.length == 0 ? "none" : Arrays.toString(a);
    }
    return v.equals("") ? "none" : String.valueOf(v);
  }
}
