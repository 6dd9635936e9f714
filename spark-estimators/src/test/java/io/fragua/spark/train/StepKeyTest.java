package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.fragua.random.Key;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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
}
