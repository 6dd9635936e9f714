package io.fragua.spark.train;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.SocketChannel;
import org.apache.spark.storage.StorageUtils;

/**
 * One end of a proven connection to a worker in another process of the same machine. Bytes go
 * through memory that both have mapped, one ring a direction (as Lamport's queue of one producer
 * and one consumer, 1983), so that no system call copies them; the socket only tells when the other
 * end is gone. Used by one thread.
 */
final class SharedLink extends Link {
  /** Bytes on their way in one direction: they stay in the second-level cache. */
  static final int CAPACITY = 1 << 18;

  /** The other end may take what is there after so many bytes, while more are copied. */
  private static final int CHUNK = 1 << 15;

  /** Counts of bytes written and of bytes read lie apart: each has a writer of its own. */
  private static final int READ = 128;

  private static final int DATA = 256;
  private static final int RING = DATA + CAPACITY;

  /** Bytes that the two ends share. */
  static final int MEMORY = 2 * RING;

  private static final VarHandle COUNT =
      MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.nativeOrder());

  private final int out;
  private final int in;
  private final ByteBuffer closed = ByteBuffer.allocate(1);
  private MappedByteBuffer memory;
  private long written;
  private long read;
  private IOException gone;

  /**
   * Takes over the socket and the memory, which is all zeros.
   *
   * @param first whether this is the end that writes to the first ring
   */
  SharedLink(Peer peer, SocketChannel channel, MappedByteBuffer memory, boolean first) {
    super(peer, channel);
    this.memory = memory;
    out = first ? 0 : RING;
    in = first ? RING : 0;
  }

  @Override
  boolean write(ByteBuffer from) throws IOException {
    boolean any = false;
    while (from.hasRemaining()) {
      int at = (int) (written % CAPACITY);
      int room = CAPACITY - (int) (written - (long) COUNT.getAcquire(memory, out + READ));
      int n = Math.min(Math.min(room, from.remaining()), Math.min(CHUNK, CAPACITY - at));
      if (n == 0) {
        break;
      }
      memory.put(out + DATA + at, from, from.position(), n);
      from.position(from.position() + n);
      written += n;
      COUNT.setRelease(memory, out, written);
      any = true;
    }
    return moved(any);
  }

  @Override
  boolean read(ByteBuffer to) throws IOException {
    boolean any = false;
    while (to.hasRemaining()) {
      int at = (int) (read % CAPACITY);
      int there = (int) ((long) COUNT.getAcquire(memory, in) - read);
      int n = Math.min(Math.min(there, to.remaining()), Math.min(CHUNK, CAPACITY - at));
      if (n == 0) {
        break;
      }
      to.put(to.position(), memory, in + DATA + at, n);
      to.position(to.position() + n);
      read += n;
      COUNT.setRelease(memory, in + READ, read);
      any = true;
    }
    return moved(any);
  }

  /** What the other end wrote before it left is still there to be read. */
  private boolean moved(boolean any) throws IOException {
    if (!any && gone != null) {
      throw gone;
    }
    return any;
  }

  @Override
  boolean wakes() {
    return false;
  }

  @Override
  void look() {
    try {
      closed.clear();
      super.read(closed);
    } catch (IOException e) {
      gone = e;
    }
  }

  @Override
  public void close() {
    super.close();
    if (memory != null) {
      StorageUtils.dispose(memory);
      memory = null; // used afterwards it is an error, and no access to what is not there
    }
  }
}
