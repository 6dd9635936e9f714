package io.fragua.exec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.tensor.Buffer;
import java.util.ArrayList;
import java.util.List;
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

  /** A hundred bytes. */
  private static final class Hundred implements MemoryBudget {
    private long left = 100;

    @Override
    public boolean take(long bytes) {
      boolean fits = bytes <= left;
      left -= fits ? bytes : 0;
      return fits;
    }

    @Override
    public void give(long bytes) {
      left += bytes;
    }

    @Override
    public String describe() {
      return "100 bytes; raise it";
    }
  }

  @Test
  void staysInItsBudget() {
    Hundred budget = new Hundred();
    long held = Allocator.held();
    Allocator a = new Allocator("small", budget);
    Buffer x = a.allocate(60);
    assertEquals(
        "allocator small: must stay in its budget: 41 bytes more than the 60 in use, budget 100"
            + " bytes; raise it",
        assertThrows(MemoryLimitException.class, () -> a.allocate(41)).getMessage());
    assertEquals(40, budget.left);
    assertEquals(60, a.bytes());
    a.allocate(40);
    a.free(x);
    assertEquals(60, budget.left);
    assertThrows(IllegalStateException.class, a::close);
    assertEquals(100, budget.left, "what leaked was given back");
    assertTrue(Allocator.held() <= held, "less where a forgotten function was collected");
  }

  @Test
  void directMemoryThatIsUsedUpIsAnException() {
    boolean before = Allocator.spoil(false);
    try (Allocator a = new Allocator("greedy")) {
      List<Buffer> all = new ArrayList<>();
      MemoryLimitException e =
          assertThrows(
              MemoryLimitException.class,
              () -> {
                while (all.size() < 64) {
                  all.add(a.allocate(2147483583L));
                }
              });
      all.forEach(a::free);
      assertTrue(
          e.getMessage()
              .startsWith(
                  "allocator greedy: the JVM's direct memory must suffice: 2147483583 bytes more"
                      + " than the "),
          e.getMessage());
      assertTrue(e.getCause() instanceof OutOfMemoryError);
      a.free(a.allocate(1 << 20)); // and goes on
    } finally {
      Allocator.spoil(before);
    }
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
