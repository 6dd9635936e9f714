/** The command line that {@code bin/fragua} starts, and how other modules add commands to it. */
package io.fragua.pipelines.cli;
