package io.fragua.spark.train;

/**
 * Where a worker listens.
 *
 * @param rank its number, the partition of the barrier stage
 * @param host the executor's own address
 * @param port of its listening socket
 * @param executor Spark's id of the executor
 */
record Peer(int rank, String host, int port, String executor) {
  @Override
  public String toString() {
    return "rank " + rank + " (" + host + ":" + port + ", executor " + executor + ")";
  }
}
