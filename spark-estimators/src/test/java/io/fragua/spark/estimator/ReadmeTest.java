package io.fragua.spark.estimator;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.ml.param.Param;
import org.junit.jupiter.api.Test;

/** The module's README lists the parameters as they are. */
class ReadmeTest {
  @Test
  void tableOfParametersIsCurrent() throws IOException {
    String readme = Files.readString(Path.of("README.md"));
    NeuralClassifier c = new NeuralClassifier();
    List<Param<?>> common = List.of(c.params());
    String table = table(c, common);
    assertTrue(readme.contains(table), () -> "README.md should contain:\n" + table);
    NeuralRegressor r = new NeuralRegressor();
    Set<String> names = common.stream().map(Param::name).collect(Collectors.toSet());
    String own = table(r, Stream.of(r.params()).filter(p -> !names.contains(p.name())).toList());
    assertTrue(readme.contains(own), () -> "README.md should contain:\n" + own);
  }

  private static String table(NeuralEstimator<?, ?> c, List<Param<?>> params) {
    StringBuilder s =
        new StringBuilder("| parameter | default | meaning (range) |\n|---|---|---|\n");
    for (Param<?> p : params) {
      s.append("| `").append(p.name()).append("` | ").append(preset(c, p)).append(" | ");
      s.append(p.doc()).append(" |\n");
    }
    return s.toString();
  }

  private static String preset(NeuralEstimator<?, ?> c, Param<?> p) {
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
