package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.fragua.random.Key;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StepKeyTest {
  @ParameterizedTest
  @CsvSource({"0,0,0", "42,0,1", "42,1,0", "-1,7,3", "123456789012345,99999,15", "5,2147483647,2"})
  void sameWordsAsFoldedKeys(long seed, int step, int rank) {
    ByteBuffer b = ByteBuffer.allocate(8).order(ByteOrder.nativeOrder());
    StepKey key = new StepKey(seed);
    key.write(1, 1, b); // an earlier step leaves no trace
    key.write(step, rank, b);
    assertArrayEquals(
        Key.of(seed).foldIn(step).foldIn(rank).tensor().toInts(),
        new int[] {b.getInt(0), b.getInt(4)});
  }

  /** 8 workers, batches of 128 each, 512 rounds of 100 million rows: some 191 steps a round. */
  @Test
  void roundsOfManyStepsHaveNumbersOfTheirOwn() {
    assertEquals(32, LocalSgdJob.stride(16, 1000, 1024));
    assertEquals(2 * 191, LocalSgdJob.stride(16, 100_000_000, 512 * 1024));
  }
}
