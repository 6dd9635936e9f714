package io.fragua.cpu;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.dnnl.dnnl_version_t;
import org.bytedeco.dnnl.global.dnnl;

/**
 * What this machine's CPU offers and what Fragua uses of it, as text for people. Immutable.
 *
 * @param model the product name, or the architecture where the system does not tell
 * @param cores physical cores seen by the system
 * @param threads hardware threads this JVM may use
 * @param features the vector and matrix extensions that matter here, in words such as {@code
 *     AVX-512}
 * @param vectorApi whether generated kernels use the Vector API, with its width, or how to switch
 *     it on
 * @param oneDnn the version of oneDNN and the instruction set it chose, or why it cannot be loaded
 */
public record CpuInfo(
    String model, int cores, int threads, List<String> features, String vectorApi, String oneDnn) {
  private static final Path PROC = Path.of("/proc/cpuinfo");

  /**
   * The kernel's names for a feature, and ours. Linux reports them as flags (x86) or Features
   * (arm64).
   */
  private static final Map<String, String> FEATURES = new LinkedHashMap<>();

  static {
    FEATURES.put("avx2", "AVX2");
    FEATURES.put("avx_vnni", "AVX-VNNI");
    FEATURES.put("avx512f", "AVX-512");
    FEATURES.put("avx512_vnni", "AVX-512 VNNI");
    FEATURES.put("avx512_bf16", "AVX-512 BF16");
    FEATURES.put("avx512_fp16", "AVX-512 FP16");
    FEATURES.put("amx_tile", "AMX");
    FEATURES.put("amx_bf16", "AMX BF16");
    FEATURES.put("amx_int8", "AMX INT8");
    FEATURES.put("asimd", "NEON");
    FEATURES.put("sve", "SVE");
    FEATURES.put("sve2", "SVE2");
    FEATURES.put("bf16", "BF16");
    FEATURES.put("i8mm", "I8MM");
  }

  /** Copies the list. */
  public CpuInfo {
    features = List.copyOf(features);
  }

  /** Reads this machine. Loads oneDNN's native library; never throws. */
  public static CpuInfo read() {
    String text;
    try {
      text = Files.readString(PROC, StandardCharsets.UTF_8);
    } catch (IOException e) {
      // Not Linux, or /proc is hidden: the JVM's own view is what remains.
      text = "";
    }
    return parse(text, Runtime.getRuntime().availableProcessors(), vector(), dnnlVersion());
  }

  static CpuInfo parse(String cpuinfo, int threads, String vectorApi, String oneDnn) {
    String model = System.getProperty("os.arch");
    Set<String> flags = new HashSet<>();
    Set<String> cores = new HashSet<>();
    String socket = "0";
    for (String line : cpuinfo.split("\n")) {
      int colon = line.indexOf(':');
      if (colon < 0) {
        continue;
      }
      String value = line.substring(colon + 1).strip();
      switch (line.substring(0, colon).strip()) {
        case "model name" -> model = value;
        case "flags", "Features" -> flags.addAll(Arrays.asList(value.split("\\s+")));
        case "physical id" -> socket = value;
        case "core id" -> cores.add(socket + "/" + value);
        default -> {}
      }
    }
    List<String> features = new ArrayList<>();
    FEATURES.forEach(
        (flag, name) -> {
          if (flags.contains(flag)) {
            features.add(name);
          }
        });
    return new CpuInfo(
        model, cores.isEmpty() ? threads : cores.size(), threads, features, vectorApi, oneDnn);
  }

  /** By reflection, so that this class also loads where the incubator module is absent. */
  private static String vector() {
    String module = "jdk.incubator.vector";
    if (ModuleLayer.boot().findModule(module).isEmpty()) {
      return "off; start the JVM with --add-modules=" + module + " to switch it on";
    }
    try {
      Object species =
          Class.forName(module + ".FloatVector").getField("SPECIES_PREFERRED").get(null);
      Object bits =
          Class.forName(module + ".VectorSpecies").getMethod("vectorBitSize").invoke(species);
      return "on, " + bits + " bits preferred";
    } catch (ReflectiveOperationException | LinkageError e) {
      return "off; the module " + module + " is there but fails: " + e;
    }
  }

  private static String dnnlVersion() {
    try {
      dnnl_version_t v = dnnl.dnnl_version();
      String isa = isa(dnnl.dnnl_get_effective_cpu_isa());
      return v.major() + "." + v.minor() + "." + v.patch() + isa;
    } catch (LinkageError | RuntimeException e) {
      return "cannot be loaded (" + e + "); natives are there for linux-x86_64 and linux-arm64";
    }
  }

  /**
   * oneDNN's instruction sets are bit sets, each containing those before it; the largest known one
   * names it.
   */
  private static String isa(int bits) {
    String name = "";
    Object[][] known = {
      {dnnl.dnnl_cpu_isa_sse41, "SSE4.1"},
      {dnnl.dnnl_cpu_isa_avx, "AVX"},
      {dnnl.dnnl_cpu_isa_avx2, "AVX2"},
      {dnnl.dnnl_cpu_isa_avx2_vnni, "AVX2 with VNNI"},
      {dnnl.dnnl_cpu_isa_avx512_core, "AVX-512"},
      {dnnl.dnnl_cpu_isa_avx512_core_vnni, "AVX-512 with VNNI"},
      {dnnl.dnnl_cpu_isa_avx512_core_bf16, "AVX-512 with BF16"},
      {dnnl.dnnl_cpu_isa_avx512_core_fp16, "AVX-512 with FP16"},
      {dnnl.dnnl_cpu_isa_avx512_core_amx, "AVX-512 with AMX"},
      {dnnl.dnnl_cpu_isa_avx512_core_amx_fp16, "AVX-512 with AMX and FP16"},
    };
    for (Object[] row : known) {
      int set = (Integer) row[0];
      if ((bits & set) == set) {
        name = ", using " + row[1];
      }
    }
    return name;
  }
}
