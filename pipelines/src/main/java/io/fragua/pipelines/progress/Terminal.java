package io.fragua.pipelines.progress;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Whether standard output is a terminal on which a line can be drawn again. */
final class Terminal {
  private Terminal() {}

  static boolean canRedraw() {
    return canRedraw(System.getenv(), isTerminal());
  }

  static boolean canRedraw(Map<String, String> environment, boolean terminal) {
    String kind = environment.getOrDefault("TERM", "");
    return terminal
        && !kind.isEmpty()
        && !kind.equals("dumb")
        && !environment.containsKey("NO_COLOR");
  }

  /**
   * {@code System.console()} also wants standard input to be a terminal, so Linux is asked first.
   */
  private static boolean isTerminal() {
    Path one = Path.of("/proc/self/fd/1");
    try {
      if (Files.isSymbolicLink(one)) {
        return isTerminalDevice(Files.readSymbolicLink(one).toString());
      }
    } catch (IOException | SecurityException e) {
      // No such look-up here; the JDK's own answer will do.
    }
    return System.console() != null;
  }

  static boolean isTerminalDevice(String target) {
    return target.startsWith("/dev/pts/")
        || target.startsWith("/dev/tty")
        || target.equals("/dev/console");
  }
}
