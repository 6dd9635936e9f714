package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.tensor.Buffer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Ranks as threads of one process: over real sockets where they are said to be executors of their
 * own, else in shared memory.
 */
class CollectiveTest {
  private static final String HOST = "127.0.0.1";
  private static final byte[] KEY = {1, 2, 3};
  private static final int[] SIZES = {0, 1, 2, 3, 7, 2047, 2049, 70_001, 1_500_000};

  private int before;
  private final ExecutorService threads = Executors.newCachedThreadPool();

  /** The JDK keeps a socket of its own from the first close on. */
  @BeforeAll
  static void firstClose() throws IOException {
    try (Rendezvous r = Rendezvous.listen(HOST)) {
      SocketChannel.open(new InetSocketAddress(HOST, r.port())).close();
    }
  }

  @BeforeEach
  void countSockets() throws IOException {
    before = OpenFiles.sockets();
  }

  @AfterEach
  void nothingIsLeftOpen() throws Exception {
    threads.shutdownNow();
    assertTrue(threads.awaitTermination(20, TimeUnit.SECONDS));
    assertEquals(before, OpenFiles.sockets(), "sockets left open");
  }

  /** Runs the body on every rank, each an executor; the results by rank, or the failures. */
  private <T> List<Future<T>> ring(int n, Timeouts timeouts, List<byte[]> keys, Body<T> body)
      throws Exception {
    return run(n, timeouts, keys, false, body);
  }

  private <T> List<Future<T>> run(
      int n, Timeouts timeouts, List<byte[]> keys, boolean shared, Body<T> body) {
    List<Rendezvous> all = new ArrayList<>();
    List<Peer> peers = new ArrayList<>();
    for (int r = 0; r < n; r++) {
      all.add(Rendezvous.listen(HOST));
      peers.add(new Peer(r, HOST, all.get(r).port(), shared ? "e" : "e" + r));
    }
    List<Future<T>> results = new ArrayList<>();
    for (int r = 0; r < n; r++) {
      int rank = r;
      Callable<T> work =
          () -> {
            try (Rendezvous v = all.get(rank);
                Collective c = v.join(rank, peers, keys.get(rank), timeouts, () -> {})) {
              return body.run(c);
            }
          };
      results.add(threads.submit(work));
    }
    return results;
  }

  private interface Body<T> {
    T run(Collective c) throws Exception;
  }

  private static List<byte[]> sameKey(int n) {
    return Stream.generate(() -> KEY).limit(n).toList();
  }

  private static final Timeouts PATIENT = new Timeouts(10_000, 20_000);

