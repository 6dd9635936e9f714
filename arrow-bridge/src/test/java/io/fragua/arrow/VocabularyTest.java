package io.fragua.arrow;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.apache.spark.unsafe.types.UTF8String;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Vocabularies and the hash tables under them, against the JDK's maps. */
final class VocabularyTest {
  private static String random(SplittableRandom r) {
    int[] points =
        IntStream.range(0, r.nextInt(14)).map(i -> i == 3 ? 0x1F600 : 'a' + r.nextInt(3)).toArray();
    return new String(points, 0, points.length);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 15, 16, 17, 5_000, 300_000})
  void stringsAreNumberedAsByAMap(int n) {
    SplittableRandom r = new SplittableRandom(n);
    Map<String, Integer> want = new LinkedHashMap<>();
    Utf8Table table = new Utf8Table(0);
    for (int i = 0; i < n; i++) {
      String s = random(r);
      want.putIfAbsent(s, want.size());
      // From the middle of an array, as Spark's vectors give it.
      byte[] b = ("##" + s + "##").getBytes(StandardCharsets.UTF_8);
      assertEquals(want.get(s), table.add(UTF8String.fromBytes(b, 2, b.length - 4)));
    }
    assertEquals(want.size(), table.size());
    want.forEach(
        (s, id) -> {
          assertEquals(id, table.find(UTF8String.fromString(s)));
          assertEquals(s, table.key(id).toString());
        });
    for (int i = 0; i < 1_000; i++) {
      String s = random(r);
      assertEquals(want.getOrDefault(s, -1), table.find(UTF8String.fromString(s)));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 17, 5_000, 300_000})
  void integersAreNumberedAsByAMap(int n) {
    SplittableRandom r = new SplittableRandom(n);
    Map<Long, Integer> want = new LinkedHashMap<>();
    LongTable table = new LongTable(0);
    for (int i = 0; i < n; i++) {
      long v = r.nextInt(3) == 0 ? r.nextLong() : (long) r.nextInt(100) << r.nextInt(60);
      want.putIfAbsent(v, want.size());
      assertEquals(want.get(v), table.add(v));
    }
    want.forEach((v, id) -> assertEquals(id, table.find(v)));
    for (long v = -50; v < 150; v++) {
      assertEquals(want.getOrDefault(v, -1), table.find(v));
    }
  }

  @Test
  void idsFollowTheOffset() throws Exception {
    Vocabulary v = Vocabulary.of(new String[] {"b", "a", ""}, 10);
    assertEquals(4, v.size());
    assertEquals(13, v.maxId());
    assertEquals(11, v.id("b"));
    assertEquals(13, v.id(""));
    assertEquals(10, v.id("c"));
    assertEquals(10, v.id((String) null));
    assertArrayEquals(new String[] {"b", "a", ""}, v.strings());
    assertNull(v.longs());
    assertEquals(2, v.withOffset(0).id("a"));
    Vocabulary n = Vocabulary.of(new long[] {5, Long.MIN_VALUE}, 0);
    assertEquals(2, n.id(Long.MIN_VALUE));
    assertEquals(0, n.id(6));
    for (Vocabulary one : new Vocabulary[] {v, n}) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
        out.writeObject(one);
      }
      try (ObjectInputStream in =
          new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
        Object again = in.readObject();
        assertEquals(one, again);
        assertEquals(one.hashCode(), again.hashCode());
      }
    }
    assertEquals(11, v.id("b"));
    assertNotEquals(v, v.withOffset(1));
  }

  @Test
  void refusesWhatIsNotOneToOne() {
    assertEquals(
        "vocabulary: values are unique: \"a\" twice; drop one",
        assertThrows(
                IllegalArgumentException.class,
                () -> Vocabulary.of(new String[] {"a", "b", "a"}, 0))
            .getMessage());
    assertEquals(
        "vocabulary: values are unique: 7 twice; drop one",
        assertThrows(IllegalArgumentException.class, () -> Vocabulary.of(new long[] {7, 7}, 0))
            .getMessage());
    assertEquals(
        "vocabulary: values must not be null; null has the id of the unseen",
        assertThrows(IllegalArgumentException.class, () -> Vocabulary.of(new String[] {null}, 0))
            .getMessage());
    assertEquals(
        "vocabulary: ids must fit an i32: offset 2147483647 with 0 values; use fewer values",
        assertThrows(
                IllegalArgumentException.class, () -> Vocabulary.of(new long[0], Integer.MAX_VALUE))
            .getMessage());
  }

  @Test
  void numbersBinariesAndIndices() {
    Vocabulary b = Vocabulary.of(new byte[][] {{-1, 0}, {}}, 4);
    assertEquals(5, b.id(UTF8String.fromBytes(new byte[] {-1, 0})));
    assertEquals(6, b.id(UTF8String.fromBytes(new byte[0])));
    assertEquals(4, b.id(UTF8String.fromBytes(new byte[] {-1})));
    assertEquals(b, Vocabulary.of(b.binaries(), 4));
    Vocabulary i = Vocabulary.indices(1_000_000_000, 7);
    assertEquals(8, i.id(0));
    assertEquals(1_000_000_007, i.id(999_999_999));
    assertEquals(7, i.id(1_000_000_000));
    assertEquals(7, i.id(-1));
    assertEquals(i.maxId(), i.id(999_999_999));
  }

  @Test
  void describesColumnsThatMakeSense() {
    assertEquals(
        "input column a: sizes must be at least 1 and their product an int: [0]; give the shape of"
            + " its rows",
        assertThrows(IllegalArgumentException.class, () -> InputColumn.array("a", 0)).getMessage());
    assertEquals(
        "input column a: what is named, and nothing else, has a vocabulary: CATEGORY without one;"
            + " correct it",
        assertThrows(IllegalArgumentException.class, () -> InputColumn.category("a", null))
            .getMessage());
  }
}
