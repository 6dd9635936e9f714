package io.fragua.spark.train;

/** A worker could not talk to another; the message names the other. */
final class CollectiveException extends RuntimeException {
  private static final long serialVersionUID = 1;

  CollectiveException(String message, Throwable cause) {
    super(message, cause);
  }

  /**
   * A worker that others wait for.
   *
   * @param what happened to it
   */
  static CollectiveException lost(Peer peer, String what, Peer seenBy, Throwable cause) {
    return new CollectiveException(
        "collective: every worker must stay until the training ends: "
            + peer
            + " "
            + what
            + " (seen by "
            + seenBy
            + "); look at that executor's log for its cause, and fit again",
        cause);
  }

  static CollectiveException interrupted(int rank) {
    return new CollectiveException(
        "collective: a worker must not be interrupted: rank " + rank + "; train again", null);
  }
}
