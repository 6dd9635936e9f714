package io.fragua.pipelines.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.arrow.ColumnarMap;
import io.fragua.exec.Program;
import io.fragua.pipelines.cli.Main;
import io.fragua.spark.estimator.NeuralClassifier;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every class, method and field of Spark and what it brings that Fragua's classes name is there, in
 * whatever version is on the class path: what is compiled against one version of Spark runs on
 * another only if that holds.
 */
class LinkageTest {
  private static final List<String> SPARKS =
      List.of("org/apache/", "scala/", "com/fasterxml/", "org/codehaus/janino/", "org/slf4j/");

  @ParameterizedTest
  @ValueSource(classes = {Program.class, ColumnarMap.class, NeuralClassifier.class, Main.class})
  void allThatTheModuleNamesIsThere(Class<?> one) throws Exception {
    URI module = one.getProtectionDomain().getCodeSource().getLocation().toURI();
    Set<String> missing = new TreeSet<>();
    int[] seen = new int[2];
    Path path = Path.of(module);
    if (Files.isDirectory(path)) {
      check(path, missing, seen);
    } else {
      try (FileSystem jar = FileSystems.newFileSystem(path)) {
        check(jar.getPath("/"), missing, seen);
      }
    }
    assertEquals(
        Set.of(), missing, "on Spark " + org.apache.spark.package$.MODULE$.SPARK_VERSION());
    assertTrue(seen[0] > 5 && seen[1] > 5, seen[0] + " classes, " + seen[1] + " references");
  }

  private static void check(Path root, Set<String> missing, int[] seen) throws IOException {
    List<Path> classes;
    try (Stream<Path> all = Files.walk(root)) {
      classes = all.filter(p -> p.toString().endsWith(".class")).toList();
    }
    for (Path p : classes) {
      seen[0]++;
      String name = root.relativize(p).toString().replace(File.separatorChar, '/');
      for (Reference r : references(Files.readAllBytes(p))) {
        seen[1]++;
        if (!r.isThere()) {
          missing.add(name + " names " + r);
        }
      }
      missing.addAll(unimplemented(name));
    }
  }

  /** Methods that a version of Spark wants and a concrete class does not have. */
  private static List<String> unimplemented(String file) {
    List<String> missing = new ArrayList<>();
    try {
      Class<?> c = load(file.substring(0, file.length() - ".class".length()));
      if (!Modifier.isAbstract(c.getModifiers())) {
        for (Method m : c.getMethods()) {
          if (Modifier.isAbstract(m.getModifiers())) {
            missing.add(file + " lacks " + m);
          }
        }
      }
    } catch (ClassNotFoundException | LinkageError e) {
      missing.add(file + " does not load: " + e);
    }
    return missing;
  }

  private static Class<?> load(String internal) throws ClassNotFoundException {
    return Class.forName(internal.replace('/', '.'), false, LinkageTest.class.getClassLoader());
  }

  /** A class, or a member of it if there is a name. */
  private record Reference(String owner, String name, String descriptor) {
    boolean isThere() {
      try {
        Class<?> c = load(owner);
        return name == null || has(c);
      } catch (ClassNotFoundException | LinkageError e) {
        return false;
      }
    }

    private boolean has(Class<?> c) {
      if (c == null) {
        return false;
      }
      boolean here;
      if (!descriptor.startsWith("(")) {
        here =
            Arrays.stream(c.getDeclaredFields())
                .anyMatch(f -> f.getName().equals(name) && describe(f).equals(descriptor));
      } else if (name.equals("<init>")) {
        return Arrays.stream(c.getDeclaredConstructors())
            .anyMatch(m -> describe(m).equals(descriptor));
      } else {
        here =
            Arrays.stream(c.getDeclaredMethods())
                .anyMatch(m -> m.getName().equals(name) && describe(m).equals(descriptor));
      }
      return here
          || has(c.getSuperclass())
          || Arrays.stream(c.getInterfaces()).anyMatch(this::has)
          || c.isInterface() && has(Object.class);
    }

    private static String describe(Field f) {
      return f.getType().descriptorString();
    }

    private static String describe(Executable e) {
      Class<?> result = e instanceof Constructor ? void.class : ((Method) e).getReturnType();
      return Arrays.stream(e.getParameterTypes())
          .map(Class::descriptorString)
          .collect(Collectors.joining("", "(", ")" + result.descriptorString()));
    }
  }

  /** What of Spark's a class names: its constant pool, as the JVM specification lays it out. */
  private static List<Reference> references(byte[] file) throws IOException {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(file));
    in.skipBytes(8); // magic, version
    int n = in.readUnsignedShort();
    String[] text = new String[n];
    int[][] entry = new int[n][];
    for (int i = 1; i < n; i++) {
      int tag = in.readUnsignedByte();
      switch (tag) {
        case 1 -> text[i] = in.readUTF();
        case 3, 4 -> in.skipBytes(4);
        case 5, 6 -> {
          in.skipBytes(8);
          i++; // takes two places
        }
        case 15 -> in.skipBytes(3);
        case 9, 10, 11, 12, 17, 18 ->
            entry[i] = new int[] {tag, in.readUnsignedShort(), in.readUnsignedShort()};
        default -> entry[i] = new int[] {tag, in.readUnsignedShort()};
      }
    }
    List<Reference> found = new ArrayList<>();
    for (int[] e : entry) {
      if (e != null && e[0] == 7) {
        found.add(new Reference(text[e[1]], null, null));
      } else if (e != null && e[0] >= 9 && e[0] <= 11) {
        int[] member = entry[e[2]];
        found.add(new Reference(text[entry[e[1]][1]], text[member[1]], text[member[2]]));
      }
    }
    found.removeIf(r -> SPARKS.stream().noneMatch(r.owner::startsWith));
    return found;
  }
}
