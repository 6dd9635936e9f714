package io.fragua.examples.flightdelays;

import io.fragua.pipelines.cli.Main;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;

/**
 * Runs a command of this program in another JVM, to show that a saved model needs nothing of the
 * one that made it.
 */
final class NewJvm {
  private NewJvm() {}

  /**
   * Runs the command and waits.
   *
   * @param context whose master and settings the command gets
   * @param marker start of the line that is wanted; everything else it prints is shown
   * @return the wanted line without the marker
   * @throws IllegalStateException if the command fails or never prints the line
   */
  static String run(SparkContext context, String marker, List<String> command) {
    List<String> start = submitted() ? launcher(context) : java(context);
    start.addAll(command);
    Process process = null;
    try {
      process = new ProcessBuilder(start).start();
      process.getOutputStream().close();
      Thread errors = showErrors(process.getErrorStream());
      String found = null;
      try (BufferedReader lines =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          if (line.startsWith(marker)) {
            found = line.substring(marker.length()).strip();
          } else {
            System.err.println(line);
          }
        }
      }
      int status = process.waitFor();
      errors.join();
      if (status != 0 || found == null) {
        throw new IllegalStateException(
            String.format(
                "flight-delays: the new JVM must score and say so: it ended with status %d%s; what"
                    + " it wrote is above",
                status, found == null ? " and no result" : ""));
      }
      return found;
    } catch (IOException e) {
      throw new UncheckedIOException(
          "flight-delays: the new JVM must start: " + start.get(0) + " did not; see the cause", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("flight-delays: interrupted while the new JVM worked", e);
    } finally {
      if (process != null) {
        process.destroy();
      }
    }
  }

  /** Passes on what the JVM complains of, but for the one line that this JVM began with too. */
  private static Thread showErrors(InputStream stream) {
    Thread thread =
        new Thread(
            () -> {
              try (BufferedReader lines =
                  new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
                lines
                    .lines()
                    .filter(line -> !line.startsWith("WARNING: Using incubator modules:"))
                    .forEach(System.err::println);
              } catch (IOException | UncheckedIOException e) {
                System.err.println("flight-delays: the new JVM's errors end here: " + e);
              }
            },
            "fragua-new-jvm-errors");
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  private static boolean submitted() {
    return "true".equals(System.getProperty("SPARK_SUBMIT"));
  }

  /** The same java with the same options and class path; no launcher, so that tests go this way. */
  private static List<String> java(SparkContext context) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    for (String option : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      // An agent may hold a port, and Spark's settings follow as the session has them.
      if (!option.startsWith("-agentlib:")
          && !option.startsWith("-javaagent:")
          && !option.startsWith("-Dspark.")) {
        command.add(option);
      }
    }
    settings(context).forEach((k, v) -> command.add("-D" + k + "=" + v));
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(Main.class.getName());
    return command;
  }

  /** What only this application has, such as its id or its ports, is not for another. */
  private static Map<String, String> settings(SparkContext context) {
    SparkConf conf = context.getConf();
    Map<String, String> settings = new TreeMap<>();
    for (var entry : conf.getAll()) {
      String key = entry._1();
      if (!key.startsWith("spark.app.")
          && !key.startsWith("spark.driver.")
          && !key.startsWith("spark.executor.id")
          && !key.startsWith("spark.repl.")
          && !key.startsWith("spark.sql.warehouse.")
          && !key.startsWith("spark.submit.")
          && !key.equals("spark.jars")
          && !key.endsWith(".extraJavaOptions")) {
        settings.put(key, entry._2());
      }
    }
    settings.put("spark.ui.enabled", "false");
    return settings;
  }

  /** On a cluster {@code bin/fragua} knows how to submit. */
  private static List<String> launcher(SparkContext context) {
    Path launcher = Path.of(System.getProperty("fragua.home", ""), "bin", "fragua");
    if (!Files.isExecutable(launcher)) {
      throw new IllegalStateException(
          "flight-delays: the new JVM is started by bin/fragua on a cluster: there is none at "
              + launcher
              + "; run this example through bin/fragua");
    }
    List<String> command = new ArrayList<>();
    command.add(launcher.toString());
    settings(context)
        .forEach(
            (k, v) -> {
              command.add(k.equals("spark.master") ? "--master" : "--conf");
              command.add(k.equals("spark.master") ? v : k + "=" + v);
            });
    return command;
  }
}
