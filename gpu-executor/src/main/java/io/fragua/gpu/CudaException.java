package io.fragua.gpu;

import jcuda.driver.CUresult;

/** A call of the CUDA driver that failed, with the call, its code and the code's name. */
public final class CudaException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int code;

  /**
   * Describes a failed call.
   *
   * @param call the driver function, as {@code cuInit}
   * @param code what it returned
   */
  public CudaException(String call, int code) {
    super(call + " returned " + CUresult.stringFor(code) + " (" + code + ")");
    this.code = code;
  }

  /** The driver's result code. */
  public int code() {
    return code;
  }
}
