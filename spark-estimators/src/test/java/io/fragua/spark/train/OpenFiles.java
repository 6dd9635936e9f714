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
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;

/** What processes hold open, from Linux' own lists. */
final class OpenFiles {
  private OpenFiles() {}

  /**
   * The names of this process' open sockets, none of them given twice; empty where there is no such
   * list.
   */
  static Set<String> sockets() throws IOException {
    return named("socket:.*").keySet();
  }

  /** The addresses that a process listens on, as Linux writes them; none if it has ended. */
  static Set<String> listening(long pid) throws IOException {
    Set<String> sockets = named("socket:.*", Path.of("/proc/" + pid + "/fd")).keySet();
    Set<String> found = new TreeSet<>();
    for (Path table : List.of(Path.of("/proc/net/tcp"), Path.of("/proc/net/tcp6"))) {
      for (String line : Files.exists(table) ? Files.readAllLines(table) : List.<String>of()) {
        String[] words = line.strip().split(" +"); // 1: local address, 3: state, 9: inode
        if (words[3].equals("0A") && sockets.contains("socket:[" + words[9] + "]")) {
          found.add(words[1]);
        }
      }
    }
    return found;
  }

  /** What is seen while something runs and was not there before. */
  static Set<String> opened(Callable<Set<String>> look, Runnable something) throws Exception {
    Set<String> before = look.call();
    Set<String> opened = new TreeSet<>();
    AtomicBoolean over = new AtomicBoolean();
    FutureTask<Void> watch =
        new FutureTask<>(
            () -> {
              while (!over.get()) {
                opened.addAll(look.call());
              }
              return null;
            });
    new Thread(watch, "watch").start();
    try {
      something.run();
    } finally {
      over.set(true);
    }
    watch.get();
    opened.removeAll(before);
    return opened;
  }

  /** As {@link #named(String, Path)}, of this process. */
  static Map<String, Path> named(String pattern) throws IOException {
    return named(pattern, Path.of("/proc/self/fd"));
  }

  /**
   * Open files by what they are called, which is not given twice, each with its descriptor.
   *
   * @param fds descriptors of a process; none are found if it has ended
   */
  static Map<String, Path> named(String pattern, Path fds) throws IOException {
    Map<String, Path> found = new HashMap<>();
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
