package io.fragua.cpu;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import io.fragua.exec.Precision;
import io.fragua.tensor.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.javacpp.Pointer;
import org.slf4j.LoggerFactory;

/**
 * oneDNN, loaded when the first contraction is compiled and not before: an executor may still have
 * to say where native libraries are unpacked to.
 */
final class OneDnn {
  /**
   * Threads last set for this thread's OpenMP regions; oneDNN asks OpenMP, which asks per thread.
   */
  private static final ThreadLocal<int[]> THREADS = ThreadLocal.withInitial(() -> new int[1]);

  /** Some microseconds: an OpenMP thread then sleeps until the next contraction. */
  private static final String SPINS = "1000";

  private OneDnn() {}

  /** Loads on first use. */
  private static final class Holder {
    static final Loaded LOADED = onOwnThread();
  }

  /**
   * The library.
   *
   * @param failure why there is none, or null
   */
  private record Loaded(engine engine, Function setThreads, RuntimeException failure) {}

  /**
   * Loads on a thread that nobody interrupts. A Spark task that is killed while it loads would
   * otherwise leave the classes of the library broken for the rest of the process: unpacking waits
   * for a file lock, which an interrupt breaks, and a class is initialised only once.
   */
  private static Loaded onOwnThread() {
    CompletableFuture<Loaded> loaded = new CompletableFuture<>();
    Thread t =
        new Thread(
            () -> {
              try {
                loaded.complete(new Loaded(load(), openMp(), null));
              } catch (Throwable e) { // handed to the caller, who throws it
                loaded.completeExceptionally(e);
              }
            },
            "fragua-onednn-loader");
    t.setDaemon(true);
    t.setContextClassLoader(Thread.currentThread().getContextClassLoader());
    t.start();
    try {
      return loaded.join(); // which waits through interrupts
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException r) {
        return new Loaded(null, null, r);
      }
      throw e;
    }
  }

  private static engine load() {
    try {
      sleepSoon();
      countMemoryOnce();
      engine e = new engine(engine.kind.cpu, 0);
      // Their classes look for the library as well when they are first used.
      new memory.desc().close();
      new IntMemoryMap().close();
      new primitive_attr().close();
      new post_ops().close();
      return e;
    } catch (LinkageError | RuntimeException e) {
      throw new IllegalStateException(
          "cpu: contractions need oneDNN's native library: it cannot be loaded on "
              + System.getProperty("os.name")
              + " "
              + System.getProperty("os.arch")
              + " ("
              + e
              + "); put org.bytedeco dnnl, javacpp and opencl with this platform's classifier on"
              + " the class path, and make the cache folder (org.bytedeco.javacpp.cachedir)"
              + " writable",
          e);
    }
  }

  /**
   * OpenMP's threads look for work for milliseconds after each contraction, on the cores that the
   * kernels after it need, unless the environment says otherwise before the library is loaded.
   */
  private static void sleepSoon() {
    if (Platform.isLinux() && System.getenv("OMP_WAIT_POLICY") == null) {
      NativeLibrary.getProcess()
          .getFunction("setenv")
          .invokeInt(new Object[] {"GOMP_SPINCOUNT", SPINS, 0});
    }
  }

  /**
   * JavaCPP refuses to make the least object while the process holds more than four times the heap,
   * which workspaces may; the JVM's limit on direct memory and Spark's budgets are the ones to
   * keep.
   */
  private static void countMemoryOnce() {
    String limit = "org.bytedeco.javacpp.maxPhysicalBytes";
    if (System.getProperty(limit) == null && System.getProperty(limit.toLowerCase()) == null) {
      System.setProperty(limit, "0");
    }
  }

  /** OpenMP's own switch in the very library that oneDNN is linked to. */
  private static Function openMp() {
    try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
      String lib =
          maps.filter(l -> l.contains("libgomp") || l.contains("libomp"))
              .map(l -> l.substring(l.indexOf('/')))
              .findFirst()
              .orElse(null);
      if (lib != null) {
        return NativeLibrary.getInstance(lib).getFunction("omp_set_num_threads");
      }
      warn("no OpenMP library is loaded");
    } catch (IOException | LinkageError e) {
      warn(e.toString());
    }
    return null;
  }

  private static void warn(String why) {
    LoggerFactory.getLogger(OneDnn.class)
        .warn(
            "cpu: the number of threads cannot be set ({}); set OMP_NUM_THREADS for the process",
            why);
  }

  static engine engine() {
    RuntimeException failure = Holder.LOADED.failure();
    if (failure != null) {
      throw new IllegalStateException(failure.getMessage(), failure);
    }
    return Holder.LOADED.engine();
  }

  /**
   * New attributes of a primitive: for most the first object of the library that is made, so that
   * it is loaded here.
   */
  static primitive_attr attributes() {
    engine();
    return new primitive_attr();
  }

  /** True if the CPU multiplies pairs of bf16, by AVX-512 or AMX. */
  static boolean multipliesBf16() {
    engine(); // loads
    return has(dnnl.dnnl_get_effective_cpu_isa(), dnnl.dnnl_cpu_isa_avx512_core_bf16);
  }

  /** True if the CPU multiplies tiles of bf16. */
  static boolean multipliesTiles() {
    engine(); // loads
    return has(dnnl.dnnl_get_effective_cpu_isa(), dnnl.dnnl_cpu_isa_avx512_core_amx);
  }

  /** Lets oneDNN round operands of f32, for what {@link Halves} leaves to it. */
  static void mayRound(primitive_attr a, Precision p) {
    if (p != Precision.STRICT) {
      a.set_fpmath_mode(dnnl.fpmath_mode.bf16);
    }
  }

  /** oneDNN's name of f32 or bf16. */
  static memory.data_type type(DType t) {
    return t == DType.BF16 ? memory.data_type.bf16 : memory.data_type.f32;
  }

  /** True if the CPU has AVX-512. */
  static boolean wide() {
    engine(); // loads
    return has(dnnl.dnnl_get_effective_cpu_isa(), dnnl.dnnl_cpu_isa_avx512_core);
  }

  /**
   * True if an f32 product of so many rows and columns is faster by oneDNN's older code than by its
   * first choice: without AVX-512, where the older copies blocks of both operands as it goes. By
   * its own rule, which this repeats, it reads smaller ones where they lie, up to four times slower
   * (measured with AVX2 on Zen 3: 20 to 40 GFLOP/s, copied 75 to 95, the first choice 60 to 85).
   *
   * <p>Source: {@code nocopy_checker_avx2} in oneDNN's gemm_driver.cpp.
   */
  static boolean olderIsFaster(long rows, long columns) {
    return !wide() && 1.0 / rows + 1.0 / columns < 0.0038;
  }

  /** Instruction sets are bit sets, each containing those before it. */
  private static boolean has(int isa, int wanted) {
    return (isa & wanted) == wanted;
  }

  /** Makes contractions called from this thread use so many threads; free if nothing changes. */
  static void threads(int n) {
    int[] set = THREADS.get();
    if (set[0] != n) {
      set[0] = n;
      if (Holder.LOADED.setThreads() != null) {
        Holder.LOADED.setThreads().invokeVoid(new Object[] {n});
      }
    }
  }

  /** An address without an owner. */
  static final class At extends Pointer {
    At set(long to) {
      address = to;
      return this;
    }
  }
}
