package io.fragua.spark.train;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/** One end of a proven connection to another worker, in clear text. Nothing here blocks. */
class Link implements AutoCloseable {
  private final Peer peer;
  final SocketChannel channel;

  Link(Peer peer, SocketChannel channel) {
    this.peer = peer;
    this.channel = channel;
  }

  /** The worker at the other end. */
  final Peer peer() {
    return peer;
  }

  /**
   * Takes bytes to send; true if any moved.
   *
   * @throws IOException if the other end is gone
   */
  boolean write(ByteBuffer from) throws IOException {
    return channel.write(from) > 0;
  }

  /** True while bytes it took are not yet with the socket; {@link #write} goes on with them. */
  boolean pending() {
    return false;
  }

  /**
   * Gives bytes that have arrived; true if any did.
   *
   * @throws EOFException if the other end closed the connection
   * @throws IOException if the other end is gone
   */
  boolean read(ByteBuffer to) throws IOException {
    return some(channel.read(to));
  }

  /** Whether a selector wakes who waits for it; else it is to be tried again and again. */
  boolean wakes() {
    return true;
  }

  /** For one that does not wake, while it is waited for: whether the other end is still there. */
  void look() {}

  static boolean some(int got) throws IOException {
    if (got < 0) {
      throw new EOFException("it closed the connection");
    }
    return got > 0;
  }

  @Override
  public void close() {
    Rendezvous.close(channel);
  }
}