  private static float[] values(int rank, int size) {
    SplittableRandom random = new SplittableRandom(31L * rank + size);
    float[] v = new float[size];
    for (int i = 0; i < size; i++) {
      v[i] = (float) (random.nextDouble() - 0.5) * (1 << (i % 20));
    }
    return v;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5})
  void sumsAreRightAndTheSameBitsOnEveryRank(int n) throws Exception {
    List<Future<List<float[]>>> results = run(n, PATIENT, sameKey(n), false, CollectiveTest::sums);
    List<Future<List<float[]>>> shared = run(n, PATIENT, sameKey(n), true, CollectiveTest::sums);
    for (int s = 0; s < SIZES.length; s++) {
      double[] expected = new double[SIZES[s]];
      for (int r = 0; r < n; r++) {
        float[] v = values(r, SIZES[s]);
        for (int i = 0; i < v.length; i++) {
          expected[i] += v[i];
        }
      }
      float[] first = results.get(0).get().get(s);
      for (int i = 0; i < expected.length; i++) {
        assertEquals(expected[i], first[i], 0.25 * n, "size " + SIZES[s] + " at " + i);
      }
      for (int r = 0; r < n; r++) {
        assertArrayEquals(first, results.get(r).get().get(s), 0f, "rank " + r);
        assertArrayEquals(first, shared.get(r).get().get(s), 0f, "shared memory, rank " + r);
      }
    }
    assertEquals(0, SharedCollective.live());
  }

  private static List<float[]> sums(Collective c) {
    List<float[]> sums = new ArrayList<>();
    for (int size : SIZES) {
      Buffer b = Buffer.collected(4L * size);
      b.bytes().asFloatBuffer().put(values(c.rank(), size));
      c.allReduce(b, size);
      float[] out = new float[size];
      b.bytes().asFloatBuffer().get(out);
      sums.add(out);
    }
    return sums;
  }

  @Test
  void aThreadThatLeavesIsNamed() throws Exception {
    List<Future<Integer>> results =
        run(
            3,
            PATIENT,
            sameKey(3),
            true,
            c -> {
              sum(c);
              if (c.rank() == 1) {
                throw new IllegalStateException("out of luck");
              }
              return sum(c);
            });
    assertEquals("out of luck", failure(results.get(1)).getMessage());
    for (int r : new int[] {0, 2}) {
      String m = failure(results.get(r)).getMessage();
      assertTrue(
          m.startsWith("collective: every worker must stay until the training ends: rank 1 ("), m);
      assertTrue(m.contains("is gone: it left (seen by rank " + r), m);
    }
    assertEquals(0, SharedCollective.live());
  }

  @Test
  void aThreadThatIsSilentIsNoticed() throws Exception {
    CountDownLatch heard = new CountDownLatch(1);
    List<Future<Integer>> results =
        run(
            2,
            new Timeouts(10_000, 300),
            sameKey(2),
            true,
            c -> {
              if (c.rank() == 1) {
                heard.await();
                return 0;
              }
              try {
                return sum(c);
              } finally {
                heard.countDown();
              }
            });
    String m = failure(results.get(0)).getMessage();
    assertTrue(m.contains("rank 1 (") && m.contains("was silent for 300 ms"), m);
    assertEquals(0, results.get(1).get());
  }

  @Test
  void onlyTheFirstFloatsAreSummed() throws Exception {
    List<Future<float[]>> results =
        ring(
            2,
            PATIENT,
            sameKey(2),
            c -> {
              Buffer b = Buffer.collected(12);
              b.bytes().asFloatBuffer().put(new float[] {1, 2, 3});
              c.allReduce(b, 2);
              float[] out = new float[3];
              b.bytes().asFloatBuffer().get(out);
              return out;
            });
    assertArrayEquals(new float[] {2, 4, 3}, results.get(1).get());
  }

  @Test
  void aWrongKeyIsRefused() throws Exception {
    List<Future<Integer>> results =
        ring(2, new Timeouts(1500, 1500), List.of(KEY, new byte[] {9}), Collective::rank);
    for (int r = 0; r < 2; r++) {
      Throwable t = failure(results.get(r));
      assertInstanceOf(CollectiveException.class, t);
      assertTrue(
          t.getMessage().startsWith("collective: every worker must join the ring: rank " + (1 - r)),
          t.getMessage());
      assertTrue(t.getMessage().contains("executor e" + (1 - r)), t.getMessage());
    }
  }

  @Test
  void strangersAreDroppedAndTheRingForms() throws Exception {
    try (Rendezvous a = Rendezvous.listen(HOST);
        Rendezvous b = Rendezvous.listen(HOST);
        SocketChannel silent = SocketChannel.open(new InetSocketAddress(HOST, a.port()));
        SocketChannel liar = SocketChannel.open(new InetSocketAddress(HOST, a.port()))) {
      SocketChannel.open(new InetSocketAddress(HOST, a.port())).close();
      liar.write(ByteBuffer.allocate(Handshake.ANSWER));
      Future<Integer> guesser = threads.submit(() -> guess(a.port()));
      List<Peer> peers =
          List.of(new Peer(0, HOST, a.port(), "0"), new Peer(1, HOST, b.port(), "1"));
      Future<Integer> one =
          threads.submit(
              () -> {
                Thread.sleep(300); // the strangers are first
                try (Collective c = b.join(1, peers, KEY, PATIENT, () -> {})) {
                  return sum(c);
                }
              });
      try (Collective c = a.join(0, peers, KEY, PATIENT, () -> {})) {
        assertEquals(3, sum(c));
      }
      assertEquals(3, one.get());
      assertEquals(-1, guesser.get(), "the guesser's connection was closed");
      assertTrue(silent.isOpen());
    }
  }

  /** Speaks the protocol as rank 1 to rank 0, with another key; what it reads in the end. */
  private static int guess(int port) throws IOException {
    try (SocketChannel c = SocketChannel.open(new InetSocketAddress(HOST, port))) {
      ByteBuffer hello = ByteBuffer.allocate(Handshake.HELLO);
      while (hello.hasRemaining()) {
        c.read(hello);
      }
      byte[] nonce = Handshake.readHello(hello.flip());
      c.write(Handshake.answer(new byte[] {7}, nonce, Handshake.nonce(), 1, 0));
      return c.read(ByteBuffer.allocate(1));
    }
  }

  private static int sum(Collective c) {
    Buffer b = Buffer.collected(4);
    b.bytes().putFloat(0, c.rank() + 1);
    c.allReduce(b, 1);
    return (int) b.bytes().getFloat(0);
  }

  @Test
  void aDeadNeighbourIsNamed() throws Exception {
    List<Future<Integer>> results =
        ring(
            3,
            PATIENT,
            sameKey(3),
            c -> {
              sum(c);
              if (c.rank() == 1) {
                throw new IllegalStateException("out of luck");
              }
              for (int i = 0; i < 2; i++) {
                sum(c);
              }
              return 0;
            });
    assertEquals("out of luck", failure(results.get(1)).getMessage());
    String two = failure(results.get(2)).getMessage();
    assertTrue(
        two.startsWith("collective: every worker must stay until the training ends: rank 1 ("),
        two);
    assertTrue(two.contains(", executor e1) is gone"), two);
    assertInstanceOf(CollectiveException.class, failure(results.get(0)));
  }

  @Test
  void aSilentNeighbourIsNamedAfterTheTimeout() throws Exception {
    CountDownLatch done = new CountDownLatch(1);
    List<Future<Integer>> results =
        ring(
            2,
            new Timeouts(10_000, 400),
            sameKey(2),
            c -> {
              if (c.rank() == 1) {
                done.await();
                return 0;
              }
              return sum(c);
            });
    String zero = failure(results.get(0)).getMessage();
    assertTrue(zero.contains("rank 1 (127.0.0.1:"), zero);
    assertTrue(zero.contains("was silent for 400 ms (spark.fragua.collective.timeout)"), zero);
    done.countDown();
    assertEquals(0, results.get(1).get());
  }

  @Test
  void aNeighbourThatNeverListensIsNamed() throws Exception {
    int free;
    try (Rendezvous r = Rendezvous.listen(HOST)) {
      free = r.port();
    }
    try (Rendezvous r = Rendezvous.listen(HOST)) {
      List<Peer> peers = List.of(new Peer(0, HOST, r.port(), "0"), new Peer(1, HOST, free, "1"));
      CollectiveException e =
          assertThrows(
              CollectiveException.class,
              () -> r.join(0, peers, KEY, new Timeouts(3000, 3000), () -> {}));
      assertTrue(
          e.getMessage().contains("rank 1 (127.0.0.1:" + free + ", executor 1) refused"),
          e.getMessage());
    }
  }

  @Test
  void aWaitCanBeGivenUp() throws Exception {
    try (Rendezvous r = Rendezvous.listen(HOST)) {
      List<Peer> peers =
          List.of(new Peer(0, HOST, r.port(), "0"), new Peer(1, HOST, r.port(), "1"));
      Runnable killed =
          () -> {
            throw new IllegalStateException("killed");
          };
      assertEquals(
          "killed",
          assertThrows(IllegalStateException.class, () -> r.join(0, peers, KEY, PATIENT, killed))
              .getMessage());
    }
  }

  @Test
  void itNeverListensOnEveryInterface() {
    String m =
        assertThrows(IllegalStateException.class, () -> Rendezvous.listen("0.0.0.0")).getMessage();
    assertTrue(m.startsWith("collective: a worker listens on its executor's address: 0.0.0.0"), m);
  }

  private static Throwable failure(Future<?> f) {
    return assertThrows(ExecutionException.class, f::get).getCause();
  }
}
