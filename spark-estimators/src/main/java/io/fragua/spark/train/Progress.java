package io.fragua.spark.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.spark.SparkEnv;
import org.apache.spark.rpc.RpcCallContext;
import org.apache.spark.rpc.RpcEndpointRef;
import org.apache.spark.rpc.RpcEnv;
import org.apache.spark.rpc.RpcTimeout;
import org.apache.spark.rpc.RpcTimeoutException;
import org.apache.spark.rpc.ThreadSafeRpcEndpoint;
import org.apache.spark.util.RpcUtils;
import scala.PartialFunction;
import scala.concurrent.duration.FiniteDuration;
import scala.jdk.javaapi.FutureConverters;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractPartialFunction;
import scala.runtime.BoxedUnit;

/**
 * Carries a {@link TrainListener}'s calls from rank 0 to the driver over Spark's own RPC: no extra
 * port, and whatever authentication and encryption Spark has. Messages hold JDK types only, so that
 * the driver's RPC needs no class of ours, however our jar was added.
 */
final class Progress implements AutoCloseable {
  private final RpcEnv env;
  private final RpcEndpointRef ref;
  private final AtomicReference<RuntimeException> failure = new AtomicReference<>();

  /** Registers on the driver under this name; calls reach the listener in order. */
  Progress(String name, TrainListener listener) {
    env = SparkEnv.get().rpcEnv();
    ref = env.setupEndpoint(name, new Endpoint(env, listener));
  }

  /** What the listener threw, or null; after it nothing more is delivered. */
  RuntimeException failure() {
    return failure.get();
  }

  @Override
  public void close() {
    env.stop(ref);
  }

  private static Map<String, Double> metrics(Object[] namesAndValues) {
    Map<String, Double> m = new TreeMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      m.put((String) namesAndValues[i], (Double) namesAndValues[i + 1]);
    }
    return m;
  }

  /** Calls the listener; whether it wants the training to end. */
  private boolean deliver(TrainListener listener, Object[] m) {
    if (failure.get() != null) {
      return false;
    }
    try {
      switch ((String) m[0]) {
        case "phase" -> listener.phase((String) m[1]);
        case "step" ->
            listener.step((Integer) m[1], (Integer) m[2], (Long) m[3], (Long) m[4], (Double) m[5]);
        case "epoch" ->
            listener.epoch(
                new EpochMetrics(
                    (Integer) m[1],
                    (Double) m[2],
                    (Double) m[3],
                    metrics((Object[]) m[4]),
                    (Long) m[5],
                    (Double) m[6]));
        default -> throw new IllegalStateException("train: unknown message: " + m[0]);
      }
      return listener.stopRequested();
    } catch (RuntimeException e) {
      failure.set(e); // the job's thread stops the training and throws it
      return false;
    }
  }

  /** The receiving end; public because Spark's dispatcher calls it through its interface. */
  private final class Endpoint implements ThreadSafeRpcEndpoint {
    private final RpcEnv env;
    private final TrainListener listener;

    Endpoint(RpcEnv env, TrainListener listener) {
      this.env = env;
      this.listener = listener;
    }

    @Override
    public RpcEnv rpcEnv() {
      return env;
    }

    @Override
    public PartialFunction<Object, BoxedUnit> receive() {
      return new Receive() {
        @Override
        void take(Object[] message) {
          deliver(listener, message);
        }
      };
    }

    /** The answer says whether to stop, and that everything before it was delivered. */
    @Override
    public PartialFunction<Object, BoxedUnit> receiveAndReply(RpcCallContext context) {
      return new Receive() {
        @Override
        void take(Object[] message) {
          boolean stop = deliver(listener, message);
          if (failure.get() == null) {
            context.reply(stop);
          } else { // which ends the worker, while the job's thread throws what the listener threw
            context.sendFailure(new IllegalStateException("train: the listener failed"));
          }
        }
      };
    }
  }

  private abstract static class Receive extends AbstractPartialFunction<Object, BoxedUnit> {
    abstract void take(Object[] message);

    @Override
    public boolean isDefinedAt(Object o) {
      return o instanceof Object[];
    }

    @Override
    public BoxedUnit apply(Object o) {
      take((Object[]) o);
      return BoxedUnit.UNIT;
    }
  }

  /** Rank 0's end. */
  static final class Sender implements TrainListener {
    private static final ClassTag<Boolean> ANSWER = ClassTag$.MODULE$.apply(Boolean.class);
    private final RpcEndpointRef ref;
    private final RpcTimeout patience; // less than that of the workers that wait for this one
    private volatile boolean stop;

    Sender(String name) {
      SparkEnv e = SparkEnv.get();
      long ms = Timeouts.of(e.conf()).stuckMs() * 9 / 10; // who speaks first is heard
      patience = new RpcTimeout(new FiniteDuration(ms, TimeUnit.MILLISECONDS), Timeouts.STUCK);
      ref = RpcUtils.makeDriverRef(name, e.conf(), e.rpcEnv());
    }

    @Override
    public void phase(String name) {
      ref.send(new Object[] {"phase", name});
    }

    @Override
    public void step(int epoch, int epochs, long rowsDone, long rowsTotal, double loss) {
      FutureConverters.asJava(
              ref.ask(new Object[] {"step", epoch, epochs, rowsDone, rowsTotal, loss}, ANSWER))
          .thenAccept(answer -> stop |= answer); // steps do not wait for it
    }

    @Override
    public void epoch(EpochMetrics m) {
      List<Object> metrics = new ArrayList<>();
      m.validationMetrics().forEach((name, v) -> metrics.addAll(List.of(name, v)));
      Object[] message = {
        "epoch",
        m.epoch(),
        m.trainLoss(),
        m.validationLoss(),
        metrics.toArray(),
        m.rows(),
        m.seconds()
      };
      try {
        stop |= ref.askSync(message, patience, ANSWER);
      } catch (Exception e) { // RpcTimeoutException is checked, but Scala does not say so
        if (!(e instanceof RpcTimeoutException)) {
          throw e;
        }
        throw new IllegalStateException(
            "train: the listener must answer while the workers wait, within "
                + patience.duration().toMillis()
                + " ms (nine tenths of "
                + Timeouts.STUCK
                + "): it did not after epoch "
                + m.epoch()
                + "; let another thread do its work, or raise the setting",
            e);
      }
    }

    @Override
    public boolean stopRequested() {
      return stop;
    }
  }
}
