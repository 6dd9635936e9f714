package io.fragua.pipelines.cli;

import org.apache.spark.launcher.JavaModuleOptions;

/**
 * Prints JVM options, one a line: those that Spark gives its own drivers, and those that Fragua is
 * faster with. {@code bin/fragua} asks once after a build.
 */
final class JvmOptions {
  private JvmOptions() {}

  /** Prints and returns. */
  public static void main(String[] args) {
    // The Vector API is very slow until a kernel is machine code, so kernels are compiled after a
    // tenth of the calls and loops that the JVM would wait for.
    System.out.println("-XX:CompileCommand=quiet");
    System.out.println("-XX:CompileCommand=CompileThresholdScaling,FraguaKernel::*,0.1");
    for (String option : JavaModuleOptions.defaultModuleOptionArray()) {
      System.out.println(option);
    }
  }
}
