package io.fragua.gpu;

import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR;

import io.fragua.exec.DeviceProvider;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jcuda.JCudaVersion;
import jcuda.driver.CUresult;

/**
 * Finds NVIDIA GPUs through the CUDA driver. It finds them only: this version has no backend that
 * runs programs on them, and {@link #refusal} says so. Never throws; without state; safe from any
 * thread.
 */
public final class CudaDeviceProvider implements DeviceProvider {
  private static final Path KERNEL_DRIVER = Path.of("/proc/driver/nvidia/version");
  private static final Pattern KERNEL_VERSION = Pattern.compile("\\s(\\d+\\.\\d+(?:\\.\\d+)?)\\s");
  private static final Pattern LIBRARY_FAILURE = Pattern.compile("libcuda\\.so\\.1: ([^\\n]+)");
  private static final String CHECK_DRIVER =
      "check that nvidia-smi works here, and reinstall NVIDIA's driver if it does not";

  private final Driver driver;
  private final String platform;
  private final Path kernelDriver;

  /** Called by ServiceLoader; touches nothing native. */
  public CudaDeviceProvider() {
    this(new JCudaCalls(), platform(), KERNEL_DRIVER);
  }

  CudaDeviceProvider(Driver driver, String platform, Path kernelDriver) {
    this.driver = driver;
    this.platform = platform;
    this.kernelDriver = kernelDriver;
  }

  @Override
  public String kind() {
    return "cuda";
  }

  @Override
  public Discovery discover() {
    String natives = "/lib/libJCudaDriver-" + JCudaVersion.get() + "-" + platform + ".so";
    if (CudaDeviceProvider.class.getResource(natives) == null) {
      return Discovery.none(
          "no GPU support on "
              + platform
              + ": JCuda's native library is published for linux-x86_64 alone; use a machine with"
              + " that architecture");
    }
    try {
      driver.init();
      List<DeviceInfo> devices = devices();
      return devices.isEmpty() ? Discovery.none(noDevice()) : Discovery.of(devices);
    } catch (CudaException e) {
      return Discovery.none(
          e.code() == CUresult.CUDA_ERROR_NO_DEVICE
              ? noDevice()
              : "the NVIDIA driver is there but fails: " + e.getMessage() + "; " + CHECK_DRIVER);
    } catch (NativeFile.Refused e) {
      return Discovery.none(e.getMessage());
    } catch (LinkageError | RuntimeException e) {
      return Discovery.none(loadFailure(e));
    }
  }

  @Override
  public String refusal(DeviceInfo device) {
    return "this version of Fragua finds GPUs and does not compute on them yet: programs run on the"
        + " CPU only; set device to \"cpu\"";
  }

  /** Those that answer: one that is sick hides no other; fails if all are. */
  private List<DeviceInfo> devices() {
    int count = driver.deviceCount();
    List<DeviceInfo> devices = new ArrayList<>(count);
    if (count > 0) {
      String version = driverVersion();
      CudaException sick = null;
      for (int i = 0; i < count; i++) {
        try {
          devices.add(device(i, version));
        } catch (CudaException e) {
          sick = sick == null ? e : sick;
        }
      }
      if (devices.isEmpty()) {
        throw sick;
      }
    }
    return devices;
  }

  private DeviceInfo device(int i, String version) {
    String capability =
        driver.attribute(i, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
            + "."
            + driver.attribute(i, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
    return new DeviceInfo(i, driver.name(i), driver.memoryBytes(i), version, capability);
  }

  /**
   * The kernel module's version, which is what NVIDIA numbers its drivers by, and the CUDA version
   * it speaks.
   */
  private String driverVersion() {
    int cuda = driver.cudaVersion();
    String spoken = "CUDA " + cuda / 1000 + "." + cuda % 1000 / 10;
    try {
      Matcher module =
          KERNEL_VERSION.matcher(Files.readString(kernelDriver, StandardCharsets.ISO_8859_1));
      return module.find() ? module.group(1) + " (" + spoken + ")" : spoken;
    } catch (IOException e) {
      // Containers and WSL may hide the file; the CUDA version alone is still true.
      return spoken;
    }
  }

  private static String noDevice() {
    return "the NVIDIA driver is there but sees no GPU; check nvidia-smi, the variable"
        + " CUDA_VISIBLE_DEVICES, and that a container was given the GPU";
  }

  /** Reads the dynamic linker's words out of JCuda's long message. */
  private static String loadFailure(Throwable failure) {
    Matcher library = LIBRARY_FAILURE.matcher(String.valueOf(failure.getMessage()));
    if (library.find()) {
      return library.group(1).contains("No such file")
          ? "no NVIDIA driver: libcuda.so.1 not found; install NVIDIA's driver, or give the"
              + " container the GPU if the host has one"
          : "the NVIDIA driver's libcuda.so.1 cannot be loaded ("
              + library.group(1).strip()
              + "); "
              + CHECK_DRIVER;
    }
    return "JCuda's native library could not be loaded ("
        + String.valueOf(failure).lines().findFirst().orElse("")
        + "); check that "
        + System.getProperty("java.io.tmpdir")
        + " can be written and may hold executable files";
  }

  private static String platform() {
    String arch = System.getProperty("os.arch");
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    return (os.contains("linux") ? "linux" : os.replace(' ', '-'))
        + "-"
        + (arch.equals("amd64") ? "x86_64" : arch);
  }
}
