package io.fragua.cpu;

/** Counts the executions of a program, which is closed after them. Thread-safe. */
final class Executions {
  private int open;
  private boolean closed;

  synchronized void begin() {
    if (closed) {
      throw new IllegalStateException(
          "program: must be open: it is closed; compile the graph again");
    }
    open++;
  }

  synchronized void end() {
    open--;
  }

  /** False if it was closed before. */
  synchronized boolean close() {
    if (open != 0 && !closed) {
      throw new IllegalStateException(
          "program: its executions must be closed before it: "
              + open
              + " are open; close them first");
    }
    boolean first = !closed;
    closed = true;
    return first;
  }
}
