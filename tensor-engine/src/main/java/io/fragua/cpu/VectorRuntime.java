package io.fragua.cpu;

import org.slf4j.LoggerFactory;

/**
 * What the running JVM offers to generated code. The Vector API is an incubator module, so no class
 * here names it; it is looked up once, by name.
 *
 * <p>System property {@code fragua.vector=off} makes generated kernels plain scalar loops.
 */
final class VectorRuntime {
  /** f32 and i32 lanes of a vector; 0 if kernels are scalar loops. */
  static final int LANES;

  /** True where vectors are loaded from a MemorySegment (JDK 19 on), not from a ByteBuffer. */
  static final boolean SEGMENTS;

  static {
    int lanes = 0;
    boolean segments = false;
    if (!"off".equals(System.getProperty("fragua.vector"))) {
      try {
        Class<?> vector = Class.forName("jdk.incubator.vector.FloatVector");
        Object species = vector.getField("SPECIES_PREFERRED").get(null);
        lanes =
            (Integer)
                Class.forName("jdk.incubator.vector.VectorSpecies")
                    .getMethod("length")
                    .invoke(species);
        boolean buffers = false;
        for (var m : vector.getMethods()) {
          buffers |= m.getName().equals("fromByteBuffer");
        }
        segments = !buffers;
      } catch (ReflectiveOperationException | LinkageError e) {
        // Asked for here alone: in a process that does not log, a logger takes half a second.
        LoggerFactory.getLogger(VectorRuntime.class)
            .warn(
                "Fragua's CPU kernels run as scalar loops, several times slower: the Vector API is"
                    + " absent ({}); start Java with --add-modules=jdk.incubator.vector",
                e.toString());
      }
    }
    LANES = lanes;
    SEGMENTS = segments;
  }

  private VectorRuntime() {}
}
