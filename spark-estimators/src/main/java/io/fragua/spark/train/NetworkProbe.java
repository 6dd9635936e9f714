package io.fragua.spark.train;

import io.fragua.arrow.Parcel;
import io.fragua.tensor.Buffer;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.SerializableWritable;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.rdd.RDD;
import scala.jdk.javaapi.CollectionConverters;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction1;

/**
 * Measures how fast the executors of a cluster add up vectors, beside what plain sockets between
 * them carry. Where a training on many workers is slow, this says whether the network is why.
 */
public final class NetworkProbe {
  private static final int BUFFER = 1 << 20;

  /** How long sums are not counted: until the JVM has compiled them. */
  private static final long WARM_UP_NANOS = 3_000_000_000L;

  /** What {@link Times} has of each run. */
  private static final int KINDS = 5;

  private NetworkProbe() {}

  /**
   * What was measured: the median of the slowest worker's seconds.
   *
   * @param workers that took part
   * @param floats of the vector
   * @param sum seconds of one sum over all workers
   * @param rounded the same with parts rounded to bfloat16
   * @param small seconds of one sum of a thousand floats
   * @param near seconds of a sum as a training does it: through memory between workers of one
   *     machine, if neither settings nor encryption forbid that, else as {@code sum}
   * @param sockets seconds in which plain sockets carry, between neighbours and both ways at once,
   *     as many bytes as a worker sends and receives for the sum
   * @param encrypted whether the sums were encrypted; what plain sockets carried was not
   */
  public record Result(
      int workers,
      int floats,
      double sum,
      double rounded,
      double small,
      double near,
      double sockets,
      boolean encrypted) {}

  /** One worker's seconds of every run: plain sockets, sum, rounded, small, near. */
  private record Times(double[][] seconds, boolean encrypted) implements Serializable {}

  /**
   * Measures, as one barrier job.
   *
   * @param workers at least 2, each a slot
   * @param floats of the vector, at least 1
   * @param runs of each kind, at least 1, after seconds that are not counted
   * @throws IllegalArgumentException if there are too few slots
   */
  public static Result run(SparkContext spark, int workers, int floats, int runs) {
    if (workers < 2 || floats < 1 || runs < 1) {
      throw new IllegalArgumentException(
          "probe: needs at least 2 workers, 1 float and 1 run: "
              + workers
              + ", "
              + floats
              + " and "
              + runs
              + "; correct them");
    }
    Slots.check(spark, workers, Distribution.PLAIN);
    List<Integer> ranks = new ArrayList<>();
    for (int r = 0; r < workers; r++) {
      ranks.add(r);
    }
    ClassTag<SerializableWritable<Parcel<Times>>> tag =
        ClassTag$.MODULE$.apply(Object.class); // arrays of it are what Kryo knows
    RDD<Integer> tasks = JavaSparkContext.fromSparkContext(spark).parallelize(ranks, workers).rdd();
    RDD<SerializableWritable<Parcel<Times>>> probed =
        tasks.barrier().mapPartitions(new Task(floats, runs), false, tag);
    List<Times> times = new JavaRDD<>(probed, tag).collect().stream().map(Parcel::open).toList();
    double[] medians = new double[KINDS];
    for (int kind = 0; kind < medians.length; kind++) {
      double[] slowest = new double[runs];
      for (Times t : times) {
        for (int i = 0; i < runs; i++) {
          slowest[i] = Math.max(slowest[i], t.seconds()[kind][i]);
        }
      }
      Arrays.sort(slowest);
      medians[kind] = slowest[runs / 2];
    }
    return new Result(
        workers,
        floats,
        medians[1],
        medians[2],
        medians[3],
        medians[4],
        medians[0],
        times.get(0).encrypted());
  }

