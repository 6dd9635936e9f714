package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.spark.train.Ranks.Way;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Links through memory, and the agreement to use it. */
class SharedMemoryTest {
  @RegisterExtension final Ranks ranks = new Ranks();

  /** What a rank does with its links. */
  private interface Body<T> {
    T run(Links links) throws Exception;
  }

  /** What a rank does before it agrees with the others. */
  private interface Agreeing<T> {
    T run(Links links, int rank, SharedMemory memory) throws Exception;
  }

  private <T> List<Future<T>> linked(int n, Body<T> body) {
    return connected(
        n,
        (all, rank, memory) -> {
          memory.join(all.data());
          return body.run(all);
        });
  }

  private <T> List<Future<T>> connected(int n, Agreeing<T> body) {
    return connected(n, ranks.timeouts, body);
  }

  private <T> List<Future<T>> connected(int n, Timeouts offers, Agreeing<T> body) {
    return ranks.join(
        n,
        Way.SOCKETS,
        (r, rank, peers) -> {
          try (Links all =
              r.connect(
                  rank, peers, ranks.topology(peers), ranks.secret, ranks.timeouts, () -> {})) {
            return body.run(all, rank, new SharedMemory(rank, peers, offers, () -> {}));
          }
        });
  }

  private static List<String> mapped() throws IOException {
    try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
      return maps.filter(m -> m.contains("/dev/shm/fragua-")).toList();
    }
  }

  @AfterEach
  void nothingStaysMapped() throws IOException {
    assertEquals(List.of(), mapped());
    assertEquals(0, OpenFiles.named(".*/dev/shm/fragua-.*").size(), "open files");
  }

  /** Of any length, in any pieces, both ways at once. */
  @Test
  void bytesArriveAsTheyWereSent() throws Exception {
    int length = 5 * SharedLink.CAPACITY + 123;
    List<Future<byte[]>> got =
        linked(
            2,
            links -> {
              Link link = links.data().values().iterator().next();
              assertFalse(link.wakes());
              Random random = new Random(link.peer().rank());
              ByteBuffer out = ByteBuffer.wrap(bytes(1 - link.peer().rank(), length));
              ByteBuffer in = ByteBuffer.allocate(length);
              while (out.hasRemaining() || in.hasRemaining()) {
                part(out, random, length);
                link.write(out);
                out.limit(length);
                part(in, random, length);
                link.read(in);
                in.limit(length);
              }
              return in.array();
            });
    for (int r = 0; r < 2; r++) {
      assertArrayEquals(bytes(1 - r, length), got.get(r).get(60, TimeUnit.SECONDS));
    }
  }

  private static void part(ByteBuffer b, Random random, int length) {
    int most = 1 << random.nextInt(20);
    b.limit(Math.min(length, b.position() + random.nextInt(most)));
  }

  private static byte[] bytes(int rank, int length) {
    byte[] b = new byte[length];
    new Random(100 + rank).nextBytes(b);
    return b;
  }

  /** As when a process is killed: what it had written can still be read. */
  @Test
  void whoIsGoneIsNoticedAfterItsLastByte() throws Exception {
    CountDownLatch left = new CountDownLatch(1);
    List<Future<Integer>> results =
        linked(
            2,
            links -> {
              Link link = links.data().values().iterator().next();
              if (link.peer().rank() == 0) {
                assertTrue(link.write(ByteBuffer.allocate(1000)));
                link.close();
                left.countDown();
                return 0;
              }
              ByteBuffer in = ByteBuffer.allocate(700);
              left.await();
              link.look();
              assertTrue(link.read(in));
              assertTrue(link.read(in.clear()));
              assertThrows(EOFException.class, () -> link.read(in.clear()));
              ByteBuffer much = ByteBuffer.allocate(SharedLink.CAPACITY);
              assertTrue(link.write(much));
              assertThrows(EOFException.class, () -> link.write(much.clear()));
              return in.position();
            });
    for (Future<Integer> f : results) {
      f.get(30, TimeUnit.SECONDS);
    }
  }

  /** Files have no name while they are used. */
  @Test
  void noFileIsLeftWhoeverDies() throws Exception {
    List<Future<List<String>>> results =
        linked(
            3,
            links -> {
              for (Link l : links.data().values()) {
                assertFalse(l.wakes());
              }
              return mapped();
            });
    for (Future<List<String>> f : results) {
      List<String> maps = f.get(30, TimeUnit.SECONDS);
      assertFalse(maps.isEmpty());
      assertTrue(maps.stream().allMatch(m -> m.endsWith(" (deleted)")), maps::toString);
    }
  }

  /** Offers that lead nowhere. */
  enum Offer {
    NONE,
    NO_SUCH_PROCESS,
    NO_SUCH_FILE,
    SHORT_FILE,
    OTHER_FILE;

    ByteBuffer message(Path file) throws IOException {
      long process = ProcessHandle.current().pid();
      int descriptor = 1 << 20;
      if (this == SHORT_FILE || this == OTHER_FILE) {
        String found = OpenFiles.named(".*" + file.getFileName()).get(file.toString()).toString();
        descriptor = Integer.parseInt(found.substring(found.lastIndexOf('/') + 1));
      }
      return ByteBuffer.allocate(28)
          .putLong(this == NONE ? 0 : this == NO_SUCH_PROCESS ? Integer.MAX_VALUE : process)
          .putInt(descriptor)
          .putLong(12345) // no token of ours
          .clear();
    }
  }

  /** As processes in two containers: they go on over the socket. */
  @ParameterizedTest
  @EnumSource
  void whatCannotBeMappedIsNotUsed(Offer offer, @TempDir Path temp) throws Exception {
    Path file = Files.createFile(temp.toRealPath().resolve("fragua-other"));
    byte[] bytes = new byte[offer == Offer.SHORT_FILE ? 100 : SharedLink.MEMORY];
    Files.write(file, bytes);
    try (FileChannel open = FileChannel.open(file, StandardOpenOption.READ)) {
      List<Future<Boolean>> results =
          connected(
              2,
              (all, rank, memory) -> {
                Link link = all.data().get(1 - rank);
                if (rank == 0) {
                  memory.join(all.data());
                } else {
                  link.write(offer.message(file));
                  ByteBuffer answer = ByteBuffer.allocate(1);
                  while (offer != Offer.NONE && answer.hasRemaining()) {
                    link.read(answer);
                  }
                  assertEquals(0, answer.get(0));
                }
                return all.data().get(1 - rank).wakes();
              });
      for (Future<Boolean> f : results) {
        assertTrue(f.get(30, TimeUnit.SECONDS), "it is a socket");
      }
      assertEquals(bytes.length, open.size());
    }
    assertArrayEquals(bytes, Files.readAllBytes(file), "nothing was written to it");
  }

  /** The wait for an offer ends, and says for whom. */
  @Test
  void whoSaysNothingIsNamed() throws Exception {
    CountDownLatch over = new CountDownLatch(1);
    List<Future<Boolean>> results =
        connected(
            2,
            new Timeouts(500, 20_000, 20_000),
            (all, rank, memory) -> {
              if (rank == 0) {
                try {
                  memory.join(all.data());
                } finally {
                  over.countDown();
                }
              } else {
                over.await();
              }
              return true;
            });
    String m = Ranks.failure(results.get(0)).getMessage();
    assertTrue(m.contains("rank 1 (127.0.0.1:") && m.contains("within 500 ms"), m);
    assertTrue(m.contains(SharedMemory.KEY), m);
    results.get(1).get();
  }
}
