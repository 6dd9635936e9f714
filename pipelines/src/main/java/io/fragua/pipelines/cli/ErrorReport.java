package io.fragua.pipelines.cli;

import java.io.PrintWriter;
import java.util.LinkedHashSet;
import java.util.Set;

/** Prints a failure for a person: what was said, what caused it, and the stack trace on request. */
final class ErrorReport {
  private static final int LONGEST_CAUSE = 500;

  private ErrorReport() {}

  static void print(PrintWriter err, Throwable failure, boolean stacktrace) {
    err.println("fragua: " + text(failure));
    Set<String> said = new LinkedHashSet<>();
    for (Throwable t = failure.getCause(); t != null && said.size() < 10; t = t.getCause()) {
      String cause = text(t).lines().findFirst().orElse("");
      // Many wrappers repeat the message of what they wrap.
      if (!text(failure).contains(cause)) {
        said.add(
            cause.length() > LONGEST_CAUSE ? cause.substring(0, LONGEST_CAUSE) + "..." : cause);
      }
    }
    said.forEach(cause -> err.println("  caused by: " + cause));
    if (stacktrace) {
      failure.printStackTrace(err);
    } else {
      err.println("  (add --stacktrace to see where)");
    }
    err.flush();
  }

  /** A message written for people stands alone; without one the class name is all there is. */
  private static String text(Throwable t) {
    String message = t.getMessage();
    boolean plain = t instanceof IllegalArgumentException || t instanceof IllegalStateException;
    if (message == null || message.isBlank()) {
      return t.getClass().getName();
    }
    return plain ? message : t.getClass().getSimpleName() + ": " + message;
  }
}
