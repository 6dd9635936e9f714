package io.fragua.cpu;

import io.fragua.exec.Allocator;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Execution;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.nn.GruCell;
import io.fragua.nn.LstmCell;
import io.fragua.nn.Network;
import io.fragua.nn.Recurrent;
import io.fragua.nn.RecurrentCell;
import io.fragua.nn.Sequential;
import io.fragua.random.Key;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.Values;
import io.fragua.transform.Fn;
import io.fragua.transform.Grad;
import io.fragua.transform.Jit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Times the loss and gradients of two recurrent layers of 256 units on 64 sequences of 64 steps.
 * Arguments: cell (lstm, gru), threads, rounds; a fourth prints the program. PyTorch's time is that
 * of src/test/python/bench_recurrent.py.
 */
public final class RecurrentBench {
  private RecurrentBench() {}

  /** Runs it. */
  public static void main(String[] args) {
    RecurrentCell cell = args[0].equals("gru") ? new GruCell(256) : new LstmCell(256);
    int threads = Integer.parseInt(args[1]);
    int rounds = Integer.parseInt(args[2]);
    TensorType x = TensorType.of(DType.F32, 64, 64, 256);
    Network.Body body = Network.of(new Sequential(new Recurrent(cell), new Recurrent(cell)));
    Network.Variables v = Network.init(body, List.of(x), Key.of(0));
    int n = v.params().size();
    Fn loss =
        in -> {
          Network.Variables now =
              new Network.Variables(v.params().withLeaves(in.subList(0, n)), v.state());
          Tensor y = Network.apply(body, now, in.subList(n, n + 1), false, null, null).output();
          return List.of(y.square().mean());
        };
    List<TensorType> types = new ArrayList<>();
    v.params().leaves().forEach(p -> types.add(p.type()));
    types.add(x);
    Graph g = Jit.graph(Grad.valueAndGrad(loss, IntStream.range(0, n).toArray()), types);
    try (Allocator memory = new Allocator("bench");
        Program p = new CpuBackend().compile(g, CompileOptions.DEFAULT.withThreads(threads));
        Execution e = p.newExecution(memory)) {
      if (args.length > 3) {
        System.out.println(p.explain());
      }
      for (int i = 0; i < n; i++) {
        e.bindInput(i, v.params().leaves().get(i).buffer());
      }
      e.bindInput(n, Values.range(-1, 1).make(x, 1).buffer());
      double[] ms = new double[rounds];
      for (int i = 0; i < rounds; i++) {
        long t = System.nanoTime();
        e.run();
        ms[i] = (System.nanoTime() - t) / 1e6;
      }
      double[] late = Arrays.copyOfRange(ms, rounds / 2, rounds);
      Arrays.sort(late);
      System.out.printf(
          Locale.ROOT,
          "%s, %d threads: median %.1f ms, best %.1f ms; loss %.6f%n",
          cell,
          threads,
          late[late.length / 2],
          late[0],
          e.output(0).getDouble(DType.F32, 0));
      if (args.length > 3 && e instanceof CpuExecution c) {
        long[] nanos = new long[c.program().steps().size()];
        for (int i = 0; i < 5; i++) {
          c.profile(nanos, System::nanoTime);
        }
        for (int i = 0; i < nanos.length; i++) {
          System.out.printf(Locale.ROOT, "%4d %.2f ms%n", i, nanos[i] / 5e6);
        }
      }
    }
  }
}
