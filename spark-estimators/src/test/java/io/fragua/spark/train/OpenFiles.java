package io.fragua.spark.train;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** What this process holds open, from Linux' own list. */
final class OpenFiles {
  private OpenFiles() {}

  /** The names of the open sockets, none of them given twice; empty where there is no such list. */
  static Set<String> sockets() throws IOException {
    return named("socket:.*").keySet();
  }

  /** Open files by what they are called, which is not given twice, each with its descriptor. */
  static Map<String, Path> named(String pattern) throws IOException {
    Map<String, Path> found = new HashMap<>();
    Path fds = Path.of("/proc/self/fd");
    if (!Files.isDirectory(fds)) {
      return found;
    }
    List<Path> all;
    try (Stream<Path> s = Files.list(fds)) {
      all = s.toList();
    }
    for (Path p : all) {
      try {
        String name = Files.readSymbolicLink(p).toString();
        if (name.matches(pattern)) {
          found.put(name, p);
        }
      } catch (IOException e) {
        continue; // closed since it was listed
      }
    }
    return found;
  }

  /**
   * Files with spilled rows that have a name. One that is empty says nothing: its maker was killed
   * between making it and taking its name away.
   */
  static List<Path> spilled(Path dir) throws IOException {
    return below(dir, "temp_local.*").stream().filter(f -> f.toFile().length() > 0).toList();
  }

  /**
   * Files of such names below a directory in which others, such as the cleaner of shuffles, may be
   * deleting.
   */
  static List<Path> below(Path dir, String name) throws IOException {
    List<Path> found = new ArrayList<>();
    Files.walkFileTree(
        dir,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            if (file.getFileName().toString().matches(name)) {
              found.add(file);
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
            return gone(e);
          }

          @Override
          public FileVisitResult postVisitDirectory(Path d, IOException e) throws IOException {
            return e == null ? FileVisitResult.CONTINUE : gone(e);
          }

          private FileVisitResult gone(IOException e) throws IOException {
            if (e instanceof NoSuchFileException) {
              return FileVisitResult.CONTINUE; // deleted since it was listed
            }
            throw e;
          }
        });
    return found;
  }
}
