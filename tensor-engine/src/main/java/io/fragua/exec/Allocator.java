package io.fragua.exec;

import io.fragua.tensor.Buffer;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/**
 * A named owner of off-heap memory. What fresh memory holds is not promised: with {@code
 * -Dfragua.spoil=true} every byte is 0xff, which makes NaN of floats and -1 of integers, so that a
 * step that reads what nobody wrote is seen. The tests run so. Every buffer it gave out must be
 * given back with {@link #free} before {@link #close}, which otherwise frees them and reports the
 * leak. Thread-safe.
 */
public final class Allocator implements AutoCloseable {
  private static volatile boolean spoiling = Boolean.getBoolean("fragua.spoil");

  private static final LongAdder HELD = new LongAdder();

  private final String name;
  private final MemoryBudget budget;
  private final Map<Buffer, ByteBuffer> live = new IdentityHashMap<>();
  private long bytes;
  private long peak;
  private boolean closed;

  /** An allocator without a budget of its own; the name appears in leak reports. */
  public Allocator(String name) {
    this(name, null);
  }

  /**
   * An allocator that takes from a budget what it gives out.
   *
   * @param budget null for none
   */
  public Allocator(String name, MemoryBudget budget) {
    this.name = name;
    this.budget = budget;
  }

  /**
   * Memory aligned to {@link Buffer#ALIGNMENT}.
   *
   * @throws MemoryLimitException if the size is over {@link Buffer#LARGEST}, over what the budget
   *     has left, or over what is left of the JVM's direct memory (-XX:MaxDirectMemorySize)
   * @throws IllegalStateException if closed
   */
  public synchronized Buffer allocate(long size) {
    if (closed) {
      throw new IllegalStateException(
          "allocator " + name + ": must be open: it is closed; allocate before closing it");
    }
    if (size < 0 || size > Buffer.LARGEST) {
      throw new MemoryLimitException(
          "allocator "
              + name
              + ": a buffer holds at most "
              + Buffer.LARGEST
              + " bytes: "
              + size
              + "; use smaller batches",
          null);
    }
    ByteBuffer base = direct((int) size);
    // Not alignedSlice: it also rounds the end down, and could lose the last bytes.
    int from = -base.alignmentOffset(0, Buffer.ALIGNMENT) & (Buffer.ALIGNMENT - 1);
    Buffer b = spoiled(Buffer.wrap(base.slice(from, (int) size)));
    live.put(b, base);
    bytes += size;
    HELD.add(size);
    peak = Math.max(peak, bytes);
    return b;
  }

  private ByteBuffer direct(int size) {
    if (budget != null && !budget.take(size)) {
      throw new MemoryLimitException(
          "allocator "
              + name
              + ": must stay in its budget: "
              + size
              + " bytes more than the "
              + bytes
              + " in use, budget "
              + budget.describe(),
          null);
    }
    try {
      return HugePages.suits(size)
          ? HugePages.map(size)
          : ByteBuffer.allocateDirect(size + Buffer.ALIGNMENT);
    } catch (OutOfMemoryError e) {
      if (budget != null) {
        budget.give(size);
      }
      throw new MemoryLimitException(
          "allocator "
              + name
              + ": the JVM's direct memory must suffice: "
              + size
              + " bytes more than the "
              + bytes
              + " in use here: "
              + e.getMessage()
              + "; use smaller batches, or raise -XX:MaxDirectMemorySize",
          e);
    }
  }

  /**
   * Spoils fresh memory from now on, or stops it; for tests.
   *
   * @return whether it was spoiled before
   */
  public static boolean spoil(boolean on) {
    boolean before = spoiling;
    spoiling = on;
    return before;
  }

  /** This buffer, which has to be written before it is read, spoiled if that is asked for. */
  public static Buffer spoiled(Buffer b) {
    if (spoiling) {
      for (int i = 0; i < b.size(); i++) {
        b.bytes().put(i, (byte) 0xff);
      }
    }
    return b;
  }

  /**
   * Gives a buffer back; it and its slices must not be used any more.
   *
   * @throws IllegalArgumentException if this allocator does not own it
   */
  public synchronized void free(Buffer b) {
    ByteBuffer base = live.remove(b);
    if (base == null) {
      throw new IllegalArgumentException(
          "allocator "
              + name
              + ": frees only what it gave out, once: a buffer of "
              + b.size()
              + " bytes; free the buffer itself, not a slice");
    }
    bytes -= b.size();
    gaveBack(b.size());
    release(b, base);
  }

  /** Bytes given out and not given back. */
  public synchronized long bytes() {
    return bytes;
  }

  private static void release(Buffer b, ByteBuffer base) {
    if (HugePages.suits(b.size())) {
      HugePages.unmap(base);
    } else {
      Unmap.free(base);
    }
  }

  private void gaveBack(long size) {
    HELD.add(-size);
    if (budget != null) {
      budget.give(size);
    }
  }

  /** Bytes that all allocators of the process have given out and not got back. */
  public static long held() {
    return HELD.sum();
  }

  /** The largest {@link #bytes()} there has been. */
  public synchronized long peak() {
    return peak;
  }

  /**
   * Closes it.
   *
   * @throws IllegalStateException if buffers were still out; they are freed all the same
   */
  @Override
  public synchronized void close() {
    closed = true;
    if (!live.isEmpty()) {
      String leak =
          "allocator "
              + name
              + ": all buffers must be freed before close: "
              + live.size()
              + " buffers, "
              + bytes
              + " bytes leaked; free each, or close its owner";
      live.forEach(Allocator::release);
      live.clear();
      gaveBack(bytes);
      bytes = 0;
      throw new IllegalStateException(leak);
    }
  }

  /**
   * Direct buffers are otherwise freed only by a garbage collection, which an idle heap never
   * starts. {@code sun.misc.Unsafe.invokeCleaner} is the supported way on JDK 9 and later; reached
   * by reflection because naming the class is a compiler warning.
   */
  private static final class Unmap {
    private static final Object UNSAFE;
    private static final Method INVOKE_CLEANER;

    static {
      try {
        Class<?> c = Class.forName("sun.misc.Unsafe");
        Field f = c.getDeclaredField("theUnsafe");
        f.setAccessible(true);
        UNSAFE = f.get(null);
        INVOKE_CLEANER = c.getMethod("invokeCleaner", ByteBuffer.class);
      } catch (ReflectiveOperationException e) {
        throw new ExceptionInInitializerError(e);
      }
    }

    static void free(ByteBuffer base) {
      try {
        INVOKE_CLEANER.invoke(UNSAFE, base);
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException("allocator: a direct buffer can be freed", e);
      }
    }
  }
}
