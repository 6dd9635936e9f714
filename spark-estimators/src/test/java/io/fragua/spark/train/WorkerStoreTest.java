package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkerStoreTest {
  /** A budget that everything fits, and one that nothing does. */
  private static final long[] BUDGETS = {Long.MAX_VALUE, 300_000};

  private final BufferAllocator root = new RootAllocator();
  private final SpillFiles files = new SpillFiles(TestSpark.env());
  private final Set<String> others = open().keySet(); // a training that is ending has some, say

  @AfterEach
  void everythingWasFreed() throws IOException, InterruptedException {
    root.close(); // throws if not
    assertEquals(Map.of(), spillFiles());
    for (Thread t : Thread.getAllStackTraces().keySet()) {
      if (t.getName().startsWith("fragua-shuffle") || t.getName().startsWith("fragua-read")) {
        t.join(60_000); // its pool has ended, so it is about to
        assertFalse(t.isAlive(), t.getName());
      }
    }
  }

  /** By the names that they had, each with its descriptor. */
  private Map<String, Path> spillFiles() throws IOException {
    for (File dir : TestSpark.env().blockManager().diskBlockManager().localDirs()) {
      assertEquals(List.of(), OpenFiles.spilled(dir.toPath()));
    }
    Map<String, Path> own = open();
    own.keySet().removeAll(others);
    return own;
  }

  private static Map<String, Path> open() {
    try {
      return OpenFiles.named(".*/temp_local.* \\(deleted\\)");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static RowLayout layout(Integer... widths) {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < widths.length; i++) {
      names.add("tile" + i);
    }
    return new RowLayout(names, List.of(widths));
  }

  /** A chunk whose rows hold, in every cell, their number counted from {@code first}. */
  static byte[] chunk(RowLayout l, int partition, int sequence, boolean held, int... range) {
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
    return store(l, chunks, Long.MAX_VALUE);
  }

  private WorkerStore store(RowLayout l, List<byte[]> chunks, long budget) {
    WorkerStore s = new WorkerStore(l, root, "test", budget, files, false);
    chunks.forEach(s::add);
    s.finish();
    return s;
  }

  /** First cells of the rows; all tiles must agree. */
  static int[] read(RowLayout l, WorkerStore s, boolean held, int from, int count) {
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
    int[] order = null;
    for (long budget : new long[] {Long.MAX_VALUE, (long) n * l.rowBytes() / 3}) {
      try (WorkerStore s = store(l, chunks, budget)) {
        assertEquals(budget < Long.MAX_VALUE, s.spilledBytes() > 0);
        s.shuffle(1, 2, 3, false);
        int[] given = read(l, s, false, 0, n);
        assertArrayEquals(order == null ? given : order, given, "in memory and on disk");
        order = given;
        assertArrayEquals(range(100, 110), read(l, s, true, 0, 10));
        assertArrayEquals(range(104, 110), read(l, s, true, 4, 6));
      }
    }
  }

  @Test
  void aShuffleCoversEachRowOnceAndIsTheSameInMemoryAndOnDisk() {
    RowLayout l = layout(2);
    int n = 100_003;
    List<byte[]> chunks = new ArrayList<>();
    for (int i = 0; i < 20; i++) { // disk blocks of several sizes, arriving backwards
      chunks.add(0, chunk(l, i / 3, i % 3, false, n * i / 20, n * (i + 1) / 20));
      chunks.add(0, chunk(l, i / 3, i % 3, true, 100 * i, 100 * (i + 1)));
    }
    int[][] keys = {{1, 0, 0}, {1, 1, 0}, {1, 0, 1}, {2, 0, 0}, {1, 0, 0}};
    List<int[]> orders = new ArrayList<>();
    for (long budget : BUDGETS) {
      try (WorkerStore s = store(l, chunks, budget)) {
        assertEquals(budget < Long.MAX_VALUE, s.spilledBytes() > 0);
        for (int[] k : keys) {
          s.shuffle(k[0], k[1], k[2], true); // the next one is prepared, and not always asked for
          orders.add(read(l, s, false, 0, n));
          assertArrayEquals(
              Arrays.copyOfRange(orders.get(orders.size() - 1), 70_001, 70_101),
              read(l, s, false, 70_001, 100),
              "out of turn");
          assertArrayEquals(range(0, 2000), read(l, s, true, 0, 2000));
        }
      }
    }
    for (int[] order : orders) {
      int[] sorted = order.clone();
      Arrays.sort(sorted);
      assertArrayEquals(range(0, n), sorted);
    }
    assertArrayEquals(orders.get(0), orders.get(4), "the same seed, epoch and rank");
    for (int i = 0; i < 4; i++) {
      for (int j = 0; j < i; j++) {
        assertFalse(Arrays.equals(orders.get(i), orders.get(j)), i + " and " + j);
      }
      assertArrayEquals(orders.get(i), orders.get(5 + i), "memory and disk");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {5, 5000})
  void everyRowIsAsLikelyInEveryPlace(int n) {
    RowLayout l = layout(1);
    int cells = 5;
    int epochs = 4000;
    int[][] seen = new int[cells][cells]; // fifth of the order by fifth of the rows
    int[] pairs = new int[2];
    try (WorkerStore s = store(l, List.of(chunk(l, 0, 0, false, 0, n)))) {
      for (int e = 0; e < epochs; e++) {
        s.shuffle(7, e, 0, true);
        for (int c = 0; c < cells; c++) {
          int row = read(l, s, false, c * n / cells, 1)[0];
          seen[c][row * cells / n]++;
        }
        int[] two = read(l, s, false, n / 2, 2);
        pairs[two[0] < two[1] ? 0 : 1]++;
      }
    }
    double expected = (double) epochs / cells;
    double chi2 = 0;
    for (int[] row : seen) {
      for (int k : row) {
        chi2 += (k - expected) * (k - expected) / expected;
      }
    }
    assertTrue(chi2 < 52, "chi-squared with 20 degrees of freedom: " + chi2); // p = 1e-4
    assertTrue(Math.abs(pairs[0] - pairs[1]) < 4 * Math.sqrt(epochs), Arrays.toString(pairs));
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
      s.shuffle(1, 2, 3, false);
    }
  }

  @Test
  void rowsBeyondTheBudgetLieOnDiskUntilTheStoreIsClosed() throws IOException {
    RowLayout l = layout(250);
    List<byte[]> chunks = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      chunks.add(chunk(l, i, 0, i % 10 == 0, 200 * i, 200 * (i + 1)));
    }
    long budget = 4 << 20; // for 20 MB
    try (WorkerStore s = store(l, chunks, budget)) {
      assertTrue(s.spilledBytes() > 0 && s.spilledBytes() < s.rawBytes() / 2, "not compressed");
      assertFalse(spillFiles().isEmpty());
      for (int e = 0; e < 3; e++) {
        s.shuffle(1, e, 0, e < 2);
        for (int at = 0; at < s.rows(); at += 500) {
          read(l, s, false, at, 500);
          assertTrue(s.bytes() <= budget, s.bytes() + " bytes in memory");
        }
      }
    }
  }

  @Test
  void aStoreThatIsClosedInTheMiddleLeavesNothing() {
    RowLayout l = layout(250);
    for (int rows : new int[] {0, 1, 4000, 17_999}) {
      List<byte[]> chunks = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        chunks.add(chunk(l, i, 0, i % 10 == 0, 200 * i, 200 * (i + 1)));
      }
      try (WorkerStore s = store(l, chunks, 4 << 20)) {
        s.shuffle(1, 0, 0, true);
        if (rows > 0) {
          read(l, s, false, rows - 1, 1);
        }
      }
    }
  }

  @Test
  void aBudgetThatNoWindowFitsIsAnErrorWithTheNumbers() {
    RowLayout l = layout(1);
    List<byte[]> chunks = List.of(chunk(l, 0, 0, false, 0, 100_000));
    try (WorkerStore s = new WorkerStore(l, root, "test", 1000, files, false)) {
      chunks.forEach(s::add);
      assertEquals(
          "train: a worker's memory budget must be at least 9375 bytes for 100000 rows of 4 bytes:"
              + " it is 1000 bytes; use more workers or raise spark.fragua.train.storeBudget",
          assertThrows(IllegalStateException.class, s::finish).getMessage());
    }
  }

  @Test
  void aFileThatWasCutIsAnErrorThatNamesIt() throws IOException {
    RowLayout l = layout(250);
    List<byte[]> chunks = List.of(chunk(l, 0, 0, false, 0, 4000), chunk(l, 1, 0, false, 0, 4000));
    try (WorkerStore s = store(l, chunks, 1 << 20)) {
      Map.Entry<String, Path> file = null;
      for (Map.Entry<String, Path> f : spillFiles().entrySet()) {
        file = Files.size(f.getValue()) > 0 ? f : file; // that of validation rows is empty
      }
      try (FileChannel c = FileChannel.open(file.getValue(), StandardOpenOption.WRITE)) {
        c.truncate(c.size() - 1);
      }
      String m =
          assertThrows(UncheckedIOException.class, () -> s.shuffle(1, 0, 0, true)).getMessage();
      assertTrue(
          m.startsWith(
              "train: rows beyond the memory budget lie in Spark's local directories: "
                  + file.getKey().replace(" (deleted)", "")
                  + " cannot be read: "),
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
    try (WorkerStore s = new WorkerStore(l, root, "test", Long.MAX_VALUE, files, false)) {
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

  /** Whatever the budget says: memory beyond that limit would be an error, or the process's end. */
  @Test
  void rowsGoToDiskWhereTheProcessMayTakeNoMore() {
    RowLayout l = layout(4, 60);
    List<AutoCloseable> hogs = new ArrayList<>();
    try (WorkerStore s = new WorkerStore(l, root, "test", Long.MAX_VALUE, files, false)) {
      for (int i = 0; i < 20; i++) {
        s.add(chunk(l, 0, i, false, 1000 * i, 1000 * i + 1000));
      }
      assertEquals(0, s.spilledBytes());
      for (long piece = 1 << 30; piece > 1 << 16; piece /= 2) {
        while (StoreBudget.mayTake(piece)) {
          hogs.add(root.buffer(piece));
        }
      }
      for (int i = 20; i < 40; i++) {
        s.add(chunk(l, 0, i, false, 1000 * i, 1000 * i + 1000));
      }
      s.finish();
      assertTrue(s.spilledBytes() > 0);
      s.shuffle(1, 2, 3, false);
      int[] rows = read(l, s, false, 0, 40_000);
      Arrays.sort(rows);
      for (int i = 0; i < rows.length; i++) {
        assertEquals(i, rows[i]);
      }
    } finally {
      for (AutoCloseable h : hogs) {
        assertDoesNotThrow(h::close);
      }
    }
  }
}
