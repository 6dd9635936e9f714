package io.fragua.exec;

import com.sun.jna.Function;
import com.sun.jna.LastErrorException;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import org.slf4j.LoggerFactory;

/**
 * Large memory straight from Linux, in huge pages where it has them. {@link
 * ByteBuffer#allocateDirect} writes zeros over all of it first, one page of 4 KiB after the other;
 * a virtual machine takes seconds for a workspace of a gigabyte. Here nothing is written, and the
 * first use of a page brings 2 MiB.
 *
 * <p>The limit is the JVM's on direct memory all the same: what lies here is counted together with
 * the direct buffers there are.
 *
 * @see <a href="https://docs.kernel.org/admin-guide/mm/transhuge.html">transparent huge pages</a>
 */
final class HugePages {
  /** Size of a huge page, with pages of 4 KiB. */
  private static final long HUGE = 1L << 21;

  /** Smaller buffers would have too few whole ones. */
  static final long LEAST = 2 * HUGE;

  /** The largest page that Linux may be built with, so that every length is of whole pages. */
  private static final long PAGE = 1L << 16;

  // From sys/mman.h, alike on x86-64 and AArch64.
  private static final int READ_WRITE = 0x1 | 0x2;
  private static final int PRIVATE_ANONYMOUS = 0x2 | 0x20;
  private static final int MADV_HUGEPAGE = 14;

  /** What the JDK waits, too, for the collector to free direct buffers: half a second in all. */
  private static final int TRIES = 9;

  private static final NativeLibrary C = load();

  private static volatile long mapped; // written by take alone

  private HugePages() {}

  private static NativeLibrary load() {
    if (!Platform.isLinux() || !Platform.is64Bit()) {
      return null;
    }
    try {
      return NativeLibrary.getProcess();
    } catch (LinkageError e) {
      LoggerFactory.getLogger(HugePages.class)
          .warn("memory: large buffers lie in small pages, which is slower: JNA: {}", e.toString());
      return null;
    }
  }

  /** True if buffers of so many bytes are to be made here. */
  static boolean suits(long bytes) {
    return bytes >= LEAST && C != null;
  }

  /**
   * Memory that begins at a huge page and holds what nobody promises. Thread-safe.
   *
   * @throws OutOfMemoryError beyond the JVM's limit on direct memory, or if the system has no more
   */
  static ByteBuffer map(int bytes) {
    awaitRoom(bytes);
    long length = whole(bytes);
    long at;
    try {
      at = call("mmap", 0L, length + HUGE, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0L);
    } catch (LastErrorException e) {
      take(-bytes);
      throw new OutOfMemoryError("mmap: " + e.getMessage());
    }
    long from = at + HUGE - 1 & -HUGE;
    unmap(at, from - at);
    unmap(from + length, at + HUGE - from);
    try {
      call("madvise", from, length, MADV_HUGEPAGE);
    } catch (LastErrorException e) {
      // A kernel built without them says EINVAL; the memory is as good, only slower.
    }
    return new Pointer(from).getByteBuffer(0, bytes);
  }

  /** Gives back what {@link #map} made; it must not be used any more. */
  static void unmap(ByteBuffer b) {
    unmap(Pointer.nativeValue(Native.getDirectBufferPointer(b)), whole(b.capacity()));
    take(-b.capacity());
  }

  private static void unmap(long at, long length) {
    if (length > 0) {
      call("munmap", at, length);
    }
  }

  private static long whole(long bytes) {
    return bytes + PAGE - 1 & -PAGE;
  }

  private static long call(String function, Object... operands) {
    return C.getFunction(function, Function.THROW_LAST_ERROR).invokeLong(operands);
  }

  /** Counts so many bytes, or none if they do not fit; what is given back is negative. */
  private static synchronized boolean take(int bytes) {
    if (bytes > 0 && mapped + direct() + bytes > Limit.BYTES) {
      return false;
    }
    mapped += bytes;
    return true;
  }

  /** Others may give back meanwhile, and so may the collector: unreachable buffers still count. */
  private static void awaitRoom(int bytes) {
    for (int i = 0; !take(bytes); i++) {
      if (i == TRIES) {
        throw new OutOfMemoryError(
            String.format("%d of at most %d are taken", mapped + direct(), Limit.BYTES));
      }
      if (i == 0) {
        System.gc();
      }
      try {
        Thread.sleep(1 << i);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        i = TRIES - 1;
      }
    }
  }

  private static long direct() {
    return Limit.POOL.getMemoryUsed();
  }

  /** Read when first asked for: management beans take a while. */
  private static final class Limit {
    static final BufferPoolMXBean POOL =
        ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
            .filter(p -> p.getName().equals("direct"))
            .findFirst()
            .orElseThrow();
    static final long BYTES = bytes();

    private static long bytes() {
      HotSpotDiagnosticMXBean vm =
          ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
      long set = vm == null ? 0 : Long.parseLong(vm.getVMOption("MaxDirectMemorySize").getValue());
      return set == 0 ? Runtime.getRuntime().maxMemory() : set; // as the JDK reads it
    }
  }
}
