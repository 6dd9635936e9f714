package io.fragua.pipelines.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.pipelines.cluster.SparkHome;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Opens the assembly jar that {@code mvn package} left, and checks what it brings to a cluster. */
class AssemblyJarIT {
  private static final File JAR = new File(System.getProperty("fragua.assembly"));

  private static Set<String> packages(File jar) throws IOException {
    try (JarFile file = new JarFile(jar)) {
      return file.stream()
          .map(entry -> entry.getName().replaceFirst("^META-INF/versions/\\d+/", ""))
          .filter(name -> name.endsWith(".class") && name.contains("/"))
          .map(name -> name.substring(0, name.lastIndexOf('/')))
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  private static Set<String> names() throws IOException {
    try (JarFile file = new JarFile(JAR)) {
      return file.stream().map(e -> e.getName()).collect(Collectors.toSet());
    }
  }

  @Test
  void holdsNoPackageThatSparkHas() throws IOException {
    Set<String> ours = packages(JAR);
    assertTrue(ours.contains("io/fragua/pipelines/cli"), "the jar holds no Fragua at all");
    int jars = 0;
    for (Path entry : SparkHome.jars()) {
      Set<String> both = new TreeSet<>(packages(entry.toFile()));
      both.retainAll(ours);
      assertEquals(Set.of(), both, "packages that are also in " + entry);
      jars++;
    }
    assertTrue(jars > 100, "only " + jars + " jars seen: this is not Spark's class path");
  }

  @Test
  void everyClassIsOursOrCannotMove() throws IOException {
    for (String name : packages(JAR)) {
      assertTrue(
          name.startsWith("io/fragua/")
              || name.startsWith("org/bytedeco/")
              || name.startsWith("com/sun/jna")
              || name.startsWith("jcuda"),
          name + " is a library's package under its own name; relocate it, or leave it to Spark");
    }
  }

  @Test
  void holdsTheNativesOfBothArchitectures() throws IOException {
    Set<String> names = names();
    for (String arch : List.of("linux-x86_64", "linux-arm64")) {
      for (String library :
          List.of(
              "javacpp/%s/libjnijavacpp.so",
              "dnnl/%s/libjnidnnl.so",
              "dnnl/%s/libdnnl.so.3",
              "dnnl/%s/libgomp.so.1",
              "opencl/%s/libOpenCL.so.1")) {
        String name = "org/bytedeco/" + String.format(library, arch);
        assertTrue(names.contains(name), name + " is missing");
      }
    }
    assertTrue(names.contains("com/sun/jna/linux-x86-64/libjnidispatch.so"));
    assertTrue(names.contains("com/sun/jna/linux-aarch64/libjnidispatch.so"));
    assertTrue(names.stream().anyMatch(n -> n.matches("lib/libJCudaDriver-.*-linux-x86_64\\.so")));
  }

  @Test
  void serviceFilesNameClassesThatAreInTheJar() throws IOException {
    Set<String> names = names();
    int services = 0;
    try (JarFile file = new JarFile(JAR)) {
      for (var entry :
          file.stream().filter(e -> e.getName().matches("META-INF/services/.+")).toList()) {
        try (InputStream in = file.getInputStream(entry)) {
          for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).split("\n")) {
            String provider = line.replaceFirst("#.*", "").strip();
            if (!provider.isEmpty()) {
              assertTrue(names.contains(provider.replace('.', '/') + ".class"), provider);
              services++;
            }
          }
        }
      }
    }
    assertTrue(services > 0, "the GPU provider at least is found by a services file");
  }

  @Test
  void theRelocatedCommandLineRunsFromTheJar() throws Exception {
    // Only the jar and Spark: Fragua's own class folders and picocli are left out.
    List<URL> path = new ArrayList<>(List.of(JAR.toURI().toURL()));
    for (Path entry : SparkHome.jars()) {
      path.add(entry.toUri().toURL());
    }
    try (URLClassLoader loader =
        new URLClassLoader(path.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
      Class<?> main = loader.loadClass(Main.class.getName());
      assertFalse(main == Main.class, "the class came from the build, not from the jar");
      Thread thread = Thread.currentThread();
      ClassLoader before = thread.getContextClassLoader();
      thread.setContextClassLoader(loader);
      try {
        main.getMethod("main", String[].class).invoke(null, (Object) new String[] {"devices"});
      } finally {
        thread.setContextClassLoader(before);
      }
    }
  }
}