  /** One worker. */
  private static final class Task
      extends AbstractFunction1<
          scala.collection.Iterator<Integer>,
          scala.collection.Iterator<SerializableWritable<Parcel<Times>>>>
      implements Serializable {
    private static final long serialVersionUID = 1;
    private final int floats;
    private final int runs;

    Task(int floats, int runs) {
      this.floats = floats;
      this.runs = runs;
    }

    @Override
    public scala.collection.Iterator<SerializableWritable<Parcel<Times>>> apply(
        scala.collection.Iterator<Integer> rank) {
      return CollectionConverters.asScala(
          List.of(Parcel.of(measure(BarrierTaskContext.get()))).iterator());
    }

    private Times measure(BarrierTaskContext context) {
      SparkEnv env = SparkEnv.get();
      int rank = context.partitionId();
      String host = env.blockManager().blockManagerId().host();
      Timeouts timeouts = Timeouts.of(env.conf());
      Runnable check = context::killTaskIfInterrupted;
      double[][] seconds = new double[KINDS][runs];
      Topology topology = new Topology(context.numPartitions(), false);
      Secret secret;
      try (Rendezvous r = Rendezvous.listen(host)) {
        Invitation all = Invitation.exchange(context, r, env, "");
        int n = all.peers().size();
        secret = Secret.of(env.securityManager(), env.conf(), all.token());
        Links links = r.connect(rank, all.peers(), topology, secret, timeouts, check);
        try {
          for (int i = -1; i < runs; i++) {
            context.barrier();
            record(seconds[0], i, sockets(links, rank, n, 8L * floats * (n - 1) / n));
          }
        } catch (Throwable t) {
          links.close();
          throw t;
        }
        try (Collective c = new LinkedCollective(rank, all.peers(), links, timeouts, check)) {
          sums(c, seconds[1], floats, false);
          sums(c, seconds[2], floats, true);
          sums(c, seconds[3], Math.min(1000, floats), false);
        }
      } catch (IOException e) {
        throw new UncheckedIOException("probe: sockets must stay open", e);
      }
      boolean memory = SharedMemory.wanted(env.conf());
      try (Rendezvous r = Rendezvous.listen(host)) {
        Invitation all = Invitation.exchange(context, r, env, "");
        try (Collective c = r.join(rank, all.peers(), topology, secret, timeouts, memory, check)) {
          sums(c, seconds[4], floats, false);
        }
      }
      return new Times(seconds, secret.cipherBytes() > 0);
    }

    private void sums(Collective c, double[] seconds, int count, boolean bf16) {
      Buffer vector = Buffer.collected(4L * count);
      long began = System.nanoTime();
      do { // all stop at the same time: when nobody goes on
        vector.bytes().putFloat(0, System.nanoTime() - began < WARM_UP_NANOS ? 1 : 0);
        c.allReduce(vector, 0, count, bf16);
      } while (vector.bytes().getFloat(0) > 0);
      for (int i = 0; i < runs; i++) {
        c.allReduce(vector, 0, 1, false); // all begin at the same time
        long start = System.nanoTime();
        c.allReduce(vector, 0, count, bf16);
        record(seconds, i, System.nanoTime() - start);
      }
    }

    private static void record(double[] seconds, int run, long nanos) {
      if (run >= 0) {
        seconds[run] = nanos / 1e9;
      }
    }

    /** Sends and receives so many bytes, both at once, with blocking calls in two threads. */
    private static long sockets(Links links, int rank, int n, long bytes) throws IOException {
      SocketChannel next = links.data().get((rank + 1) % n).channel;
      SocketChannel prev = links.data().get((rank + n - 1) % n).channel;
      next.configureBlocking(true);
      prev.configureBlocking(true);
      IOException[] failed = new IOException[1];
      long start = System.nanoTime();
      Thread sender =
          new Thread(
              () -> {
                try {
                  move(next, bytes, true);
                } catch (IOException e) {
                  failed[0] = e;
                }
              },
              "fragua-probe-" + rank);
      sender.start();
      move(prev, bytes, false);
      try {
        sender.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("probe: interrupted", e);
      }
      if (failed[0] != null) {
        throw failed[0];
      }
      long nanos = System.nanoTime() - start;
      next.configureBlocking(false);
      prev.configureBlocking(false);
      return nanos;
    }

    private static void move(SocketChannel c, long bytes, boolean send) throws IOException {
      ByteBuffer b = ByteBuffer.allocateDirect(BUFFER);
      for (long left = bytes; left > 0; ) {
        b.clear().limit((int) Math.min(BUFFER, left));
        int n = send ? c.write(b) : c.read(b);
        if (n < 0) {
          throw new IOException("the neighbour closed the connection");
        }
        left -= n;
      }
    }
  }
}
