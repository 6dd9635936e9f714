package io.fragua.examples.architecture;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What one Java file names: its package and every qualified name in its code, whether imported or
 * written out. Comments and text in quotes do not count.
 */
record JavaSource(String packageName, Set<String> names) {
  private static final Pattern PACKAGE = Pattern.compile("\\bpackage\\s+([\\w.]+)\\s*;");

  private static final Pattern IMPORT =
      Pattern.compile("\\bimport\\s+(?:static\\s+)?([\\w.]+(?:\\.\\*)?)\\s*;");

  /**
   * A package in lower case and then a class; below {@code org} the class may be in lower case too.
   */
  private static final Pattern WRITTEN_OUT =
      Pattern.compile(
          "(?<![\\w.)\\]])(?:org(?:\\.\\w+){2,}|[a-z]\\w*(?:\\.[a-z]\\w*)*\\.[A-Z]\\w*)");

  private static final Pattern NOT_CODE =
      Pattern.compile(
          "//[^\\n"
              + "]*|/\\*.*?\\*/|\"\"\".*?\"\"\"|\"(?:\\\\.|[^\"\\\\\\n"
              + "])*\"|'(?:\\\\.|[^'\\\\\\n"
              + "])+'",
          Pattern.DOTALL);

  static JavaSource read(Path file) throws IOException {
    return parse(Files.readString(file, StandardCharsets.UTF_8));
  }

  static JavaSource parse(String text) {
    String code = NOT_CODE.matcher(text).replaceAll(" ");
    Matcher declared = PACKAGE.matcher(code);
    String name = declared.find() ? declared.group(1) : "";
    Set<String> names = new TreeSet<>();
    IMPORT.matcher(code).results().forEach(m -> names.add(m.group(1)));
    String body = PACKAGE.matcher(IMPORT.matcher(code).replaceAll(" ")).replaceAll(" ");
    WRITTEN_OUT.matcher(body).results().forEach(m -> names.add(m.group()));
    return new JavaSource(name, names);
  }
}
