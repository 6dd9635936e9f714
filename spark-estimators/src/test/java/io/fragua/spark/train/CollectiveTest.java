package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.fragua.spark.train.Ranks.Way;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.Float16;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Sums over all ranks, by every way they may take. */
class CollectiveTest {
  private static final int[] SIZES = {
    0, 1, 2, 3, 7, 2047, Collective.SMALL, Collective.SMALL + 1, 70_001, 1_500_000
  };

  @RegisterExtension final Ranks ranks = new Ranks();

  private static float[] values(int rank, int size) {
    SplittableRandom random = new SplittableRandom(31L * rank + size);
    float[] v = new float[size];
    for (int i = 0; i < size; i++) {
      v[i] = (float) (random.nextDouble() - 0.5) * (1 << (i % 20));
    }
    return v;
  }

  @ParameterizedTest
  @CsvSource({
    "1, 0, false",
    "2, 0, false",
    "3, 0, false",
    "5, 0, false",
    "6, 0, true",
    "2, 0, true",
    "2, 16, false",
    "3, 32, true"
  })
  void sumsAreRightAndTheSameBitsOnEveryRank(int n, int cipherBytes, boolean bf16)
      throws Exception {
    ranks.secret = new Secret(new byte[] {1, 2, 3}, cipherBytes);
    List<Future<List<float[]>>> results = ranks.run(n, Way.SOCKETS, c -> sums(c, bf16));
    List<Future<List<float[]>>> memory = ranks.run(n, Way.MEMORY, c -> sums(c, bf16));
    List<Future<List<float[]>>> threads = ranks.run(n, Way.THREADS, c -> sums(c, bf16));
    for (int s = 0; s < SIZES.length; s++) {
      double[] expected = new double[SIZES[s]];
      double[] size = new double[SIZES[s]];
      for (int r = 0; r < n; r++) {
        float[] v = values(r, SIZES[s]);
        for (int i = 0; i < v.length; i++) {
          expected[i] += v[i];
          size[i] += Math.abs(v[i]);
        }
      }
      // Each of n roundings takes at most half a unit in the last of 8 or 24 places.
      double unit = n * (bf16 && SIZES[s] > Collective.SMALL ? 0x1p-8 : 0x1p-24);
      float[] first = results.get(0).get().get(s);
      for (int i = 0; i < expected.length; i++) {
        assertEquals(expected[i], first[i], unit * size[i], "size " + SIZES[s] + " at " + i);
      }
      for (int r = 0; r < n; r++) {
        assertArrayEquals(first, results.get(r).get().get(s), 0f, "rank " + r);
        assertArrayEquals(first, memory.get(r).get().get(s), 0f, "shared memory, rank " + r);
        assertArrayEquals(first, threads.get(r).get().get(s), 0f, "threads, rank " + r);
      }
    }
  }

  private static List<float[]> sums(Collective c, boolean bf16) {
    List<float[]> sums = new ArrayList<>();
    for (int size : SIZES) {
      Buffer b = Buffer.collected(4L * size);
      b.bytes().asFloatBuffer().put(values(c.rank(), size));
      c.allReduce(b, 0, size, bf16);
      float[] out = new float[size];
      b.bytes().asFloatBuffer().get(out);
      sums.add(out);
    }
    return sums;
  }

  /** Threads of one process keep one model, which rank 0 changes; other workers one each. */
  @ParameterizedTest
  @EnumSource
  void aModelIsChangedOnceInAProcess(Way way) throws Exception {
    List<ModelMemory> models = new CopyOnWriteArrayList<>();
    List<Future<float[]>> results =
        ranks.run(
            3,
            way,
            c ->
                onModel(
                    c,
                    0,
                    models,
                    v -> {
                      float[] seen = new float[50];
                      for (int i = 0; i < seen.length; i++) {
                        c.change(() -> v.put(0, v.get(0) + 1));
                        seen[i] = v.get(0);
                        Ranks.sum(c);
                      }
                      return seen;
                    }));
    for (Future<float[]> f : results) {
      float[] seen = f.get();
      for (int i = 0; i < seen.length; i++) {
        assertEquals(i + 1, seen[i]);
      }
    }
    assertEquals(3, models.size());
    for (ModelMemory m : models) {
      assertEquals(Map.of(), m.named(), "freed by its last user");
    }
  }

  /** Who owned it first may fail and leave while others still read. */
  @Test
  void aModelIsFreedByTheLast() throws Exception {
    List<ModelMemory> models = new CopyOnWriteArrayList<>();
    CountDownLatch left = new CountDownLatch(1);
    List<Future<Float>> results =
        ranks.run(
            3,
            Way.THREADS,
            c -> {
              try {
                return onModel(
                    c,
                    7,
                    models,
                    v -> {
                      if (c.rank() == 0) {
                        c.change(
                            () -> {
                              throw new IllegalStateException("update");
                            });
                      }
                      left.await();
                      return v.get(0);
                    });
              } finally {
                left.countDown();
              }
            });
    assertEquals("update", Ranks.failure(results.get(0)).getMessage());
    assertEquals(7, results.get(1).get());
    assertEquals(7, results.get(2).get());
    assertEquals(3, models.size());
    for (ModelMemory m : models) {
      assertEquals(Map.of(), m.named(), "freed by its last user");
    }
  }

  private interface OnModel<T> {
    T run(FloatBuffer v) throws Exception;
  }

