package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.spark.train.Ranks.Way;
import io.fragua.tensor.Buffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Buckets that are added up while their workers still compute. */
class OverlapTest {
  /** First float of each result and the end: buckets that go every way, the exact part before. */
  private static final int[] AT = {16, 20_016, 20_116, 40_116, 340_116, 350_116};

  private static final int BYTES = 40_000;
  private static final int STEPS = 12;

  @RegisterExtension final Ranks ranks = new Ranks();

  /** A worker's sums, as a workspace has them. */
  private static final class Sums {
    final Buffer all = Buffer.collected(4L * AT[AT.length - 1]);
    final FloatBuffer floats = all.bytes().asFloatBuffer();
    final Buckets buckets;

    Sums(boolean bf16) {
      List<Integer> order = List.of(1, 3, 0, 2, 4); // results, as they lie
      buckets = Buckets.cut(all, order, AT, BYTES, bf16);
      assertEquals(4, buckets.count());
    }

    /** Writes the results one after another, each told of when it is written. */
    void compute(Random random, int step, int rank, Collective c) {
      buckets.begin();
      c.begin(buckets);
      int[] at = {2, 0, 3, 1, 4}; // where results 0, 1, ... lie
      List<Integer> results = new ArrayList<>(List.of(0, 1, 2, 3, 4));
      Collections.shuffle(results, random);
      for (int r : results) {
        for (int i = AT[at[r]]; i < AT[at[r] + 1]; i++) {
          floats.put(i, (float) Math.sin(i + 7.0 * step + 31 * rank) * (1 << i % 20));
        }
        if (random.nextBoolean()) {
          pause(random.nextInt(3));
        }
        buckets.complete(r);
      }
    }

    void nothing(Collective c) {
      for (int i = AT[0]; i < floats.capacity(); i++) {
        floats.put(i, 0);
      }
      buckets.begin();
      c.begin(buckets);
      buckets.completeAll();
    }
  }

