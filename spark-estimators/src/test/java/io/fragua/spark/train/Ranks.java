package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.tensor.Buffer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Ranks as threads of one process, which may be said to be executors of their own. An extension of
 * a test, which fails if it leaves sockets or threads.
 */
final class Ranks implements BeforeEachCallback, AfterEachCallback {
  static final String HOST = "127.0.0.1";
  static final Timeouts PATIENT = new Timeouts(10_000, 120_000, 120_000);
  static final Secret CLEAR = new Secret(new byte[] {1, 2, 3}, 0);

  /** How ranks reach each other. */
  enum Way {
    /** As on different machines. */
    SOCKETS,
    /** As processes of one machine. */
    MEMORY,
    /** As threads of one process. */
    THREADS
  }

  /** What a rank does with its collective. */
  interface Body<T> {
    T run(Collective c) throws Exception;
  }

  /** What a rank does instead of joining. */
  interface Joining<T> {
    T run(Rendezvous r, int rank, List<Peer> peers) throws Exception;
  }

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private Set<String> before;
  Timeouts timeouts = PATIENT;
  Secret secret = CLEAR;
  boolean all; // whether all are connected to all, for swaps

  /** Whether ranks that have connections add up buckets while they compute. */
  boolean overlap;

  /** Called by a rank that waits for others. */
  Runnable check = () -> {};

  @Override
  public void beforeEach(ExtensionContext test) throws IOException {
    try (Rendezvous r = Rendezvous.listen(HOST)) { // the JDK keeps a socket from the first close on
      SocketChannel.open(new InetSocketAddress(HOST, r.port())).close();
    }
    before = OpenFiles.sockets();
  }

  /** Runs the body on every rank; the results by rank, or the failures. */
  <T> List<Future<T>> run(int n, Way way, Body<T> body) {
    return join(
        n,
        way,
        (r, rank, peers) -> {
          try (Collective c = join(r, rank, peers, way)) {
            return body.run(c);
          }
        });
  }

  Collective join(Rendezvous r, int rank, List<Peer> peers, Way way) {
    Collective c = r.join(rank, peers, topology(peers), secret, timeouts, way == Way.MEMORY, check);
    return OverlappedCollective.over(c, overlap, check);
  }

  Topology topology(List<Peer> peers) {
    return new Topology(peers.size(), all);
  }

  <T> List<Future<T>> join(int n, Way way, Joining<T> joining) {
    List<Rendezvous> all = new ArrayList<>();
    List<Peer> peers = new ArrayList<>();
    for (int r = 0; r < n; r++) {
      all.add(Rendezvous.listen(HOST));
      peers.add(new Peer(r, HOST, all.get(r).port(), way == Way.THREADS ? "e" : "e" + r));
    }
    List<Future<T>> results = new ArrayList<>();
    for (int r = 0; r < n; r++) {
      int rank = r;
      results.add(
          threads.submit(
              () -> {
                try (Rendezvous v = all.get(rank)) {
                  return joining.run(v, rank, peers);
                }
              }));
    }
    return results;
  }

  <T> Future<T> submit(java.util.concurrent.Callable<T> work) {
    return threads.submit(work);
  }

  static Throwable failure(Future<?> f) {
    return assertThrows(ExecutionException.class, () -> f.get(60, TimeUnit.SECONDS)).getCause();
  }

  /** The sum of rank + 1 over all ranks. */
  static int sum(Collective c) {
    Buffer b = Buffer.collected(4);
    b.bytes().putFloat(0, c.rank() + 1);
    c.allReduce(b, 0, 1, false);
    return (int) b.bytes().getFloat(0);
  }

  @Override
  public void afterEach(ExtensionContext test) throws Exception {
    threads.shutdownNow();
    assertTrue(threads.awaitTermination(60, TimeUnit.SECONDS));
    // Waits, since a training of another test may still be ending, and Spark has sockets too.
    assertTrue(Patience.until(() -> left().isEmpty()), () -> "left: " + left());
  }

  private List<String> left() {
    Set<String> opened;
    try {
      opened = OpenFiles.sockets();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    opened.removeAll(before); // by name: others may close their own meanwhile
    List<String> left = new ArrayList<>(opened);
    if (SharedCollective.live() > 0) {
      left.add(SharedCollective.live() + " groups of threads");
    }
    Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(n -> n.startsWith("fragua-pulse") || n.startsWith("fragua-sums"))
        .forEach(left::add);
    return left;
  }
}
