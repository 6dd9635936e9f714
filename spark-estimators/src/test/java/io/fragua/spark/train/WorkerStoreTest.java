package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkerStoreTest {
  private final BufferAllocator root = new RootAllocator();

  @AfterEach
  void everythingWasFreed() {
    root.close(); // throws if not
  }

  private static RowLayout layout(Integer... widths) {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < widths.length; i++) {
      names.add("tile" + i);
    }
    return new RowLayout(names, List.of(widths));
  }

  /** A chunk whose rows hold, in every cell, their number counted from {@code first}. */
  private static byte[] chunk(
      RowLayout l, int partition, int sequence, boolean held, int... range) {
    int rows = range[1] - range[0];
    byte[] bytes = new byte[Chunk.HEADER + rows * l.rowBytes()];
    ByteBuffer b = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).position(Chunk.HEADER);
    for (int r = range[0]; r < range[1]; r++) {
      for (int i = 0; i < l.rowBytes(); i += 4) {
        b.putInt(r);
      }
    }
    new Chunk(partition, sequence, held, rows).writeTo(bytes, l.rowBytes());
    return bytes;
  }

  private WorkerStore store(RowLayout l, List<byte[]> chunks) {
    WorkerStore s = new WorkerStore(l, root, "test", Long.MAX_VALUE);
    chunks.forEach(s::add);
    s.finish();
    return s;
  }

  /** First cells of the rows; all tiles must agree. */
  private static int[] read(RowLayout l, WorkerStore s, boolean held, int from, int count) {
    ByteBuffer[] tiles = new ByteBuffer[l.tiles()];
    for (int t = 0; t < tiles.length; t++) {
      tiles[t] = ByteBuffer.allocateDirect(count * l.bytes(t)).order(ByteOrder.nativeOrder());
    }
    if (held) {
      s.gatherValidation(from, count, tiles);
    } else {
      s.gather(from, count, tiles);
    }
    int[] rows = new int[count];
    for (int r = 0; r < count; r++) {
      rows[r] = tiles[0].getInt(r * l.bytes(0));
      for (int t = 0; t < tiles.length; t++) {
        for (int i = 0; i < l.bytes(t); i += 4) {
          assertEquals(rows[r], tiles[t].getInt(r * l.bytes(t) + i));
        }
      }
    }
    return rows;
  }

  private static int[] range(int from, int to) {
    return java.util.stream.IntStream.range(from, to).toArray();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 16, 17, 1000, 20_000})
  void rowsComeBackInTheirOrderHoweverTheyArrived(int width) {
    RowLayout l = layout(1, width, 2);
    int n = width > 1000 ? 30 : 7000;
    List<byte[]> chunks = new ArrayList<>();
    chunks.add(chunk(l, 0, 0, false, 0, n / 3));
    chunks.add(chunk(l, 0, 1, false, n / 3, n / 2));
    chunks.add(chunk(l, 1, 0, false, n / 2, n / 2 + 1));
    chunks.add(chunk(l, 7, 0, false, n / 2 + 1, n));
    chunks.add(chunk(l, 0, 0, true, 100, 105));
    chunks.add(chunk(l, 2, 0, true, 105, 110));
    chunks.add(chunk(l, 3, 0, true, 0, 0));
    for (int i = 0; i < 3; i++) {
      Collections.shuffle(chunks, new Random(i));
      try (WorkerStore s = store(l, chunks)) {
        assertEquals(n, s.rows());
        assertEquals(10, s.validationRows());
        assertArrayEquals(range(0, n), read(l, s, false, 0, n));
        assertArrayEquals(range(n - 2, n), read(l, s, false, n - 2, 2));
        assertArrayEquals(range(100, 110), read(l, s, true, 0, 10));
      }
    }
  }

  @Test
  void aShuffleCoversEachRowOnceAndDependsOnSeedEpochAndRank() {
    RowLayout l = layout(2);
    int n = 100_003;
    List<byte[]> chunks = List.of(chunk(l, 0, 0, false, 0, n / 2), chunk(l, 1, 0, false, n / 2, n));
    try (WorkerStore s = store(l, chunks)) {
      List<int[]> orders = new ArrayList<>();
      long[][] keys = {{1, 0, 0}, {1, 1, 0}, {1, 0, 1}, {2, 0, 0}, {1, 0, 0}};
      for (long[] k : keys) {
        s.shuffle(k[0], (int) k[1], (int) k[2]);
        int[] order = read(l, s, false, 0, n);
        orders.add(order);
        int[] sorted = order.clone();
        Arrays.sort(sorted);
        assertArrayEquals(range(0, n), sorted);
      }
      assertArrayEquals(orders.get(0), orders.get(4), "the same seed, epoch and rank");
      for (int i = 0; i < 4; i++) {
        for (int j = 0; j < i; j++) {
          assertFalse(Arrays.equals(orders.get(i), orders.get(j)), i + " and " + j);
        }
      }
    }
  }

  @Test
  void memoryIsLittleMoreThanTheCells() {
    RowLayout l = layout(6, 5, 1); // 48 bytes a row
    List<byte[]> chunks = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      chunks.add(chunk(l, i, 0, i % 5 == 0, 0, 1000 + i));
    }
    try (WorkerStore s = store(l, chunks)) {
      assertEquals(48L * (40 * 1000 + 780), s.rawBytes());
      assertTrue(s.bytes() >= s.rawBytes() * 13 / 12, "it counts the order of the rows");
      assertTrue(s.bytes() < s.rawBytes() * 1.3, s.bytes() + " of " + s.rawBytes());
    }
    try (WorkerStore few = store(l, List.of(chunk(l, 0, 0, false, 0, 100)))) {
      assertTrue(few.bytes() < 2 * few.rawBytes(), few.bytes() + " of " + few.rawBytes());
    }
  }

  @Test
  void aWorkerWithoutRows() {
    try (WorkerStore s = store(layout(3), List.of())) {
      assertEquals(0, s.rows());
      assertEquals(0, s.bytes());
      s.shuffle(1, 2, 3);
    }
  }

  @Test
  void moreThanTheBudgetIsAnErrorWithTheNumbers() {
    RowLayout l = layout(250);
    try (WorkerStore s = new WorkerStore(l, root, "test", 300_000)) {
      s.add(chunk(l, 0, 0, false, 0, 200));
      String m =
          assertThrows(IllegalStateException.class, () -> s.add(chunk(l, 0, 1, false, 200, 400)))
              .getMessage();
      assertEquals(
          "train: a worker's rows must fit its memory budget: 400 rows of 1000 bytes need more than"
              + " 300000 bytes; use more workers on more machines, fewer columns, or raise"
              + " spark.fragua.train.storeBudget (rows do not spill to disk)",
          m);
    }
  }

  @Test
  void whatIsNoChunkIsRefused() {
    RowLayout l = layout(3);
    byte[] good = chunk(l, 0, 0, false, 0, 5);
    byte[] magic = good.clone();
    magic[0] ^= 1;
    byte[] rows = good.clone();
    rows[16] ^= 1;
    try (WorkerStore s = new WorkerStore(l, root, "test", Long.MAX_VALUE)) {
      for (byte[] bad :
          List.of(
              magic,
              rows,
              Arrays.copyOf(good, good.length - 1),
              new byte[3],
              chunk(layout(4), 0, 0, false, 0, 3))) {
        String m = assertThrows(IllegalStateException.class, () -> s.add(bad)).getMessage();
        assertTrue(m.startsWith("train: a chunk holds whole rows of 12 bytes: "), m);
      }
      s.add(good);
      s.finish();
      assertEquals(5, s.rows());
    }
  }
}
