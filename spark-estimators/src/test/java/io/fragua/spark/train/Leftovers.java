package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.spark.sql.util.ArrowUtils;

/** What trainings have taken of this process and not given back. */
public final class Leftovers {
  private Leftovers() {}

  /** Fails if there is any; a failed job's tasks may still be ending when the error is thrown. */
  public static void assertNone() {
    assertTrue(Patience.until(() -> all().isEmpty()), Leftovers::all);
  }

  private static String all() {
    StringBuilder s = new StringBuilder();
    if (Programs.live() > 0) {
      s.append(Programs.live()).append(" jobs hold programs; ");
    }
    ArrowUtils.rootAllocator().getChildAllocators().stream()
        .filter(a -> a.getName().startsWith("fragua training"))
        .forEach(a -> s.append(a.getName()).append(" is open; "));
    Thread.getAllStackTraces().keySet().stream()
        .filter(t -> t.getName().startsWith("fragua-"))
        .forEach(t -> s.append(t.getName()).append(" runs; "));
    return s.toString();
  }
}
