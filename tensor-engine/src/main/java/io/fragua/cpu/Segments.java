package io.fragua.cpu;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.Buffer;
import java.nio.ByteBuffer;

/**
 * Turns buffers into what generated kernels take; MemorySegment is not in the JDK we compile for.
 */
final class Segments {
  private static final Method OF_BUFFER = VectorRuntime.SEGMENTS ? find() : null;

  private Segments() {}

  private static Method find() {
    try {
      return Class.forName("java.lang.foreign.MemorySegment").getMethod("ofBuffer", Buffer.class);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cpu: this JDK has MemorySegment.ofBuffer", e);
    }
  }

  /** The buffer itself, or a segment over it. */
  static Object of(ByteBuffer b) {
    if (OF_BUFFER == null) {
      return b;
    }
    try {
      return OF_BUFFER.invoke(null, b);
    } catch (IllegalAccessException | InvocationTargetException e) {
      throw new IllegalStateException("cpu: a direct buffer has a segment", e);
    }
  }
}
