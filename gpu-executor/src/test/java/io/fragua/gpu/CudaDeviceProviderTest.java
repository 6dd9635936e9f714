package io.fragua.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fragua.exec.DeviceProvider;
import io.fragua.exec.DeviceProvider.DeviceInfo;
import io.fragua.exec.DeviceProvider.Discovery;
import io.fragua.exec.DeviceUnavailableException;
import io.fragua.exec.Devices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import jcuda.driver.CUresult;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CudaDeviceProviderTest {
  private static final String NO_DRIVER =
      "no NVIDIA driver: libcuda.so.1 not found; install NVIDIA's driver, or give the container the"
          + " GPU if the host has one";
  private static final String NO_GPU =
      "the NVIDIA driver is there but sees no GPU; check nvidia-smi, the variable"
          + " CUDA_VISIBLE_DEVICES, and that a container was given the GPU";

  @TempDir Path folder;

  private Discovery discover(Driver driver) {
    return new CudaDeviceProvider(driver, "linux-x86_64", folder.resolve("version")).discover();
  }

  private String reason(Throwable initFailure) {
    Discovery discovery = discover(new RecordingDriver(initFailure));
    assertEquals(List.of(), discovery.devices());
    return discovery.reasonIfNone();
  }

  @Test
  void twoDevicesAreListedInOrder() throws IOException {
    Files.writeString(
        folder.resolve("version"),
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.124.06  Wed Feb 26 02:04:55 UTC 2025\n"
            + "GCC version:  gcc version 12.2.0 (Debian)\n");
    RecordingDriver driver = new RecordingDriver(2);
    Discovery discovery = discover(driver);
    assertNull(discovery.reasonIfNone());
    assertEquals(
        List.of(
            new DeviceInfo(0, "NVIDIA Test 0", 1L << 34, "570.124.06 (CUDA 12.8)", "9.0"),
            new DeviceInfo(1, "NVIDIA Test 1", 2L << 34, "570.124.06 (CUDA 12.8)", "9.1")),
        discovery.devices());
    assertEquals("init", driver.calls.get(0));
    assertEquals(1, driver.calls.stream().filter("cudaVersion"::equals).count());
  }

  @Test
  void withoutTheKernelFileTheCudaVersionStands() {
    assertEquals("CUDA 12.8", discover(new RecordingDriver(1)).devices().get(0).driver());
  }

  @Test
  void zeroDevicesIsAReasonWhicheverWayTheDriverSaysIt() {
    assertEquals(NO_GPU, discover(new RecordingDriver(0)).reasonIfNone());
    assertEquals(NO_GPU, reason(new CudaException("cuInit", CUresult.CUDA_ERROR_NO_DEVICE)));
  }

  @Test
  void anErrorCodeIsNamed() {
    assertEquals(
        "the NVIDIA driver is there but fails: cuInit returned CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"
            + " (803); check that nvidia-smi works here, and reinstall NVIDIA's driver if it does"
            + " not",
        reason(new CudaException("cuInit", CUresult.CUDA_ERROR_SYSTEM_DRIVER_MISMATCH)));
  }

  @Test
  void aSickDeviceHidesNoOther() {
    RecordingDriver driver = new RecordingDriver(3);
    driver.sick.add(1);
    assertEquals(
        List.of(0, 2), discover(driver).devices().stream().map(DeviceInfo::index).toList());
    driver.sick.addAll(List.of(0, 2));
    assertEquals(
        "the NVIDIA driver is there but fails: cuDeviceGetName returned"
            + " CUDA_ERROR_ECC_UNCORRECTABLE (214); check that nvidia-smi works here, and reinstall"
            + " NVIDIA's driver if it does not",
        discover(driver).reasonIfNone());
  }

  @Test
  void aLibraryThatCannotBeUnpackedIsSaidAsItIs() {
    assertEquals("why", reason(new NativeFile.Refused("why", null)));
  }

  @Test
  void aMissingDriverLibraryIsSaidInOneSentence() {
    UnsatisfiedLinkError missing =
        new UnsatisfiedLinkError(
            "Error while loading native library\n"
                + "java.lang.UnsatisfiedLinkError: /tmp/libJCudaDriver.so: libcuda.so.1: cannot"
                + " open shared object file: No such file or directory\n"
                + "\tat somewhere");
    assertEquals(NO_DRIVER, reason(missing));
  }

  @Test
  void aBrokenDriverLibraryIsQuoted() {
    assertEquals(
        "the NVIDIA driver's libcuda.so.1 cannot be loaded (file too short); check that nvidia-smi"
            + " works here, and reinstall NVIDIA's driver if it does not",
        reason(
            new UnsatisfiedLinkError("/tmp/x.so: libcuda.so.1: file too short\n\tat somewhere")));
  }

  @Test
  void anotherLinkFailureNamesTheFolderForNatives() {
    String reason = reason(new UnsatisfiedLinkError("/tmp/x.so: failed to map segment"));
    assertTrue(
        reason.startsWith("JCuda's native library could not be loaded (java.lang.Unsat"), reason);
    assertTrue(reason.contains(System.getProperty("java.io.tmpdir")), reason);
  }

  @Test
  void anArchitectureWithoutNativesNeverTouchesTheDriver() {
    RecordingDriver driver = new RecordingDriver(2);
    assertEquals(
        "no GPU support on linux-aarch64: JCuda's native library is published for linux-x86_64"
            + " alone; use a machine with that architecture",
        new CudaDeviceProvider(driver, "linux-aarch64", folder).discover().reasonIfNone());
    assertEquals(List.of(), driver.calls);
  }

  @Test
  void theProviderIsFoundAndItsRealSearchNeverThrows() {
    DeviceProvider cuda =
        Devices.providers().stream().filter(p -> p.kind().equals("cuda")).findFirst().orElseThrow();
    Discovery first = cuda.discover();
    // The second search meets a library whose loading has failed before, and must say the same.
    assertEquals(first, cuda.discover());
    assertEquals(first, new CudaDeviceProvider().discover());
    assertEquals(first.devices().isEmpty(), first.reasonIfNone() != null);
  }

  @Test
  void withoutADriverCudaIsRefusedWithTheReason() {
    DeviceProvider cuda = new CudaDeviceProvider();
    assumeTrue(System.getProperty("os.arch").equals("amd64"), "natives are for x86-64 alone");
    assumeTrue(
        NO_DRIVER.equals(cuda.discover().reasonIfNone()), "this machine has an NVIDIA driver");
    assertEquals(
        "device: a device that is asked for must be there, got \"cuda\", but "
            + NO_DRIVER
            + "; or set device to \"cpu\"",
        assertThrows(DeviceUnavailableException.class, () -> Devices.require("cuda")).getMessage());
  }

  @Test
  void aGpuThatIsThereIsRefusedHonestly() {
    CudaDeviceProvider cuda =
        new CudaDeviceProvider(new RecordingDriver(1), "linux-x86_64", folder);
    String refusal = cuda.refusal(cuda.discover().devices().get(0));
    assertEquals(
        "this version of Fragua finds GPUs and does not compute on them yet: programs run on the"
            + " CPU only; set device to \"cpu\"",
        refusal);
    assertFalse(cuda.discover().devices().isEmpty());
  }
}
