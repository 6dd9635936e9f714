package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.spark.train.Ranks.Way;
import io.fragua.tensor.Buffer;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.IllegalBlockingModeException;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Workers that die, fall silent or hang, and strangers: what the others say, and when. */
class CollectiveFailuresTest {
  private static final String STAY =
      "collective: every worker must stay until the training ends: rank ";

  @RegisterExtension final Ranks ranks = new Ranks();

  private static void assertNames(Future<?> survivor, int rank, String what) {
    Throwable t = Ranks.failure(survivor);
    assertInstanceOf(CollectiveException.class, t);
    assertTrue(t.getMessage().startsWith(STAY + rank + " (127.0.0.1:"), t.getMessage());
    assertTrue(t.getMessage().contains(what), t.getMessage());
  }

  static void assertOthersName(List<? extends Future<?>> results, int rank, String what) {
    for (int r = 0; r < results.size(); r++) {
      if (r != rank) {
        assertNames(results.get(r), rank, what);
      }
    }
  }

  /** Sums twice, but for one who does something else the second time. */
  private List<Future<Integer>> withOne(int n, Way way, int victim, Callable<Integer> instead) {
    return ranks.run(
        n,
        way,
        c -> {
          Ranks.sum(c);
          return c.rank() == victim ? instead.call() : Ranks.sum(c);
        });
  }

  private static int fail() {
    throw new IllegalStateException("out of luck");
  }

  @ParameterizedTest
  @CsvSource({"0, SOCKETS", "1, SOCKETS", "5, SOCKETS", "0, MEMORY", "1, MEMORY", "5, MEMORY"})
  void everyRankNamesTheOneThatFails(int victim, Way way) {
    List<Future<Integer>> results = withOne(6, way, victim, CollectiveFailuresTest::fail);
    assertEquals("out of luck", Ranks.failure(results.get(victim)).getMessage());
    assertOthersName(results, victim, ", executor e" + victim + ") is gone: it left (seen");
  }

  /** It fails as one does for which there is no memory: after its thread has begun. */
  @Test
  void nothingIsLeftOfOneThatCannotBegin() {
    List<Future<Integer>> results =
        ranks.join(
            2,
            Way.SOCKETS,
            (r, rank, peers) -> {
              Links all =
                  r.connect(
                      rank, peers, ranks.topology(peers), ranks.secret, ranks.timeouts, () -> {});
              for (Link l : all.data().values()) {
                l.channel.configureBlocking(true); // which a selector refuses
              }
              return new LinkedCollective(rank, peers, all, ranks.timeouts, () -> {}).size();
            });
    results.forEach(f -> assertInstanceOf(IllegalBlockingModeException.class, Ranks.failure(f)));
  }

  /** Joins and then is never heard of; its connections close when the others have failed. */
  private int mute(Rendezvous r, int rank, List<Peer> peers, CountDownLatch until)
      throws InterruptedException {
    try (Links all =
        r.connect(rank, peers, ranks.topology(peers), ranks.secret, ranks.timeouts, () -> {})) {
      until.await();
      return all.data().size();
    }
  }

