package io.fragua.gpu;

/**
 * The calls of the CUDA driver that Fragua makes, so that a test can answer them without a GPU. A
 * call that fails throws {@link CudaException}. Safe from any thread, as the driver is.
 */
interface Driver {
  /** {@code cuInit}: must come before every other call. */
  void init();

  /**
   * {@code cuDriverGetVersion}: the CUDA version the driver speaks, as 1000 * major + 10 * minor.
   */
  int cudaVersion();

  /** {@code cuDeviceGetCount}. */
  int deviceCount();

  /** {@code cuDeviceGetName}. */
  String name(int index);

  /** {@code cuDeviceTotalMem}: bytes. */
  long memoryBytes(int index);

  /** {@code cuDeviceGetAttribute} with one of {@code CUdevice_attribute}. */
  int attribute(int index, int attribute);
}
