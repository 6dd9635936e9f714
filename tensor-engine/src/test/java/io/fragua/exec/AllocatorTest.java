package io.fragua.exec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.tensor.Buffer;
import org.junit.jupiter.api.Test;

class AllocatorTest {
  @Test
  void countsWhatIsOut() {
    try (Allocator a = new Allocator("test")) {
      Buffer x = a.allocate(100);
      Buffer y = a.allocate(28);
      assertEquals(128, a.bytes());
      a.free(x);
      assertEquals(28, a.bytes());
      assertEquals(128, a.peak());
      a.free(y);
    }
  }

  @Test
  void memoryIsAlignedSpoiledIfAskedAndOfTheExactSize() {
    boolean before = Allocator.spoil(false);
    try (Allocator a = new Allocator("test")) {
      for (boolean spoil : new boolean[] {false, true}) {
        Allocator.spoil(spoil);
        for (int size : new int[] {0, 1, 63, 64, 65, 1000}) {
          Buffer b = a.allocate(size);
          assertEquals(size, b.size());
          assertEquals(0, b.bytes().alignmentOffset(0, Buffer.ALIGNMENT));
          for (int i = 0; i < size; i++) {
            assertEquals(spoil ? -1 : 0, b.bytes().get(i));
          }
          a.free(b);
        }
      }
    } finally {
      Allocator.spoil(before);
    }
  }

  @Test
  void aLeakIsReportedByName() {
    Allocator a = new Allocator("training step");
    a.allocate(100);
    a.allocate(28);
    String m = assertThrows(IllegalStateException.class, a::close).getMessage();
    assertEquals(
        "allocator training step: all buffers must be freed before close: 2 buffers, 128 bytes"
            + " leaked; free each, or close its owner",
        m);
    assertEquals(0, a.bytes());
    a.close(); // the leak was freed and is reported once
  }

  @Test
  void freesOnceAndOnlyItsOwn() {
    try (Allocator a = new Allocator("a");
        Allocator other = new Allocator("other")) {
      Buffer b = a.allocate(8);
      for (Buffer wrong : new Buffer[] {b.slice(0, 8), Buffer.collected(8)}) {
        String m = assertThrows(IllegalArgumentException.class, () -> a.free(wrong)).getMessage();
        assertTrue(m.startsWith("allocator a: frees only what it gave out, once:"), m);
      }
      assertThrows(IllegalArgumentException.class, () -> other.free(b));
      a.free(b);
      assertThrows(IllegalArgumentException.class, () -> a.free(b));
    }
  }

  @Test
  void refusesWrongSizesAndUseAfterClose() {
    Allocator a = new Allocator("test");
    for (long size : new long[] {-1, Integer.MAX_VALUE}) {
      String m = assertThrows(IllegalArgumentException.class, () -> a.allocate(size)).getMessage();
      assertEquals(
          "allocator test: a buffer holds at most 2147483583 bytes: "
              + size
              + "; use smaller batches",
          m);
    }
    a.close();
    assertEquals(
        "allocator test: must be open: it is closed; allocate before closing it",
        assertThrows(IllegalStateException.class, () -> a.allocate(1)).getMessage());
  }

  @Test
  void optionsRefuseNonsense() {
    assertEquals(
        "compile: threads must be at least 1: 0; correct it",
        assertThrows(IllegalArgumentException.class, () -> CompileOptions.DEFAULT.withThreads(0))
            .getMessage());
    String m = assertThrows(IllegalArgumentException.class, () -> Backends.get("tpu")).getMessage();
    assertTrue(m.startsWith("backend: must be one of [") && m.contains("\"tpu\""), m);
  }
}
