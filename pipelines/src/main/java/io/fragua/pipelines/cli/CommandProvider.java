package io.fragua.pipelines.cli;

import java.util.List;

/**
 * Adds commands to the {@code fragua} command line. Found by ServiceLoader, so that a module above
 * this one, or a user's jar, can contribute without being named here.
 */
public interface CommandProvider {

  /**
   * The commands, each an object whose class carries picocli's {@code @Command} with a name. Called
   * once.
   */
  List<Object> commands();
}
