package io.fragua.examples.architecture;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The rule of who may name whom, as data. A name is allowed if it starts with an entry and no "!"
 * entry is longer.
 */
final class Layers {
  /**
   * The packages of tensor-engine, each with the ones it may import: lower layers, never higher
   * ones.
   */
  static final Map<String, Set<String>> ENGINE = new TreeMap<>();

  /**
   * Native and generated code and libraries of numerics are the CPU backend's affair. JNA is also
   * how memory is taken from the system, in {@code exec}.
   */
  static final List<String> ONLY_IN_CPU =
      List.of("org.bytedeco.", "org.codehaus.", "org.netlib.", "org.jtransforms.", "pl.edu.icm.");

  private static final Set<String> MAY_NAME_JNA = Set.of("cpu", "exec");

  /** For each module what its main code may name beside the JDK. */
  static final Map<String, List<String>> MODULES = new TreeMap<>();

  static {
    ENGINE.put("tensor", Set.of("op"));
    ENGINE.put("op", Set.of("tensor"));
    ENGINE.put("graph", Set.of("tensor", "op"));
    ENGINE.put("exec", Set.of("tensor", "op", "graph"));
    ENGINE.put("cpu", Set.of("tensor", "op", "graph", "exec"));
    ENGINE.put("transform", Set.of("tensor", "op", "graph", "exec"));
    ENGINE.put("random", Set.of("tensor", "op", "graph", "exec", "transform"));
    ENGINE.put("nn", Set.of("tensor", "op", "graph", "exec", "transform", "random"));
    ENGINE.put("image", Set.of("tensor", "op", "graph", "exec", "transform", "random"));
    // Optimizers walk the tree of parameters that layers make; layers know no optimizer.
    ENGINE.put("optim", Set.of("tensor", "op", "graph", "exec", "transform", "random", "nn"));
    // Metrics count on the host what a network gave; they know no network.
    ENGINE.put("metrics", Set.of("tensor"));
    ENGINE.put("io", Set.of("tensor", "op", "graph", "exec", "transform", "random", "nn", "optim"));

    // Spark ML's vectors are a column type, so arrow-bridge may name them, and nothing else of
    // Spark ML. Hadoop's Writable is what every Spark can serialise, by Kryo too.
    MODULES.put(
        "tensor-engine",
        List.of(
            "io.fragua.",
            "!io.fragua.arrow.",
            "!io.fragua.gpu.",
            "!io.fragua.spark.",
            "!io.fragua.pipelines.",
            "!io.fragua.examples.",
            "org.bytedeco.",
            "org.codehaus.janino.",
            "org.codehaus.commons.compiler.",
            "com.sun.jna.",
            "org.apache.commons.numbers.",
            "org.netlib.",
            "org.jtransforms.",
            "com.fasterxml.jackson.",
            "org.slf4j."));
    MODULES.put(
        "arrow-bridge",
        List.of(
            "io.fragua.",
            "!io.fragua.gpu.",
            "!io.fragua.spark.",
            "!io.fragua.pipelines.",
            "!io.fragua.examples.",
            "org.apache.arrow.",
            "org.apache.spark.",
            "!org.apache.spark.ml.",
            "org.apache.spark.ml.linalg.",
            "org.apache.hadoop.io.Writable",
            "scala.",
            "com.fasterxml.jackson.",
            "org.slf4j."));
    MODULES.put(
        "gpu-executor",
        List.of(
            "io.fragua.",
            "!io.fragua.arrow.",
            "!io.fragua.spark.",
            "!io.fragua.pipelines.",
            "!io.fragua.examples.",
            "jcuda.",
            "org.slf4j."));
    MODULES.put(
        "spark-estimators",
        List.of(
            "io.fragua.",
            "!io.fragua.gpu.",
            "!io.fragua.pipelines.",
            "!io.fragua.examples.",
            "org.apache.arrow.",
            // Netty alone knows how much is left of the memory that Arrow's comes from.
            "io.netty.util.internal.PlatformDependent",
            "org.apache.hadoop.",
            "org.apache.spark.",
            // Spark ML's own API for a stage's metadata speaks it.
            "org.json4s.",
            "scala.",
            "com.fasterxml.jackson.",
            "org.slf4j."));
    // Pipelines are made of Spark stages; of the engine they see only what describes the machine.
    MODULES.put(
        "pipelines",
        List.of(
            "io.fragua.pipelines.",
            "io.fragua.spark.",
            "io.fragua.exec.Device",
            "io.fragua.cpu.CpuInfo",
            "org.apache.hadoop.",
            "org.apache.spark.",
            "scala.",
            "picocli.",
            "com.fasterxml.jackson.",
            "org.slf4j."));
    MODULES.put(
        "examples",
        List.of(
            "io.fragua.",
            "org.apache.arrow.",
            "org.apache.hadoop.",
            "org.apache.spark.",
            "scala.",
            "picocli.",
            "com.fasterxml.jackson.",
            "org.slf4j."));
  }

  private static final List<String> JDK = List.of("java.", "javax.", "jdk.", "com.sun.management.");

  private Layers() {}

  /**
   * Whether main code of {@code module} may name {@code name}; the longest matching entry decides.
   */
  static boolean mayName(String module, String name) {
    if (JDK.stream().anyMatch(name::startsWith)) {
      return true;
    }
    int longest = 0;
    boolean allowed = false;
    for (String entry : MODULES.get(module)) {
      boolean refuses = entry.startsWith("!");
      String prefix = refuses ? entry.substring(1) : entry;
      if (name.startsWith(prefix) && prefix.length() > longest) {
        longest = prefix.length();
        allowed = !refuses;
      }
    }
    return allowed;
  }

  /** Whether a class of the engine's package {@code from} may name {@code name}. */
  static boolean engineMayName(String from, String name) {
    if (!from.equals("cpu") && ONLY_IN_CPU.stream().anyMatch(name::startsWith)) {
      return false;
    }
    if (name.startsWith("com.sun.jna.")) {
      return MAY_NAME_JNA.contains(from);
    }
    if (!name.startsWith("io.fragua.")) {
      return true;
    }
    String to = name.split("\\.")[2];
    return to.equals(from) || ENGINE.get(from).contains(to);
  }
}
