package io.fragua.cpu;

import io.fragua.exec.Backend;
import io.fragua.exec.Backends;
import io.fragua.testing.BackendContract;

/** The compiling backend keeps the contract of all backends. */
class CpuContractTest extends BackendContract {
  @Override
  protected Backend backend() {
    return Backends.cpu();
  }
}
