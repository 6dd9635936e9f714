package io.fragua.exec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import io.fragua.tensor.Buffer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class HugePagesTest {
  private static final int LEAST = (int) HugePages.LEAST;

  private static long address(ByteBuffer b) {
    return Pointer.nativeValue(Native.getDirectBufferPointer(b));
  }

  /** The lines of the kernel about the mapping that begins there; empty if there is none. */
  private static List<String> mapping(long at) throws IOException {
    List<String> all = Files.readAllLines(Path.of("/proc/self/smaps"));
    int from = 0;
    while (from < all.size() && !all.get(from).startsWith(Long.toHexString(at) + "-")) {
      from++;
    }
    int to = Math.min(from + 1, all.size());
    while (to < all.size() && Character.isUpperCase(all.get(to).charAt(0))) {
      to++;
    }
    return all.subList(from, to);
  }

  @Test
  void largeBuffersAreTheirOwnMappingsUntilTheyAreFreed() throws IOException {
    assumeTrue(HugePages.suits(LEAST), "Linux");
    boolean before = Allocator.spoil(false);
    try (Allocator a = new Allocator("test")) {
      for (int size : new int[] {LEAST, LEAST + 1, (5 << 20) - 1, 64 << 20}) {
        Buffer b = a.allocate(size);
        assertEquals(size, b.size());
        long at = address(b.bytes());
        assertEquals(0, at % (1 << 21), "begins at a huge page");
        assertEquals(0, b.bytes().get(size - 1), "from the system");
        b.bytes().put(0, (byte) 1).put(size - 1, (byte) 2);
        List<String> lines = mapping(at);
        assertTrue(
            lines.stream().anyMatch(l -> l.startsWith("VmFlags:") && l.contains(" hg")),
            size + ": huge pages are asked for: " + lines);
        a.free(b);
        assertEquals(List.of(), mapping(at), size + ": given back to the system");
      }
    } finally {
      Allocator.spoil(before);
    }
  }

  @Test
  void smallBuffersAreNot() {
    assertFalse(HugePages.suits(LEAST - 1));
  }
}
