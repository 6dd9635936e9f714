package io.fragua.pipelines.cli;

import java.io.IOException;
import java.util.Iterator;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/**
 * The {@code fragua} command line. {@code bin/fragua} starts it on the resolved class path or
 * through spark-submit; the Spark master and configuration come from there, never from here.
 */
@Command(
    name = "fragua",
    description = "Deep learning inside Apache Spark.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "bin/fragua also takes, anywhere on the line:",
      "  --master=URL     run on this Spark master (default local[*]); one that is not",
      "                   local needs SPARK_HOME",
      "  --conf=KEY=VALUE a Spark setting, as spark-submit takes it",
      "and reads JAVA_HOME, SPARK_HOME and FRAGUA_MEMORY (driver heap, as 8g)."
    })
public final class Main implements Runnable {
  @Spec private CommandSpec spec;

  @Option(
      names = "--stacktrace",
      scope = ScopeType.INHERIT,
      description = "On an error print where it happened.")
  private boolean stacktrace;

  private Main() {}

  /** Runs one command. Exits with a status other than 0 if it fails, and returns otherwise. */
  public static void main(String[] args) {
    int status = commandLine().execute(args);
    // Not on success: in a cluster's driver Spark takes an exit before the end of main for a
    // failure.
    if (status != 0) {
      System.exit(status);
    }
  }

  /** The command line with every contributed command. */
  static CommandLine commandLine() {
    Main main = new Main();
    CommandLine line = new CommandLine(main);
    line.addSubcommand(new DevicesCommand());
    line.addSubcommand(new CommandLine.HelpCommand());
    addContributed(line);
    line.setExecutionExceptionHandler(
        (failure, command, parsed) -> {
          ErrorReport.print(command.getErr(), failure, main.stacktrace);
          return command.getCommandSpec().exitCodeOnExecutionException();
        });
    return line;
  }

  /** With no command, says which there are. */
  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }

  /** A provider that cannot be loaded costs only its own commands, and is said. */
  private static void addContributed(CommandLine line) {
    Iterator<CommandProvider> providers = ServiceLoader.load(CommandProvider.class).iterator();
    while (true) {
      try {
        if (!providers.hasNext()) {
          return;
        }
        providers.next().commands().forEach(line::addSubcommand);
      } catch (ServiceConfigurationError | LinkageError | CommandLine.PicocliException e) {
        line.getErr().println("fragua: a command could not be loaded and is left out: " + e);
        // Every other failure moves the iterator on; a class path that cannot be read fails for
        // ever.
        if (e instanceof ServiceConfigurationError && e.getCause() instanceof IOException) {
          return;
        }
      }
    }
  }

  /** Reads the version that the build wrote into the jar. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {"fragua " + (version == null ? "(not started from its jar)" : version)};
    }
  }
}
