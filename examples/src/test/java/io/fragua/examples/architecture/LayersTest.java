package io.fragua.examples.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Reads what the main code of all modules names, and fails on any edge that {@link Layers} does not
 * allow.
 */
class LayersTest {

  /**
   * Names with a package of one word (as jcuda.Pointer) count only when the word is a package we
   * know.
   */
  private static final Set<String> ROOTS =
      Set.of("io", "org", "com", "java", "javax", "jdk", "scala", "jcuda", "picocli", "sun", "net");

  private static boolean isQualified(String name) {
    return ROOTS.contains(name.substring(0, name.indexOf('.')));
  }

  @Test
  void modulesNameOnlyWhatTheyMay() throws IOException {
    List<String> wrong = new ArrayList<>();
    int edges = 0;
    for (String module : Layers.MODULES.keySet()) {
      for (Path file : SourceTree.mainJava(module)) {
        for (String name : JavaSource.read(file).names()) {
          if (isQualified(name)) {
            edges++;
            if (!Layers.mayName(module, name)) {
              wrong.add(SourceTree.ROOT.relativize(file) + " names " + name);
            }
          }
        }
      }
    }
    assertEquals(List.of(), wrong, "edges between modules that the design does not have");
    assertTrue(edges > 100, "only " + edges + " names seen: the sources were not read");
  }

  @Test
  void theEnginesPackagesNameOnlyLowerOnes() throws IOException {
    List<String> wrong = new ArrayList<>();
    for (Path file : SourceTree.mainJava("tensor-engine")) {
      JavaSource source = JavaSource.read(file);
      String[] parts = source.packageName().split("\\.");
      if (parts.length < 3 || !Layers.ENGINE.containsKey(parts[2])) {
        wrong.add(SourceTree.ROOT.relativize(file) + " is in no known layer");
        continue;
      }
      for (String name : source.names()) {
        if (isQualified(name) && !Layers.engineMayName(parts[2], name)) {
          wrong.add(SourceTree.ROOT.relativize(file) + " names " + name);
        }
      }
    }
    assertEquals(List.of(), wrong, "edges inside tensor-engine that go up");
  }

  @Test
  void aPackageBelongsToOneModule() throws IOException {
    Map<String, String> owner = new TreeMap<>();
    List<String> wrong = new ArrayList<>();
    for (String module : Layers.MODULES.keySet()) {
      for (Path file : SourceTree.mainJava(module)) {
        String name = JavaSource.read(file).packageName();
        String other = owner.putIfAbsent(name, module);
        if (other != null && !other.equals(module)) {
          wrong.add(name + " is in " + other + " and in " + module);
        }
      }
    }
    assertEquals(List.of(), wrong);
  }

  @Test
  void namesAreFoundInImportsAndInCodeButNotInText() {
    JavaSource source =
        JavaSource.parse(
            """
            /* org.apache.spark.InComment */
            package io.fragua.tensor; // jcuda.InComment
            import static io.fragua.nn.Dense.of;
            import io.fragua.cpu.*;
            import java.util.List;
            class A {
              String s = "org.apache.arrow.InText \\" org.apache.arrow.InText";
              char c = '"';
              Object o = new org.apache.spark.sql.Row(list.Node, jcuda.Pointer.to(x));
              int v = org.bytedeco.dnnl.global.dnnl.version();
            }
            """);
    assertEquals("io.fragua.tensor", source.packageName());
    assertEquals(
        Set.of(
            "io.fragua.nn.Dense.of",
            "org.bytedeco.dnnl.global.dnnl.version",
            "io.fragua.cpu.*",
            "java.util.List",
            "org.apache.spark.sql.Row",
            "list.Node",
            "jcuda.Pointer"),
        source.names());
  }

  @Test
  void theRuleRefusesEveryKindOfWrongEdge() {
    assertFalse(Layers.mayName("tensor-engine", "org.apache.spark.SparkConf"));
    assertFalse(Layers.mayName("tensor-engine", "org.apache.arrow.vector.Float4Vector"));
    assertFalse(Layers.mayName("tensor-engine", "jcuda.Pointer"));
    assertFalse(Layers.mayName("tensor-engine", "io.fragua.gpu.CudaDeviceProvider"));
    assertFalse(Layers.mayName("gpu-executor", "org.apache.arrow.vector.Float4Vector"));
    assertFalse(Layers.mayName("gpu-executor", "org.apache.spark.SparkConf"));
    assertFalse(Layers.mayName("arrow-bridge", "org.apache.spark.ml.Estimator"));
    assertTrue(Layers.mayName("arrow-bridge", "org.apache.spark.ml.linalg.DenseVector"));
    assertFalse(Layers.mayName("arrow-bridge", "io.fragua.gpu.CudaDeviceProvider"));
    assertFalse(Layers.mayName("spark-estimators", "io.fragua.gpu.CudaDeviceProvider"));
    assertFalse(Layers.mayName("spark-estimators", "io.fragua.pipelines.cli.Main"));
    assertFalse(Layers.mayName("pipelines", "io.fragua.tensor.Tensor"));
    assertTrue(Layers.mayName("pipelines", "io.fragua.exec.Devices"));
    for (String module : Layers.MODULES.keySet()) {
      assertEquals(
          module.equals("examples"), Layers.mayName(module, "io.fragua.examples.Anything"), module);
    }
    assertTrue(Layers.engineMayName("tensor", "io.fragua.op.Op"));
    assertFalse(Layers.engineMayName("tensor", "io.fragua.graph.Graph"));
    assertFalse(Layers.engineMayName("exec", "io.fragua.cpu.CpuInfo"));
    assertFalse(Layers.engineMayName("nn", "io.fragua.cpu.CpuInfo"));
    assertFalse(Layers.engineMayName("cpu", "io.fragua.transform.Grad"));
    assertFalse(Layers.engineMayName("nn", "io.fragua.optim.Optimizers"));
    assertTrue(Layers.engineMayName("optim", "io.fragua.nn.ParamTree"));
    assertFalse(Layers.engineMayName("exec", "org.bytedeco.dnnl.global.dnnl"));
  }
}
