package io.fragua.examples.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Rules about files rather than code: sizes, READMEs, versions in one place, no addresses of
 * registries.
 */
class HouseRulesTest {
  private static final int MOST_LINES = 500;
  private static final int LARGEST_TEXT = 1 << 20;

  /** A host that serves packages. Maven's own schema address is none. */
  private static final Pattern REGISTRY =
      Pattern.compile(
          "\\b(?:repo|registry|files|deb|pypi|archive|mirror|nexus|artifactory)s?[0-9]*"
              + "\\.(?:[a-z0-9-]+\\.)*(?:org|com|io|net|dev)\\b");

  /** A test class in backticks, and perhaps a method. */
  private static final Pattern TEST =
      Pattern.compile("`([A-Z]\\w*(?:Test|IT))(?:\\.([a-z]\\w*))?`");

  /** Reads a text file as lines; empty for what is not text. */
  private static List<String> lines(Path file) throws IOException {
    if (Files.size(file) > LARGEST_TEXT) {
      return List.of();
    }
    // Every byte is a character in this encoding, so a binary file does not fail; a zero byte tells
    // it.
    String text = Files.readString(file, StandardCharsets.ISO_8859_1);
    return text.indexOf('\0') >= 0 ? List.of() : text.lines().toList();
  }

  private static List<String> linesThat(Pattern pattern) throws IOException {
    List<String> found = new ArrayList<>();
    for (Path file : SourceTree.files(SourceTree.ROOT)) {
      List<String> lines = lines(file);
      for (int i = 0; i < lines.size(); i++) {
        if (pattern.matcher(lines.get(i)).find()) {
          found.add(SourceTree.ROOT.relativize(file) + ":" + (i + 1) + ": " + lines.get(i).strip());
        }
      }
    }
    return found;
  }

  @Test
  void mainJavaFilesStaySmall() throws IOException {
    List<String> large = new ArrayList<>();
    for (String module : Layers.MODULES.keySet()) {
      for (Path file : SourceTree.mainJava(module)) {
        try (Stream<String> lines = Files.lines(file)) {
          long count = lines.count();
          if (count > MOST_LINES) {
            large.add(SourceTree.ROOT.relativize(file) + " has " + count + " lines");
          }
        }
      }
    }
    assertEquals(
        List.of(),
        large,
        "main files over " + MOST_LINES + " lines; split them by reason to change");
  }

  @Test
  void testsThatTextsNameAreThere() throws IOException {
    Map<String, String> tests = new HashMap<>();
    List<Path> texts = new ArrayList<>();
    for (Path file : SourceTree.files(SourceTree.ROOT)) {
      String name = file.getFileName().toString();
      if (name.endsWith("Test.java") || name.endsWith("IT.java")) {
        tests.merge(name.replace(".java", ""), Files.readString(file), String::concat);
      } else if (name.endsWith(".md")) {
        texts.add(file);
      }
    }
    List<String> missing = new ArrayList<>();
    int named = 0;
    for (Path text : texts) {
      for (MatchResult m : TEST.matcher(Files.readString(text)).results().toList()) {
        String source = tests.get(m.group(1));
        if (source == null || m.group(2) != null && !source.contains(" " + m.group(2) + "(")) {
          missing.add(SourceTree.ROOT.relativize(text) + ": " + m.group());
        }
        named++;
      }
    }
    assertEquals(List.of(), missing);
    assertTrue(named > 60, named + " tests are named");
  }

  @Test
  void everyModuleHasAReadme() throws IOException {
    for (String module : Layers.MODULES.keySet()) {
      Path readme = SourceTree.ROOT.resolve(module).resolve("README.md");
      assertTrue(Files.exists(readme), readme + " is missing");
      assertTrue(
          Files.readString(readme).startsWith("# fragua-" + module), readme + " has another title");
    }
  }

  @Test
  void theModulesOfThePomAreTheModulesOfTheRule() throws IOException {
    String pom = Files.readString(SourceTree.ROOT.resolve("pom.xml"));
    List<String> modules =
        Pattern.compile("<module>(.*?)</module>")
            .matcher(pom)
            .results()
            .map(m -> m.group(1))
            .filter(m -> !m.contains("/")) // spark-4.0 runs tests of the others and has no code
            .sorted()
            .toList();
    assertEquals(modules, List.copyOf(Layers.MODULES.keySet()));
  }

  @Test
  void versionsLiveInTheParentPomAlone() throws IOException {
    for (String module : Layers.MODULES.keySet()) {
      String pom = Files.readString(SourceTree.ROOT.resolve(module).resolve("pom.xml"));
      assertEquals(
          1, pom.split("<version>", -1).length - 1, module + "/pom.xml names a version of its own");
      assertEquals(-1, pom.indexOf("<properties>"), module + "/pom.xml has properties of its own");
    }
  }

  @Test
  void theEngineNamesNoGpuVendor() throws IOException {
    List<String> found = new ArrayList<>();
    for (Path file : SourceTree.mainJava("tensor-engine")) {
      if (Pattern.compile("(?i)cuda|nvidia").matcher(Files.readString(file)).find()) {
        found.add(SourceTree.ROOT.relativize(file).toString());
      }
    }
    assertEquals(List.of(), found, "what is one vendor's belongs in gpu-executor");
  }

  @Test
  void noFileNamesARegistryHost() throws IOException {
    assertEquals(List.of(), linesThat(REGISTRY));
    assertEquals(List.of(), linesThat(Pattern.compile("<(?:plugin)?[rR]epositor(?:y|ies)>")));
  }

  @Test
  void nothingReadsOutsideTheCheckout() throws IOException {
    // Written in two parts, so that this file does not find itself.
    assertEquals(List.of(), linesThat(Pattern.compile(Pattern.quote("../" + "shared"))));
  }

  @Test
  void theRegistryPatternKnowsAHost() {
    for (String host :
        List.of(
            "repo" + ".maven.apache.org",
            "registry" + ".npmjs.org",
            "files" + ".pythonhosted.org",
            "pypi" + ".org")) {
      assertTrue(REGISTRY.matcher("https://" + host + "/x").find(), host);
    }
    assertTrue(
        !REGISTRY.matcher("http://maven.apache.org/POM/4.0.0 files.stream().toList()").find());
  }
}
