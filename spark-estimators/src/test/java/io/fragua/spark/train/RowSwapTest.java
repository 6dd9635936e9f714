package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.spark.train.Ranks.Way;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.spark.SparkEnv;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rows that workers swap before an epoch. */
class RowSwapTest {
  private static final int EPOCHS = 3;

  /** Numbers of rows of the workers. */
  private static final List<long[]> SIZES =
      List.of(
          new long[] {500},
          new long[] {700, 700},
          new long[] {1000, 3, 0},
          new long[] {400, 401, 399, 400, 400},
          new long[] {1, 1, 1, 1},
          new long[] {0, 0});

  @RegisterExtension final Ranks ranks = new Ranks();

  private final SparkEnv env = TestSpark.env(); // its sockets are there before a test's
  private final BufferAllocator root = new RootAllocator();

  @AfterEach
  void everythingWasFreed() {
    root.close(); // throws if not
  }

  /** The rows of every epoch on every rank, in their order; then the validation rows. */
  private List<int[][]> epochs(long[] sizes, Way way, long budget, int cipherBytes)
      throws Exception {
    RowLayout l = WorkerStoreTest.layout(1, 1500); // 87 rows are a part of a swap
    ranks.all = true;
    ranks.secret = new Secret(new byte[] {1, 2, 3}, cipherBytes);
    List<Future<int[][]>> done =
        ranks.run(
            sizes.length,
            way,
            c -> {
              int first = (int) Arrays.stream(sizes).limit(c.rank()).sum();
              int n = (int) sizes[c.rank()];
              RowSwap swap = new RowSwap(c, l.rowBytes(), () -> {});
              try (WorkerStore s =
                  new WorkerStore(l, root, "test", budget, new SpillFiles(env), true)) {
                s.add(WorkerStoreTest.chunk(l, 0, 0, false, first, first + n / 3));
                s.add(WorkerStoreTest.chunk(l, 1, 0, false, first + n / 3, first + n));
                s.add(WorkerStoreTest.chunk(l, 0, 1, true, 90_000, 90_007));
                s.finish();
                assertEquals(budget < Long.MAX_VALUE && n > 10, s.spilledBytes() > 0);
                int[][] rows = new int[EPOCHS + 1][];
                for (int e = 0; e < EPOCHS; e++) {
                  s.swap(swap, new Swaps(7, e, sizes));
                  s.shuffle(7, e, c.rank(), false);
                  rows[e] = WorkerStoreTest.read(l, s, false, 0, s.rows());
                }
                rows[EPOCHS] = WorkerStoreTest.read(l, s, true, 0, 7);
                Ranks.sum(c); // nobody leaves before all are done
                return rows;
              }
            });
    List<int[][]> all = new ArrayList<>();
    for (Future<int[][]> f : done) {
      all.add(f.get());
    }
    return all;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5})
  void everyRowHasOneWorkerInEveryEpochWhateverTheWay(int which) throws Exception {
    long[] sizes = SIZES.get(which);
    List<int[][]> expected = epochs(sizes, Way.THREADS, Long.MAX_VALUE, 0);
    for (int e = 0; e < EPOCHS; e++) {
      int epoch = e;
      int[] all = expected.stream().flatMapToInt(r -> Arrays.stream(r[epoch])).sorted().toArray();
      assertArrayEquals(IntStream.range(0, (int) Arrays.stream(sizes).sum()).toArray(), all);
      for (int r = 0; r < sizes.length; r++) {
        assertEquals(sizes[r], expected.get(r)[e].length);
      }
    }
    long small = 500_000; // bytes, for rows of 6,004
    same(expected, epochs(sizes, Way.THREADS, small, 0));
    if (sizes.length > 1) {
      same(expected, epochs(sizes, Way.SOCKETS, small, 0));
      same(expected, epochs(sizes, Way.SOCKETS, Long.MAX_VALUE, 16));
      same(expected, epochs(sizes, Way.MEMORY, Long.MAX_VALUE, 0));
    }
  }

  private static void same(List<int[][]> expected, List<int[][]> given) {
    for (int r = 0; r < expected.size(); r++) {
      assertArrayEquals(IntStream.range(90_000, 90_007).toArray(), given.get(r)[EPOCHS]);
      for (int e = 0; e < EPOCHS; e++) {
        assertArrayEquals(expected.get(r)[e], given.get(r)[e], "rank " + r + ", epoch " + e);
      }
    }
  }

  @Test
  void swapsAreEvenAndAsManyAsTheRowsSay() {
    List<long[]> cases = new ArrayList<>(SIZES);
    cases.add(new long[] {2_000_000_000, 2_000_000_000, 1_999_999_999});
    cases.add(LongStream.generate(() -> 3).limit(64).toArray());
    for (long[] rows : cases) {
      int n = rows.length;
      double total = Arrays.stream(rows).sum();
      double[][] mean = new double[n][n];
      int epochs = 2000;
      for (int e = 0; e < epochs; e++) {
        Swaps s = new Swaps(1, e, rows);
        for (int i = 0; i < n; i++) {
          long all = 0;
          for (int j = 0; j < n; j++) {
            int c = s.count(i, j);
            assertTrue(c >= 0);
            assertEquals(c, s.count(j, i));
            all += c;
            mean[i][j] += (double) c / epochs;
            assertEquals(i, s.partner(s.partner(i, j), j));
            assertTrue(s.partner(i, j) == i || s.most(j) >= s.count(i, s.partner(i, j)));
          }
          assertEquals(rows[i], all);
          assertEquals(n, IntStream.range(0, n).map(r -> s.partner(0, r)).distinct().count());
        }
      }
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          double wanted = total == 0 ? 0 : rows[i] / total * rows[j];
          if (wanted < 1) { // too few for all that are drawn to be there
            continue;
          }
          assertEquals(wanted, mean[i][j], 0.1 + 0.01 * n, i + " and " + j + " of " + n);
        }
      }
    }
  }

  @Test
  void everyRowIsAsLikelyToLeave() {
    long[] rows = {40, 60, 20};
    int[] left = new int[40];
    int epochs = 6000;
    for (int e = 0; e < epochs; e++) {
      Swaps s = new Swaps(3, e, rows);
      Swaps.Draw draw = s.draw(0);
      int[] to = new int[3];
      for (int i = 0; i < 40; i++) {
        int w = draw.next();
        to[w]++;
        left[i] += w == 0 ? 0 : 1;
      }
      for (int w = 0; w < 3; w++) {
        assertEquals(s.count(0, w), to[w]);
      }
    }
    double expected = epochs * 2 / 3.0; // 80 of 120 rows are others'
    for (int n : left) {
      assertEquals(expected, n, 5 * Math.sqrt(expected / 3));
    }
    assertFalse(Arrays.stream(left).distinct().count() < 3, "drawn anew: " + Arrays.toString(left));
  }
}
