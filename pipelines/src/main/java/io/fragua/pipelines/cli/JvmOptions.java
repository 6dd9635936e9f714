package io.fragua.pipelines.cli;

import org.apache.spark.launcher.JavaModuleOptions;

/**
 * Prints the JVM options that Spark gives its own drivers, one a line; {@code bin/fragua} asks once
 * after a build.
 */
final class JvmOptions {
  private JvmOptions() {}

  /** Prints and returns. */
  public static void main(String[] args) {
    for (String option : JavaModuleOptions.defaultModuleOptionArray()) {
      System.out.println(option);
    }
  }
}
