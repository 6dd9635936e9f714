package io.fragua.examples.bench;

import io.fragua.examples.bench.Workload.Against;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Precision;
import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The rows of {@code bench engine}. A row is one {@link Workload}, made by the class of its family:
 * it is listed here, and its function has the same name in the peers' scripts.
 */
final class Workloads {
  private static final int[] SIZES = {1 << 10, 1 << 15, 1 << 20, 1 << 24};

  private Workloads() {}

  /** All of them, in the table's order. */
  static List<Workload> all() {
    List<Workload> all = new ArrayList<>();
    all.add(DenseWorkloads.mlp(128, 1.5, 2.5));
    all.add(DenseWorkloads.mlp(4096, 1.2, 1.8));
    all.add(
        EncoderWorkloads.forward(
            Precision.STRICT,
            2e-5,
            new Against("torch", 1.1),
            new Against("torch_compiled", 1.1),
            new Against("onnxruntime", 1.35)));
    all.add(EncoderWorkloads.forward(Precision.BF16_MATH, 3e-2, new Against("torch_bf16", 1.5)));
    all.add(EncoderWorkloads.training(Precision.STRICT, 2e-4, new Against("torch", 1.3)));
    all.add(EncoderWorkloads.training(Precision.BF16, 1e-1, new Against("torch_bf16", 1.5)));
    all.add(
        ImageWorkloads.resNetForward(
            Precision.STRICT, 1e-4, new Against("onnxruntime", 1.05), new Against("torch", 1.05)));
    all.add(ImageWorkloads.resNetForward(Precision.BF16, 3e-2, new Against("torch_bf16", 3)));
    all.add(ImageWorkloads.resNetCompile());
    all.add(ImageWorkloads.resNetMemory());
    all.add(ImageWorkloads.cnn());
    all.add(RecurrentWorkloads.lstm());
    for (String name : ElementwiseWorkloads.NAMES) {
      for (int n : SIZES) {
        all.add(ElementwiseWorkloads.of(name, n));
      }
    }
    all.add(ElementwiseWorkloads.eager());
    return all;
  }

  /** Numbers between -3 and 3, the same every time. */
  static Tensor numbers(long seed, int... dims) {
    TensorType t = TensorType.of(DType.F32, dims);
    Buffer b = Buffer.collected(t.byteSize());
    SplittableRandom r = new SplittableRandom(seed);
    for (int at = 0; at < b.size(); at += 4) {
      b.bytes().putFloat(at, (float) (r.nextDouble() * 6 - 3));
    }
    return Tensor.of(t, b);
  }

  /** Labels from 0 to {@code classes}, exclusive, the same every time. */
  static Tensor labels(long seed, int classes, int n) {
    SplittableRandom r = new SplittableRandom(seed);
    return Tensor.of(r.ints(n, 0, classes).toArray(), n);
  }

  /** Options for so many threads. */
  static CompileOptions on(int threads) {
    return CompileOptions.DEFAULT.withThreads(threads);
  }

  /** An operand of this tensor's type. */
  static Graph.Input input(String name, Tensor t) {
    return new Graph.Input(name, t.type());
  }
}
