package io.fragua.gpu;

import static jcuda.driver.JCudaDriver.cuDeviceGet;
import static jcuda.driver.JCudaDriver.cuDeviceGetAttribute;
import static jcuda.driver.JCudaDriver.cuDeviceGetCount;
import static jcuda.driver.JCudaDriver.cuDeviceGetName;
import static jcuda.driver.JCudaDriver.cuDeviceTotalMem;
import static jcuda.driver.JCudaDriver.cuDriverGetVersion;
import static jcuda.driver.JCudaDriver.cuInit;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import jcuda.JCudaVersion;
import jcuda.driver.CUdevice;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/**
 * {@link Driver} on JCuda, which needs the driver's {@code libcuda.so.1} and no CUDA toolkit.
 * {@link #init} loads the native library and throws JCuda's {@link LinkageError} where that fails,
 * the same one each time, or {@link NativeFile.Refused}.
 */
final class JCudaCalls implements Driver {
  private static final int LONGEST_NAME = 256;

  /**
   * A native library is loaded once in a JVM, and only the first failure carries the linker's
   * words: later uses of JCuda's class meet a NoClassDefFoundError with a shortened message. So the
   * first outcome is kept here.
   */
  private static final class Loaded {
    static final LinkageError FAILURE = load();

    private static LinkageError load() {
      try {
        NativeFile.prepare(
            Path.of(System.getProperty("java.io.tmpdir")),
            "libJCudaDriver-" + JCudaVersion.get() + "-linux-x86_64.so");
        JCudaDriver.setExceptionsEnabled(false);
        return null;
      } catch (LinkageError e) {
        return e;
      }
    }
  }

  @Override
  public void init() {
    if (Loaded.FAILURE != null) {
      throw Loaded.FAILURE;
    }
    check("cuInit", cuInit(0));
  }

  @Override
  public int cudaVersion() {
    int[] version = new int[1];
    check("cuDriverGetVersion", cuDriverGetVersion(version));
    return version[0];
  }

  @Override
  public int deviceCount() {
    int[] count = new int[1];
    check("cuDeviceGetCount", cuDeviceGetCount(count));
    return count[0];
  }

  @Override
  public String name(int index) {
    byte[] name = new byte[LONGEST_NAME];
    check("cuDeviceGetName", cuDeviceGetName(name, name.length, device(index)));
    int length = 0;
    while (length < name.length && name[length] != 0) {
      length++;
    }
    return new String(name, 0, length, StandardCharsets.UTF_8).strip();
  }

  @Override
  public long memoryBytes(int index) {
    long[] bytes = new long[1];
    check("cuDeviceTotalMem", cuDeviceTotalMem(bytes, device(index)));
    return bytes[0];
  }

  @Override
  public int attribute(int index, int attribute) {
    int[] value = new int[1];
    check("cuDeviceGetAttribute", cuDeviceGetAttribute(value, attribute, device(index)));
    return value[0];
  }

  private static CUdevice device(int index) {
    CUdevice device = new CUdevice();
    check("cuDeviceGet", cuDeviceGet(device, index));
    return device;
  }

  private static void check(String call, int result) {
    if (result != CUresult.CUDA_SUCCESS) {
      throw new CudaException(call, result);
    }
  }
}
