package io.fragua.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.fragua.exec.Allocator;
import io.fragua.exec.Backend;
import io.fragua.exec.Backends;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Execution;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.BackendContract;
import io.fragua.transform.Fn;
import io.fragua.transform.Jit;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** The compiling backend keeps the contract of all backends. */
class CpuContractTest extends BackendContract {
  @Override
  protected Backend backend() {
    return Backends.cpu();
  }

  /** What it handed out may be unmapped: reading that would end the process. */
  @Test
  void aClosedExecutionHandsOutNothing() {
    Graph g = Jit.graph(Fn.of(Tensor::neg), List.of(TensorType.of(DType.F32)));
    try (Allocator a = new Allocator("closed");
        Program p = backend().compile(g, CompileOptions.DEFAULT)) {
      Execution e = p.newExecution(a);
      e.close();
      List<Executable> uses =
          List.of(
              e::run,
              () -> e.input(0),
              () -> e.output(0),
              () -> e.bindInput(0, Buffer.collected(4)),
              () -> e.bindOutput(0, Buffer.collected(4)));
      for (Executable use : uses) {
        assertEquals(
            "execution: must be open: it is closed; make a new one",
            assertThrows(IllegalStateException.class, use).getMessage());
      }
    }
  }
}
