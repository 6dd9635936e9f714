package io.fragua.spark.train;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.storage.StorageUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets workers in different processes of one machine go on through memory that both map, instead of
 * the socket over which they proved their key. The one that connected makes a file in memory, which
 * has a name for no longer than a moment, and says where its descriptor is found; the other maps it
 * too, if it can: processes of one host may see different files, as in two containers. Whoever
 * cannot stays with the socket. What Spark encrypts never goes this way.
 */
final class SharedMemory {
  /** Whether processes of one machine may use memory together; true unless set. */
  static final String KEY = "spark.fragua.collective.sharedMemory";

  private static final Logger LOG = LoggerFactory.getLogger(SharedMemory.class);

  /** Where Linux keeps files in memory. */
  private static final Path FOLDER = Path.of("/dev/shm");

  private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

  /** A random number in the file proves that both mean the same one. */
  private static final int TOKEN = Handshake.NONCE;

  /** An offer: process, descriptor, and the token; process 0 offers nothing. */
  private static final int OFFER = 8 + 4 + TOKEN;

  private final int rank;
  private final List<Peer> peers;
  private final long deadline;
  private final Timeouts timeouts;
  private final Runnable check;

  SharedMemory(int rank, List<Peer> peers, Timeouts timeouts, Runnable check) {
    this.rank = rank;
    this.peers = peers;
    this.timeouts = timeouts;
    this.check = check;
    deadline = System.nanoTime() + timeouts.connectMs() * 1_000_000L;
  }

  static boolean wanted(SparkConf conf) {
    return conf.getBoolean(KEY, true);
  }

  /** Memory that this end has made, and what the other end is told of it; there may be none. */
  private record Offer(Link link, MappedByteBuffer memory, FileChannel file, ByteBuffer message) {
    void drop() {
      if (memory != null) {
        StorageUtils.dispose(memory);
      }
      Rendezvous.close(file);
    }
  }

  /**
   * Replaces the links to workers of this host where both ends can; all workers call it.
   *
   * @throws CollectiveException naming a worker that does not answer in time
   */
  void join(Map<Integer, Link> links) {
    String host = peers.get(rank).host();
    List<Link> near = links.values().stream().filter(l -> l.peer().host().equals(host)).toList();
    Deque<Offer> offers = new ArrayDeque<>();
    try {
      // All make their offers before they wait for one, so nobody waits for ever.
      for (Link l : near) {
        if (l.peer().rank() < rank) {
          Offer o = offer(l);
          offers.add(o);
          all(l, o.message(), true);
        }
      }
      for (Link l : near) {
        if (l.peer().rank() > rank) {
          accept(l, links);
        }
      }
      for (; !offers.isEmpty(); offers.remove()) {
        settle(offers.peek(), links);
      }
    } finally {
      offers.forEach(Offer::drop);
    }
  }

  private Offer offer(Link l) {
    MappedByteBuffer memory = null;
    FileChannel file = null;
    ByteBuffer message = ByteBuffer.allocate(OFFER);
    try {
      byte[] token = Handshake.nonce();
      Path path = FOLDER.resolve("fragua-" + HexFormat.of().formatHex(Handshake.nonce()));
      file =
          FileChannel.open(
              path,
              Set.of(
                  StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE),
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      int descriptor;
      try {
        descriptor = descriptor(path);
      } finally {
        Files.delete(path);
      }
      // Written and not only made longer: memory that is not there must show here, not in a step.
      ByteBuffer zeros = ByteBuffer.allocate(SharedLink.MEMORY);
      while (zeros.hasRemaining()) {
        file.write(zeros);
      }
      memory = file.map(FileChannel.MapMode.READ_WRITE, 0, SharedLink.MEMORY);
      memory.put(0, token);
      message.putLong(ProcessHandle.current().pid()).putInt(descriptor).put(token);
    } catch (IOException | UnsupportedOperationException e) {
      LOG.info("collective: rank {} has no memory for {}: {}", rank, l.peer(), e.toString());
      Rendezvous.close(file);
      file = null;
    }
    return new Offer(l, memory, file, message.clear());
  }

  /** By which this process holds a file. */
  private static int descriptor(Path file) throws IOException {
    try (Stream<Path> all = Files.list(DESCRIPTORS)) {
      for (Path d : (Iterable<Path>) all::iterator) {
        if (Files.isSymbolicLink(d) && Files.readSymbolicLink(d).equals(file)) {
          return Integer.parseInt(d.getFileName().toString());
        }
      }
    }
    throw new IOException("its descriptor is not among those in " + DESCRIPTORS);
  }

  private void accept(Link l, Map<Integer, Link> links) {
    ByteBuffer message = ByteBuffer.allocate(OFFER);
    all(l, message, false);
    long process = message.flip().getLong();
    if (process == 0) {
      return;
    }
    Path file = Path.of("/proc", Long.toString(process), "fd", Integer.toString(message.getInt()));
    MappedByteBuffer memory = map(l, file, message);
    all(l, ByteBuffer.wrap(new byte[] {(byte) (memory == null ? 0 : 1)}), true);
    if (memory != null) {
      use(l, memory, false, links);
    }
  }

  /** The memory in which the token is, or null. */
  private MappedByteBuffer map(Link l, Path path, ByteBuffer token) {
    MappedByteBuffer memory = null;
    try {
      if (Files.isRegularFile(path) && Files.size(path) == SharedLink.MEMORY) {
        try (FileChannel file =
            FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
          memory = file.map(FileChannel.MapMode.READ_WRITE, 0, SharedLink.MEMORY);
        }
        if (memory.slice(0, TOKEN).equals(token)) {
          memory.put(0, new byte[TOKEN]);
          return memory;
        }
      }
      LOG.info("collective: rank {} does not see the memory of {}", rank, l.peer());
    } catch (IOException e) {
      LOG.info("collective: rank {} cannot map what {} has: {}", rank, l.peer(), e.toString());
    }
    if (memory != null) {
      StorageUtils.dispose(memory);
    }
    return null;
  }

  private void settle(Offer o, Map<Integer, Link> links) {
    if (o.memory() == null) {
      return;
    }
    ByteBuffer answer = ByteBuffer.allocate(1);
    all(o.link(), answer, false);
    if (answer.get(0) == 0) {
      o.drop();
      return;
    }
    Rendezvous.close(o.file());
    use(o.link(), o.memory(), true, links);
  }

  private void use(Link l, MappedByteBuffer memory, boolean first, Map<Integer, Link> links) {
    LOG.info("collective: rank {} shares memory with {}", rank, l.peer());
    links.put(l.peer().rank(), new SharedLink(l.peer(), l.channel, memory, first));
  }

  /** Moves all of a message over the socket. */
  private void all(Link l, ByteBuffer message, boolean send) {
    try {
      while (message.hasRemaining()) {
        if (send ? l.write(message) : l.read(message)) {
          continue;
        }
        check.run();
        if (Thread.currentThread().isInterrupted()) {
          throw CollectiveException.interrupted(rank);
        }
        if (System.nanoTime() - deadline > 0) {
          String what =
              "did not say within "
                  + timeouts.connectMs()
                  + " ms whether it shares memory ("
                  + KEY
                  + ")";
          throw CollectiveException.lost(l.peer(), what, peers.get(rank), null);
        }
        LockSupport.parkNanos(100_000);
      }
    } catch (IOException e) {
      throw CollectiveException.lost(l.peer(), "is gone: " + e.getMessage(), peers.get(rank), e);
    }
  }
}
