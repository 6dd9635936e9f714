package io.fragua.spark.train;

/** A worker could not talk to another; the message names the other. */
final class CollectiveException extends RuntimeException {
  private static final long serialVersionUID = 1;

  CollectiveException(String message, Throwable cause) {
    super(message, cause);
  }
}
