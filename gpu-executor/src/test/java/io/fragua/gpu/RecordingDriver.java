package io.fragua.gpu;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import jcuda.driver.CUresult;

/** A driver that answers without a GPU and writes down what was asked. Not thread-safe. */
final class RecordingDriver implements Driver {
  final List<String> calls = new ArrayList<>();
  private final Throwable initFailure;
  private final int devices;

  /** GPUs that fail. */
  final Set<Integer> sick = new HashSet<>();

  /** A driver that sees {@code devices} GPUs. */
  RecordingDriver(int devices) {
    this(devices, null);
  }

  /** A driver whose {@code init} fails. */
  RecordingDriver(Throwable initFailure) {
    this(0, initFailure);
  }

  private RecordingDriver(int devices, Throwable initFailure) {
    this.devices = devices;
    this.initFailure = initFailure;
  }

  @Override
  public void init() {
    calls.add("init");
    if (initFailure instanceof Error e) {
      throw e;
    }
    if (initFailure instanceof RuntimeException e) {
      throw e;
    }
  }

  @Override
  public int cudaVersion() {
    calls.add("cudaVersion");
    return 12080;
  }

  @Override
  public int deviceCount() {
    calls.add("deviceCount");
    return devices;
  }

  @Override
  public String name(int index) {
    calls.add("name " + index);
    if (sick.contains(index)) {
      throw new CudaException("cuDeviceGetName", CUresult.CUDA_ERROR_ECC_UNCORRECTABLE);
    }
    return "NVIDIA Test " + index;
  }

  @Override
  public long memoryBytes(int index) {
    calls.add("memoryBytes " + index);
    return (index + 1L) << 34;
  }

  @Override
  public int attribute(int index, int attribute) {
    calls.add("attribute " + index);
    return attribute == jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
        ? 9
        : index;
  }
}
