package io.fragua.exec;

/**
 * An {@link Allocator} was asked for more than there is: over its budget, over the JVM's direct
 * memory, or over the size of one buffer. Nothing was allocated, so the caller may go on with less.
 * An exception and no {@link OutOfMemoryError}, which would end a Spark executor.
 */
public final class MemoryLimitException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  MemoryLimitException(String message, Throwable cause) {
    super(message, cause);
  }
}