  private static void pause(int ms) {
    try {
      Thread.sleep(ms);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A few steps, in one of which this rank may have no rows; all sums of all steps. */
  private static float[] train(Collective c, boolean bf16) {
    Sums s = new Sums(bf16);
    Random random = new Random(c.rank() + System.nanoTime()); // bits must not depend on the times
    int n = AT[AT.length - 1];
    float[] sums = new float[STEPS * n];
    for (int step = 0; step < STEPS; step++) {
      if (step % 5 == c.rank()) {
        s.nothing(c);
      } else {
        s.compute(random, step, c.rank(), c);
      }
      for (int i = 0; i < AT[0]; i++) {
        s.floats.put(i, 1 + i);
      }
      c.finish(s.buckets);
      c.allReduce(s.all, 0, AT[0], false);
      s.floats.get(0, sums, step * n, n);
    }
    return sums;
  }

  @ParameterizedTest
  @CsvSource({"2, false", "2, true", "3, false", "5, true"})
  void theSumsAreThoseOfOneCallAfterTheOther(int n, boolean bf16) throws Exception {
    float[] expected = ranks.run(n, Way.SOCKETS, c -> train(c, bf16)).get(0).get();
    for (int i = 0; i < AT[0]; i++) {
      assertEquals(n * (1 + i), expected[i], "exact, at " + i);
    }
    ranks.overlap = true;
    for (Way way : Way.values()) {
      int rank = 0;
      for (Future<float[]> f : ranks.run(n, way, c -> train(c, bf16))) {
        assertArrayEquals(expected, f.get(), 0f, way + ", rank " + rank++);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"SOCKETS", "MEMORY"})
  void aBucketIsAddedUpWhileTheNextIsComputed(Way way) throws Exception {
    ranks.overlap = true;
    List<Future<Boolean>> seen =
        ranks.run(
            3,
            way,
            c -> {
              Sums s = new Sums(false);
              s.floats.put(AT[0], 1);
              s.buckets.begin();
              c.begin(s.buckets);
              s.buckets.complete(1); // the first bucket
              boolean summed = Patience.until(() -> s.floats.get(AT[0]) == 3);
              s.buckets.completeAll();
              c.finish(s.buckets);
              return summed;
            });
    for (Future<Boolean> f : seen) {
      assertTrue(f.get());
    }
  }

  /** One fails in the middle of a step, while a bucket is on its way; all others name it. */
  @ParameterizedTest
  @CsvSource({"0, SOCKETS", "1, SOCKETS", "5, SOCKETS", "0, MEMORY", "3, MEMORY", "2, THREADS"})
  void everyRankNamesTheOneWhoseGradientFails(int victim, Way way) {
    ranks.overlap = true;
    List<Future<Integer>> results =
        ranks.run(
            6,
            way,
            c -> {
              Sums s = new Sums(false);
              Random random = new Random(c.rank());
              for (int step = 0; step < 3; step++) {
                if (step == 2 && c.rank() == victim) {
                  s.buckets.begin();
                  c.begin(s.buckets);
                  s.buckets.complete(1);
                  pause(20);
                  throw new IllegalStateException("out of luck");
                }
                s.compute(random, step, c.rank(), c);
                c.finish(s.buckets);
              }
              return 0;
            });
    assertEquals("out of luck", Ranks.failure(results.get(victim)).getMessage());
    CollectiveFailuresTest.assertOthersName(results, victim, " is gone: it left (seen");
  }

  /** As a process that is killed: its connections close without a word. */
  @ParameterizedTest
  @CsvSource({"0", "3"})
  void everyRankNamesTheOneWhoseConnectionsClose(int victim) throws Exception {
    ranks.overlap = true;
    CountDownLatch began = new CountDownLatch(4);
    List<Future<Integer>> results =
        ranks.join(
            5,
            Way.SOCKETS,
            (r, rank, peers) -> {
              if (rank == victim) {
                try (Links all =
                    r.connect(
                        rank,
                        peers,
                        ranks.topology(peers),
                        ranks.secret,
                        ranks.timeouts,
                        () -> {})) {
                  assertTrue(began.await(60, TimeUnit.SECONDS));
                  return all.data().size();
                }
              }
              try (Collective c = ranks.join(r, rank, peers, Way.SOCKETS)) {
                Sums s = new Sums(false);
                s.buckets.begin();
                c.begin(s.buckets);
                s.buckets.complete(1);
                began.countDown();
                s.buckets.completeAll();
                c.finish(s.buckets);
                return 0;
              }
            });
    CollectiveFailuresTest.assertOthersName(results, victim, "is gone: its connection closed");
  }

  /** Rank 0 waits for buckets of rank 1, which computes on; what rank 0's caller is thrown. */
  private Throwable thrown(Runnable outside) throws Exception {
    CountDownLatch over = new CountDownLatch(1);
    List<Future<Integer>> results =
        ranks.run(
            2,
            Way.SOCKETS,
            c -> {
              try (Collective o = new OverlappedCollective((LinkedCollective) c, outside)) {
                Sums s = new Sums(false);
                s.buckets.begin();
                o.begin(s.buckets);
                if (c.rank() == 1) {
                  over.await();
                  return 0;
                }
                s.buckets.completeAll();
                o.finish(s.buckets);
                return 0;
              }
            });
    Throwable t = Ranks.failure(results.get(0));
    over.countDown();
    assertEquals(0, results.get(1).get());
    return t;
  }

  private static Runnable inTheOtherThread(Runnable throwing) {
    return () -> {
      if (Thread.currentThread().getName().equals("fragua-sums-0")) {
        throwing.run();
      }
    };
  }

  /** What is thrown to the thread that adds up reaches the one that trains, as it is. */
  @Test
  void aTaskThatIsKilledWhileASumWaitsGivesUp() throws Exception {
    RuntimeException killed = new IllegalStateException("killed");
    ranks.check =
        inTheOtherThread(
            () -> {
              throw killed;
            });
    assertSame(killed, thrown(() -> {}));
  }

  @Test
  void aTaskThatIsKilledWhileItWaitsForTheSumsGivesUp() throws Exception {
    RuntimeException killed = new IllegalStateException("killed");
    Runnable kill =
        () -> {
          throw killed;
        };
    assertSame(killed, thrown(kill));
  }

  @Test
  void aThreadThatIsInterruptedGivesUp() throws Exception {
    Throwable t = thrown(() -> Thread.currentThread().interrupt());
    assertInstanceOf(CollectiveException.class, t);
    assertEquals(CollectiveException.interrupted(0).getMessage(), t.getMessage());
  }

  /** An error that no sum is expected to throw. */
  @Test
  void anErrorOfTheOtherThreadIsThrown() throws Exception {
    Error e = new StackOverflowError("deep");
    ranks.check =
        inTheOtherThread(
            () -> {
              throw e;
            });
    assertSame(e, thrown(() -> {}));
  }

  /** Small networks have no buckets, and their workers no further thread. */
  @Test
  void withoutBucketsThereIsNoThread() throws Exception {
    ranks.overlap = true;
    List<Future<Boolean>> threads =
        ranks.run(
            2,
            Way.SOCKETS,
            c -> {
              Ranks.sum(c);
              boolean any =
                  Thread.getAllStackTraces().keySet().stream()
                      .anyMatch(t -> t.getName().startsWith("fragua-sums"));
              Ranks.sum(c);
              return any;
            });
    for (Future<Boolean> f : threads) {
      assertEquals(false, f.get());
    }
  }

  @Test
  void itPaysBetweenMachinesUnlessSaidOtherwise() {
    List<Peer> one = List.of(new Peer(0, "a", 1, "1"), new Peer(1, "a", 2, "2"));
    List<Peer> two = List.of(new Peer(0, "a", 1, "1"), new Peer(1, "b", 2, "2"));
    SparkConf conf = new SparkConf(false);
    assertEquals(false, OverlappedCollective.pays(conf, one));
    assertEquals(true, OverlappedCollective.pays(conf, two));
    conf.set(OverlappedCollective.KEY, "true");
    assertEquals(true, OverlappedCollective.pays(conf, one));
    conf.set(OverlappedCollective.KEY, "false");
    assertEquals(false, OverlappedCollective.pays(conf, two));
    conf.set(OverlappedCollective.KEY, "often");
    assertThrows(IllegalArgumentException.class, () -> OverlappedCollective.pays(conf, two));
  }
}
