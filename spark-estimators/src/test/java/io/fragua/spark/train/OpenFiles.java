package io.fragua.spark.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** What this process holds open, from Linux' own list. */
final class OpenFiles {
  private OpenFiles() {}

  /** Open sockets; 0 where the system has no such list. */
  static int sockets() throws IOException {
    Path fds = Path.of("/proc/self/fd");
    if (!Files.isDirectory(fds)) {
      return 0;
    }
    List<Path> all;
    try (Stream<Path> s = Files.list(fds)) {
      all = s.toList();
    }
    int n = 0;
    for (Path p : all) {
      try {
        n += Files.readSymbolicLink(p).toString().startsWith("socket:") ? 1 : 0;
      } catch (IOException e) {
        continue; // closed since it was listed
      }
    }
    return n;
  }
}