  /** Shares a model of one number. */
  private static <T> T onModel(Collective c, float start, List<ModelMemory> models, OnModel<T> body)
      throws Exception {
    byte[] value = ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putFloat(start).array();
    List<TrainPlan.Leaf> leaf = List.of(new TrainPlan.Leaf("w", new int[] {1}, value));
    ModelMemory own = new ModelMemory(leaf, List.of(), List.of(), c.rank());
    models.add(own);
    ModelMemory all = c.share(own);
    if (all != own) {
      own.release();
    }
    try {
      return body.run(all.named().get("param:w").bytes().asFloatBuffer());
    } finally {
      all.release();
    }
  }

  /** Segment i is summed in the order i, i + 1, ..., however it is cut into slices. */
  @Test
  void largeSumsAreInTheOrderOfTheRing() throws Exception {
    int n = 3;
    int size = SIZES[SIZES.length - 1];
    List<Future<List<float[]>>> results = ranks.run(n, Way.SOCKETS, c -> sums(c, false));
    float[] sum = results.get(0).get().get(SIZES.length - 1);
    float[][] v = {values(0, size), values(1, size), values(2, size)};
    for (int segment = 0; segment < n; segment++) {
      int end = (int) ((long) size * (segment + 1) / n);
      for (int i = (int) ((long) size * segment / n); i < end; i++) {
        float expected = v[segment][i] + v[(segment + 1) % n][i] + v[(segment + 2) % n][i];
        assertEquals(expected, sum[i], "at " + i);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"2, 3", "20000, 30000"})
  void onlyTheRangeIsSummed(int from, int count) throws Exception {
    for (Way way : Way.values()) {
      List<Future<float[]>> results =
          ranks.run(
              3,
              way,
              c -> {
                Buffer b = Buffer.collected(4L * (from + count + 1));
                float[] v = new float[from + count + 1];
                java.util.Arrays.fill(v, 1);
                b.bytes().asFloatBuffer().put(v);
                c.allReduce(b, from, count, false);
                b.bytes().asFloatBuffer().get(v);
                return v;
              });
      for (Future<float[]> f : results) {
        float[] v = f.get();
        for (int i = 0; i < v.length; i++) {
          assertEquals(i >= from && i < from + count ? 3 : 1, v[i], "at " + i);
        }
      }
    }
  }

  /** Shards summed as a tree: by every way, by every number of workers. */
  @ParameterizedTest
  @CsvSource({"1, 5", "2, 3", "8, 70001", "16, 1000"})
  void treesGiveTheSameBitsForEveryNumberOfWorkers(int shards, int floats) throws Exception {
    float[] one = ranks.run(1, Way.THREADS, c -> tree(c, shards, floats)).get(0).get();
    double[] expected = new double[floats];
    for (int s = 0; s < shards; s++) {
      float[] v = values(s, floats);
      for (int i = 0; i < floats; i++) {
        expected[i] += v[i];
      }
    }
    for (int i = 0; i < floats; i++) {
      assertEquals(expected[i], one[i], 0x1p-20 * shards * (1 << (i % 20)), "at " + i);
    }
    for (int n = 2; n <= Math.min(shards, 8); n += n < 3 ? 1 : 2) {
      for (Way way : Way.values()) {
        int rank = 0;
        for (Future<float[]> f : ranks.run(n, way, c -> tree(c, shards, floats))) {
          assertArrayEquals(one, f.get(), 0f, n + " workers, rank " + rank++);
        }
      }
    }
  }

  /** Two steps, of which the second must not know of the first. */
  private static float[] tree(Collective c, int shards, int floats) {
    ShardTree tree = new ShardTree(shards, c.size(), c.rank(), floats);
    Buffer memory = Buffer.collected(tree.bytes());
    tree.bind(memory);
    float[] sum = new float[floats];
    for (int step = 0; step < 2; step++) {
      for (int s = 0; s < shards; s++) {
        if (ShardTree.owner(s, shards, c.size()) == c.rank()) {
          memory.bytes().asFloatBuffer().put(values(step == 0 ? s + 100 : s, floats));
          tree.add();
        }
      }
      c.allReduce(tree);
      tree.clear();
    }
    memory.bytes().asFloatBuffer().get(sum);
    return sum;
  }

  /** Compared with the engine's own rounding: ordinary numbers, ties, infinities, NaN, zeros. */
  @Test
  void bfloat16RoundsAsTheEngineDoes() {
    SplittableRandom random = new SplittableRandom(7);
    for (int n : new int[] {1, 2, 5, 2047, 2048}) {
      int[] bits = new int[n];
      int[] expected = new int[n];
      for (int i = 0; i < n; i++) {
        bits[i] =
            switch (i % 7) {
              case 0 -> random.nextInt() & 0xffff0000 | 0x8000; // a tie
              case 1 -> 0x7f800000 | random.nextInt(3) * 0x7fff; // infinite, or NaN of low bits
              case 2 -> 0x7f7fffff; // becomes infinite
              case 3 -> 0x80000000;
              default -> random.nextInt();
            };
        expected[i] = Float.floatToIntBits(Float16.roundBf16(Float.intBitsToFloat(bits[i])));
      }
      int[] packed = new int[n];
      int[] given = new int[n];
      Bfloat16.pack(bits, n, packed);
      Bfloat16.unpack(packed, n, given);
      for (int i = 0; i < n; i++) {
        float f = Float.intBitsToFloat(given[i]);
        assertEquals(expected[i], Float.floatToIntBits(f), "of " + n + " at " + i);
      }
    }
  }
}
