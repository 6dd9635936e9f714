package io.fragua.spark.train;

import io.fragua.exec.Allocator;
import io.fragua.exec.Backends;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Execution;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.graph.Tracer;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.transform.Grad;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;

/**
 * Times gradients and their sums of two workers, each a thread with one core, over connections that
 * carry no more than a network of so many Gbit/s; with and without overlap, by turns. A program to
 * run by hand, not a test. Arguments: Gbit/s, or sockets or memory for what these carry (1), rows
 * of a worker (512), layers of 1400 x 1400 (5), rounds of a few steps each way (5).
 */
final class OverlapBench {
  private static final int WIDTH = 1400;
  private static final int STEPS = 4;

  private OverlapBench() {}

  /** A connection that takes bytes at the speed of a network. */
  private static final class SlowLink extends Link {
    /** What a socket takes at once, and sends while nobody looks. */
    private static final long BURST = 1 << 20;

    private final double bytesPerNano;
    private long began;
    private long sent;

    SlowLink(Link link, double gbits) {
      super(link.peer(), link.channel);
      bytesPerNano = gbits / 8;
    }

    @Override
    boolean write(ByteBuffer from) throws IOException {
      long now = System.nanoTime();
      long could = (long) ((now - began) * bytesPerNano);
      if (could > sent + BURST) { // it stood still
        began = now;
        sent = -BURST;
        could = 0;
      }
      int n = (int) Math.min(from.remaining(), could - sent);
      if (n <= 0) {
        return false;
      }
      int limit = from.limit();
      int start = from.position();
      from.limit(start + n);
      try {
        super.write(from);
      } finally {
        from.limit(limit);
      }
      sent += from.position() - start;
      return from.position() > start;
    }

    /** Nobody says when it takes more. */
    @Override
    boolean wakes() {
      return false;
    }
  }

  public static void main(String[] args) throws Exception {
    String wire = args.length > 0 ? args[0] : "1";
    int rows = args.length > 1 ? Integer.parseInt(args[1]) : 512;
    int layers = args.length > 2 ? Integer.parseInt(args[2]) : 5;
    int rounds = args.length > 3 ? Integer.parseInt(args[3]) : 5;
    ExecutorService threads = Executors.newFixedThreadPool(2);
    Graph g = graph(layers, rows);
    try (Program p = Backends.cpu().compile(g, CompileOptions.DEFAULT);
        Rendezvous a = Rendezvous.listen(Ranks.HOST);
        Rendezvous b = Rendezvous.listen(Ranks.HOST)) {
      List<Rendezvous> all = List.of(a, b);
      List<Peer> peers =
          List.of(new Peer(0, Ranks.HOST, a.port(), "0"), new Peer(1, Ranks.HOST, b.port(), "1"));
      List<Callable<double[][]>> work = new ArrayList<>();
      for (int r = 0; r < 2; r++) {
        int rank = r;
        work.add(() -> work(p, (LinkedCollective) join(all.get(rank), rank, peers, wire), rounds));
      }
      for (Future<double[][]> f : threads.invokeAll(work)) {
        double[][] ms = f.get();
        for (double[] m : ms) {
          Arrays.sort(m);
        }
        System.out.printf(
            Locale.ROOT,
            "%s, %d rows, %d layers: gradient alone %.0f ms; with sums %.0f after it, %.0f"
                + " beside it (medians of %d)%n",
            wire,
            rows,
            layers,
            ms[2][rounds / 2],
            ms[0][rounds / 2],
            ms[1][rounds / 2],
            rounds);
      }
    } finally {
      threads.shutdown();
    }
  }

  private static Graph graph(int layers, int rows) {
    List<Graph.Input> in = new ArrayList<>();
    List<String> grads = new ArrayList<>();
    for (int i = 0; i < layers; i++) {
      in.add(new Graph.Input("w" + i, TensorType.of(DType.F32, WIDTH, WIDTH)));
      grads.add("grad:w" + i);
    }
    in.add(new Graph.Input("x", TensorType.of(DType.F32, rows, WIDTH)));
    Graph loss =
        Tracer.trace(
            in,
            List.of("loss"),
            t -> {
              Tensor y = t.get(layers);
              for (int i = 0; i < layers; i++) {
                y = y.matmul(t.get(i)).relu();
              }
              return List.of(y.square().sum());
            });
    return Grad.valueAndGrad(loss, IntStream.range(0, layers).toArray(), grads);
  }

  private static Collective join(Rendezvous r, int rank, List<Peer> peers, String wire) {
    Topology t = new Topology(peers.size(), false);
    if (wire.equals("sockets") || wire.equals("memory")) {
      boolean memory = wire.equals("memory");
      return r.join(rank, peers, t, Ranks.CLEAR, Ranks.PATIENT, memory, () -> {});
    }
    Links links = r.connect(rank, peers, t, Ranks.CLEAR, Ranks.PATIENT, () -> {});
    links.data().replaceAll((other, l) -> new SlowLink(l, Double.parseDouble(wire)));
    return new LinkedCollective(rank, peers, links, Ranks.PATIENT, () -> {});
  }

  /** Milliseconds of a step by rounds: sums after the gradient, beside it, and no sums. */
  private static double[][] work(Program p, LinkedCollective plain, int rounds) {
    Graph g = p.graph();
    List<Integer> order = Buckets.order(g);
    int each = WIDTH * WIDTH;
    int[] at = IntStream.rangeClosed(0, order.size()).map(i -> i * each).toArray();
    try (Collective overlapped = new OverlappedCollective(plain, () -> {});
        Allocator memory = new Allocator("bench");
        Execution x = p.newExecution(memory)) {
      Buffer sums = Buffer.collected(4L * at[order.size()]);
      for (int i = 0; i < order.size(); i++) {
        x.bindOutput(order.get(i), sums.slice(4 * at[i], 4 * each));
      }
      for (int i = 0; i < g.inputs().size(); i++) {
        for (int k = 0; k < x.input(i).size() / 4; k++) {
          x.input(i).bytes().putFloat(4 * k, (k * 7 % 11 - 5) / 100f);
        }
      }
      Buckets buckets = Buckets.cut(sums, order, at, Buckets.BYTES, false);
      double[][] ms = new double[3][rounds];
      for (int round = -1; round < rounds; round++) {
        for (int way = 0; way < ms.length; way++) {
          plain.allReduce(sums, 0, 1, false); // both begin at once
          long began = System.nanoTime();
          for (int s = 0; s < STEPS; s++) {
            Collective c = way == 1 ? overlapped : plain;
            if (way == 2) {
              x.run();
              continue;
            }
            buckets.begin();
            c.begin(buckets);
            x.run(buckets::complete);
            c.finish(buckets);
          }
          if (round >= 0) {
            ms[way][round] = (System.nanoTime() - began) / 1e6 / STEPS;
          }
        }
      }
      return ms;
    }
  }
}