  private List<Future<Integer>> withMute(
      int n, int victim, CountDownLatch joined, CountDownLatch until) {
    return ranks.join(
        n,
        Way.SOCKETS,
        (r, rank, peers) -> {
          if (rank == victim) {
            return mute(r, rank, peers, until);
          }
          try (Collective c = ranks.join(r, rank, peers, Way.SOCKETS)) {
            joined.countDown();
            return Ranks.sum(c);
          }
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 2})
  void everyRankNamesTheOneThatIsSilent(int victim) throws Exception {
    ranks.timeouts = new Timeouts(10_000, 2000, 20_000); // which nobody who lives is silent for
    CountDownLatch until = new CountDownLatch(1);
    List<Future<Integer>> results = withMute(5, victim, new CountDownLatch(4), until);
    assertOthersName(results, victim, "silent for 2000 ms (spark.fragua.collective.timeout)");
    until.countDown();
    results.get(victim).get();
  }

  /** As a process that is killed: its connections close without a word. */
  @ParameterizedTest
  @ValueSource(ints = {0, 3})
  void everyRankNamesTheOneWhoseConnectionsClose(int victim) throws Exception {
    CountDownLatch until = new CountDownLatch(1);
    CountDownLatch joined = new CountDownLatch(4);
    List<Future<Integer>> results = withMute(5, victim, joined, until);
    assertTrue(joined.await(60, TimeUnit.SECONDS), "all others have joined");
    until.countDown();
    assertOthersName(results, victim, "is gone: its connection closed");
  }

  @ParameterizedTest
  @EnumSource
  void oneThatLivesButDoesNotJoinIsNamed(Way way) throws Exception {
    ranks.timeouts = new Timeouts(10_000, 5000, 4000); // all hear who is behind within 3 s
    CountDownLatch done = new CountDownLatch(1);
    List<Future<Integer>> results =
        withOne(
            5,
            way,
            2,
            () -> {
              done.await();
              return 0;
            });
    List<Throwable> failures =
        Stream.of(0, 1, 3, 4).map(r -> Ranks.failure(results.get(r))).toList();
    String cause = STAY + "2 (127.0.0.1:";
    Predicate<Throwable> names =
        t -> t.getMessage().startsWith(cause) && t.getMessage().contains("did not join for ");
    assertTrue(failures.stream().anyMatch(names), failures::toString);
    if (way == Way.THREADS) { // else the others may see first that this one has gone
      assertTrue(failures.stream().allMatch(names), failures::toString);
    }
    done.countDown();
    assertEquals(0, results.get(2).get());
  }

  /** A slow worker is waited for as long as it lives, far beyond the time allowed for silence. */
  @Test
  void oneThatIsSlowIsWaitedFor() throws Exception {
    ranks.timeouts = new Timeouts(10_000, 1500, 20_000);
    List<Future<Integer>> results =
        ranks.run(
            3,
            Way.SOCKETS,
            c -> {
              Thread.sleep(c.rank() * 2500L);
              return Ranks.sum(c);
            });
    for (Future<Integer> f : results) {
      assertEquals(6, f.get());
    }
  }

  @Test
  void aThreadThatLeavesIsNamed() {
    List<Future<Integer>> results = withOne(3, Way.THREADS, 1, CollectiveFailuresTest::fail);
    for (int r : new int[] {0, 2}) {
      assertNames(results.get(r), 1, "is gone: it left (seen by rank " + r);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 16})
  void aWrongKeyIsRefused(int cipherBytes) throws Exception {
    ranks.timeouts = new Timeouts(1500, 1500, 1500);
    List<Future<Integer>> results =
        ranks.join(
            2,
            Way.SOCKETS,
            (r, rank, peers) -> {
              Secret own = new Secret(new byte[] {(byte) rank}, cipherBytes);
              return r.join(
                      rank, peers, ranks.topology(peers), own, ranks.timeouts, false, () -> {})
                  .rank();
            });
    for (int r = 0; r < 2; r++) {
      String m = Ranks.failure(results.get(r)).getMessage();
      assertTrue(m.startsWith("collective: every worker must join the others: rank " + (1 - r)), m);
      assertTrue(m.contains("executor e" + (1 - r)), m);
    }
  }

  /** Ends that do not agree whether to encrypt never talk, rather than in clear text. */
  @Test
  void encryptionOnOneSideAloneIsRefused() throws Exception {
    ranks.timeouts = new Timeouts(5000, 5000, 5000);
    List<Future<Integer>> results =
        ranks.join(
            2,
            Way.SOCKETS,
            (r, rank, peers) -> {
              Secret own = new Secret(Ranks.CLEAR.key(), 16 * rank);
              return r.join(
                      rank, peers, ranks.topology(peers), own, ranks.timeouts, false, () -> {})
                  .rank();
            });
    String m = Ranks.failure(results.get(1)).getMessage();
    assertTrue(m.contains("rank 0 (") && m.contains("other settings of encryption"), m);
    Ranks.failure(results.get(0));
  }

  @Test
  void strangersAreDroppedAndTheWorkersMeet() throws Exception {
    try (Rendezvous a = Rendezvous.listen(Ranks.HOST);
        Rendezvous b = Rendezvous.listen(Ranks.HOST);
        SocketChannel silent = SocketChannel.open(new InetSocketAddress(Ranks.HOST, a.port()));
        SocketChannel liar = SocketChannel.open(new InetSocketAddress(Ranks.HOST, a.port()))) {
      SocketChannel.open(new InetSocketAddress(Ranks.HOST, a.port())).close();
      liar.write(ByteBuffer.allocate(Handshake.ANSWER));
      CountDownLatch guessed = new CountDownLatch(1);
      Future<Integer> guesser = ranks.submit(() -> guess(a.port(), guessed));
      List<Peer> peers =
          List.of(new Peer(0, Ranks.HOST, a.port(), "0"), new Peer(1, Ranks.HOST, b.port(), "1"));
      Future<Integer> one =
          ranks.submit(
              () -> {
                guessed.await(); // the strangers are first
                try (Collective c = ranks.join(b, 1, peers, Way.SOCKETS)) {
                  return Ranks.sum(c);
                }
              });
      try (Collective c = ranks.join(a, 0, peers, Way.SOCKETS)) {
        assertEquals(3, Ranks.sum(c));
      }
      assertEquals(3, one.get());
      assertEquals(-1, guesser.get(), "the guesser's connection was closed");
      assertTrue(silent.isOpen());
    }
  }

  /** Speaks the protocol as rank 1 to rank 0, with another key; what it reads in the end. */
  private static int guess(int port, CountDownLatch guessed) throws IOException {
    try (SocketChannel c = SocketChannel.open(new InetSocketAddress(Ranks.HOST, port))) {
      ByteBuffer hello = ByteBuffer.allocate(Handshake.HELLO);
      while (hello.hasRemaining()) {
        if (c.read(hello) < 0) {
          throw new EOFException();
        }
      }
      byte[] nonce = Handshake.readHello(hello.flip());
      var ends = new Handshake.Ends(1, 0, 0);
      c.write(Handshake.answer(new byte[] {7}, nonce, Handshake.nonce(), ends));
      guessed.countDown();
      return c.read(ByteBuffer.allocate(1));
    } finally {
      guessed.countDown();
    }
  }

  /** Sums a vector that is easy to recognise; rank 1 reaches rank 0 through the wire tap. */
  private List<Future<float[]>> tapped(WireTap tap, int floats) {
    return ranks.join(
        2,
        Way.SOCKETS,
        (r, rank, peers) -> {
          List<Peer> seen = peers;
          if (rank == 1) {
            tap.forwardTo(peers.get(0).port());
            seen = List.of(new Peer(0, Ranks.HOST, tap.port(), "e0"), peers.get(1));
          }
          try (Collective c = ranks.join(r, rank, seen, Way.SOCKETS)) {
            Buffer b = Buffer.collected(4L * floats);
            float[] v = new float[floats];
            java.util.Arrays.fill(v, WireTap.PATTERN);
            b.bytes().asFloatBuffer().put(v);
            c.allReduce(b, 0, floats, false);
            b.bytes().asFloatBuffer().get(v);
            return v;
          }
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 16, 32})
  void whatIsEncryptedCannotBeRead(int cipherBytes) throws Exception {
    ranks.secret = new Secret(new byte[] {5}, cipherBytes);
    try (WireTap tap = new WireTap(Long.MAX_VALUE)) {
      float[] expected = new float[100_000];
      java.util.Arrays.fill(expected, 2 * WireTap.PATTERN);
      for (Future<float[]> f : tapped(tap, expected.length)) {
        assertArrayEquals(expected, f.get(30, TimeUnit.SECONDS), 0f);
      }
      assertEquals(cipherBytes == 0, tap.sawPattern());
    }
  }

  @Test
  void whatIsChangedOnItsWayIsNoticed() throws Exception {
    ranks.secret = new Secret(new byte[] {5}, 16);
    try (WireTap tap = new WireTap(50_000)) {
      List<Future<float[]>> results = tapped(tap, 100_000);
      Ranks.failure(results.get(1));
      Throwable t = Ranks.failure(results.get(0));
      String all = t.getMessage() + List.of(t.getSuppressed());
      assertTrue(all.contains("changed on its way") || all.contains("impossible length"), all);
    }
  }

  @Test
  void aNeighbourThatNeverListensIsNamed() throws Exception {
    try (Socket bound = new Socket(); // nobody else gets its port
        Rendezvous r = Rendezvous.listen(Ranks.HOST)) {
      bound.bind(new InetSocketAddress(Ranks.HOST, 0));
      int free = bound.getLocalPort();
      List<Peer> peers =
          List.of(new Peer(0, Ranks.HOST, free, "0"), new Peer(1, Ranks.HOST, r.port(), "1"));
      String m =
          assertThrows(CollectiveException.class, () -> ranks.join(r, 1, peers, Way.SOCKETS))
              .getMessage();
      assertTrue(m.contains("rank 0 (127.0.0.1:" + free + ", executor 0) refused"), m);
    }
  }

  @Test
  void aWaitCanBeGivenUp() throws Exception {
    try (Rendezvous r = Rendezvous.listen(Ranks.HOST)) {
      List<Peer> peers =
          List.of(new Peer(0, Ranks.HOST, r.port(), "0"), new Peer(1, Ranks.HOST, r.port(), "1"));
      ranks.check =
          () -> {
            throw new IllegalStateException("killed");
          };
      assertEquals(
          "killed",
          assertThrows(IllegalStateException.class, () -> ranks.join(r, 0, peers, Way.SOCKETS))
              .getMessage());
    }
  }

  @Test
  void itNeverListensOnEveryInterface() {
    String m =
        assertThrows(IllegalStateException.class, () -> Rendezvous.listen("0.0.0.0")).getMessage();
    assertTrue(m.startsWith("collective: a worker listens on its executor's address: 0.0.0.0"), m);
  }
}
