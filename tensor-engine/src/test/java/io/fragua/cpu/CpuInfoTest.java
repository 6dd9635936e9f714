package io.fragua.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;

class CpuInfoTest {
  @Test
  void countsCoresNotThreadsAndNamesFeatures() {
    String twoThreadsOnOneCore =
        """
        processor\t: 0
        model name\t: Test CPU @ 2.00GHz
        physical id\t: 0
        core id\t\t: 0
        flags\t\t: fpu avx2 avx512f avx512_bf16 amx_tile amx_bf16

        processor\t: 1
        model name\t: Test CPU @ 2.00GHz
        physical id\t: 0
        core id\t\t: 0
        flags\t\t: fpu avx2 avx512f avx512_bf16 amx_tile amx_bf16

        processor\t: 2
        physical id\t: 1
        core id\t\t: 0
        """;
    assertEquals(
        new CpuInfo(
            "Test CPU @ 2.00GHz",
            2,
            3,
            List.of("AVX2", "AVX-512", "AVX-512 BF16", "AMX", "AMX BF16"),
            "on",
            "1.2.3"),
        CpuInfo.parse(twoThreadsOnOneCore, 3, "on", "1.2.3"));
  }

  @Test
  void armHasFeaturesAndNoModel() {
    CpuInfo info = CpuInfo.parse("Features\t: fp asimd sve bf16 i8mm\n", 4, "off", "x");
    assertEquals(List.of("NEON", "SVE", "BF16", "I8MM"), info.features());
    assertEquals(4, info.cores());
    assertEquals(System.getProperty("os.arch"), info.model());
  }

  @Test
  void thisMachineHasOneDnnAndTheVectorApi() {
    CpuInfo info = CpuInfo.read();
    assertTrue(info.oneDnn().matches("\\d+\\.\\d+\\.\\d+(, using .+)?"), info.oneDnn());
    assertTrue(info.vectorApi().matches("on, \\d+ bits preferred"), info.vectorApi());
    assertEquals(Runtime.getRuntime().availableProcessors(), info.threads());
  }

  /** JavaCPP would refuse to make anything in a process that is larger than four times its heap. */
  @Test
  void memoryIsLimitedInOnePlace() {
    OneDnn.engine();
    assertEquals(0, Pointer.maxPhysicalBytes());
  }
}
