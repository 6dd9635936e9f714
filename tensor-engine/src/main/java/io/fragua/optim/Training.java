package io.fragua.optim;

import io.fragua.exec.Allocator;
import io.fragua.exec.Backends;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Execution;
import io.fragua.exec.Profile;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.graph.Tracer;
import io.fragua.nn.Network;
import io.fragua.nn.ParamTree;
import io.fragua.random.Key;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.transform.Fn;
import io.fragua.transform.SparseGrad;
import io.fragua.transform.SparseRows;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * What to train, how to measure it and how to improve it. {@link #start} compiles one step
 * (forward, backward, update) into one program, whose parameters, optimizer state and running
 * statistics stay in its memory from step to step.
 *
 * @param body the network
 * @param loss of a batch
 * @param optimizer turns gradients into updates
 * @param sparse names of the tables of {@link #withSparse}
 */
public record Training(
    Network.Body body, Loss loss, GradientTransform optimizer, Predicate<String> sparse) {
  /** With ordinary gradients of all parameters. */
  public Training(Network.Body body, Loss loss, GradientTransform optimizer) {
    this(body, loss, optimizer, name -> false);
  }

  /**
   * The same with lazy steps of some tables, as {@link SparseUpdates} says: only rows that a step
   * has looked up are touched, so the time of a step does not depend on the size of a table.
   *
   * @param tables accepts names of parameters that the network reads by {@code gather} alone, as
   *     {@link io.fragua.nn.Embedding} does, for instance {@code n -> n.startsWith("embedding_")};
   *     always the same answer for one name
   */
  public Training withSparse(Predicate<String> tables) {
    return new Training(body, loss, optimizer, tables);
  }

  /** How wrong an output is. */
  @FunctionalInterface
  public interface Loss {
    /**
     * The loss of a batch.
     *
     * @param output of the network
     * @param targets what belongs to it, in the order given to {@link Run#step}
     * @return an f32 scalar
     */
    Tensor apply(Tensor output, List<Tensor> targets);
  }

  /**
   * Compiles the step.
   *
   * @param start initial values, for instance of {@link Network#init}; copied
   * @param inputs types of the network's operands, batch included: a step of another size is
   *     another run
   * @param targets types of what the loss compares with
   * @param key step {@code i} draws with {@code key.foldIn(i)}, so equal keys give equal runs
   * @param options precision and threads; what they say of donated and fixed operands is not used
   * @throws io.fragua.tensor.ShapeException if network, loss and types do not fit
   */
  public Run start(
      Network.Variables start,
      List<TensorType> inputs,
      List<TensorType> targets,
      Key key,
      CompileOptions options) {
    return start(start, optimizer.init(start.params()), 0, inputs, targets, key, options);
  }

  /**
   * As {@link #start(Network.Variables, List, List, Key, CompileOptions)}, going on from a run
   * before: with its variables, optimizer state, number of steps and key it takes the steps that
   * the run would have taken.
   *
   * @param state of the optimizer, {@link Run#optimizerState}; copied
   * @param steps taken before
   * @throws IllegalArgumentException if the state is not one of this optimizer and network
   */
  public Run start(
      Network.Variables start,
      ParamTree state,
      int steps,
      List<TensorType> inputs,
      List<TensorType> targets,
      Key key,
      CompileOptions options) {
    String expected = optimizer.init(start.params()).toString();
    Check.that(
        state.toString().equals(expected),
        "training: a run goes on from the state that its optimizer makes: %s for %s; give"
            + " optimizerState() of a run with the same optimizer",
        state,
        expected);
    ParamTree kept =
        start
            .params()
            .prefixed("param:")
            .concat(state.prefixed("opt:"))
            .concat(start.state().prefixed("state:"));
    return new Run(this, kept, steps, inputs, targets, key, options);
  }

  /** Operands in the order of the program: what is kept, the batch, the step's number. */
  private Graph graph(ParamTree kept, List<TensorType> inputs, List<TensorType> targets, Key key) {
    List<Graph.Input> in = new ArrayList<>();
    kept.asMap().forEach((name, t) -> in.add(new Graph.Input(name, t.type())));
    inputs.forEach(t -> in.add(new Graph.Input("input" + (in.size() - kept.size()), t)));
    targets.forEach(
        t -> in.add(new Graph.Input("target" + (in.size() - kept.size() - inputs.size()), t)));
    in.add(new Graph.Input("step", TensorType.of(DType.I32)));
    List<String> out = new ArrayList<>(List.of("loss"));
    out.addAll(kept.names());
    int n = kept.size();
    return Tracer.trace(
        in,
        out,
        args -> {
          ParamTree old = kept.withLeaves(args.subList(0, n));
          List<Tensor> batch = args.subList(n, args.size() - 1);
          Key now = key.foldIn(args.get(args.size() - 1));
          return step(
              old,
              batch.subList(0, inputs.size()),
              batch.subList(inputs.size(), batch.size()),
              now);
        });
  }

  private List<Tensor> step(ParamTree old, List<Tensor> inputs, List<Tensor> targets, Key key) {
    ParamTree params = old.under("param:");
    int n = params.size();
    ParamTree state = old.under("state:");
    Fn value =
        leaves -> {
          Network.Variables v = new Network.Variables(params.withLeaves(leaves), state);
          Network.Result r = Network.apply(body, v, inputs, true, key, null);
          List<Tensor> results = new ArrayList<>(List.of(scalar(loss.apply(r.output(), targets))));
          results.addAll(r.state().leaves());
          return results;
        };
    List<String> names = params.names();
    int[] tables = IntStream.range(0, n).filter(i -> sparse.test(names.get(i))).toArray();
    int[] dense = IntStream.range(0, n).filter(i -> !sparse.test(names.get(i))).toArray();
    List<Tensor> r = SparseGrad.valueAndGrad(value, dense, tables).apply(params.leaves());
    Iterator<Tensor> grads = r.subList(1 + state.size(), r.size()).iterator();
    Map<String, Tensor> slopes = new LinkedHashMap<>();
    IntStream.of(dense).forEach(i -> slopes.put(names.get(i), grads.next()));
    Map<String, SparseRows> rows = new LinkedHashMap<>();
    IntStream.of(tables)
        .forEach(i -> rows.put(names.get(i), new SparseRows(grads.next(), grads.next())));
    SparseUpdates.Step next =
        SparseUpdates.apply(optimizer, ParamTree.of(slopes), rows, old.under("opt:"), params);
    List<Tensor> results = new ArrayList<>(List.of(r.get(0)));
    results.addAll(next.params().leaves());
    results.addAll(next.state().leaves());
    results.addAll(r.subList(1, 1 + state.size()));
    return results;
  }

  private static Tensor scalar(Tensor loss) {
    Check.shape(
        loss.type().equals(new TensorType(DType.F32, Shape.SCALAR)),
        "training: a loss must be an f32 scalar: %s; reduce it, for instance with mean()",
        loss.type());
    return loss;
  }

  /** A training under way. Not thread-safe. Closing it frees its memory. */
  public static final class Run implements AutoCloseable {
    private final ParamTree kept;
    private final int first;
    private final List<TensorType> batch;
    private final Allocator memory = new Allocator("training");
    private final Map<String, Buffer> buffers = new LinkedHashMap<>();
    private final Program program;
    private Execution execution;
    private int steps;
    private boolean closed;

    private Run(
        Training t,
        ParamTree kept,
        int steps,
        List<TensorType> inputs,
        List<TensorType> targets,
        Key key,
        CompileOptions options) {
      this.kept = kept;
      this.steps = steps;
      first = kept.size();
      batch = new ArrayList<>(inputs);
      batch.addAll(targets);
      Map<Integer, Integer> donated = new HashMap<>();
      for (int i = 0; i < first; i++) {
        donated.put(1 + i, i);
      }
      Graph graph = t.graph(kept, inputs, targets, key);
      program =
          Backends.cpu().compile(graph, options.withDonated(donated).withFixed(java.util.Set.of()));
      try {
        execution = program.newExecution(memory);
        int i = 0;
        for (Map.Entry<String, Tensor> e : kept.asMap().entrySet()) {
          Buffer b = memory.allocate(e.getValue().type().byteSize());
          buffers.put(e.getKey(), b);
          b.copyFrom(e.getValue().buffer());
          execution.bindInput(i, b);
          execution.bindOutput(1 + i, b);
          i++;
        }
      } catch (RuntimeException | Error e) {
        close();
        throw e;
      }
    }

    /**
     * One step on one batch.
     *
     * @param batch concrete: the network's operands, then the loss's targets, of the types given at
     *     the start
     * @return the loss before the step
     * @throws io.fragua.tensor.ShapeException if the batch has other types
     */
    public double step(Tensor... batch) {
      bind(batch);
      steps++;
      execution.run();
      return execution.output(0).bytes().getFloat(0);
    }

    /**
     * Where the time of steps goes: takes so many on one batch, as {@link #step} does, with a clock
     * read around each step of the program.
     *
     * @param runs steps to take, at least 1
     * @param batch as in {@link #step}
     * @throws IllegalArgumentException if {@code runs} is less than 1
     * @throws io.fragua.tensor.ShapeException if the batch has other types
     */
    public Profile profile(int runs, Tensor... batch) {
      Check.that(runs >= 1, "profile: needs at least one run: %d; correct it", runs);
      List<Profile.Event> events = new ArrayList<>();
      List<Profile.Step> parts = List.of();
      long began = System.nanoTime();
      for (int r = 0; r < runs; r++) {
        bind(batch);
        steps++;
        long at = System.nanoTime() - began;
        Profile one = execution.profile(1);
        one.events()
            .forEach(e -> events.add(new Profile.Event(e.step(), at + e.start(), e.nanos())));
        parts = one.steps();
      }
      return new Profile(runs, parts, events);
    }

    private void bind(Tensor... batch) {
      Check.shape(
          java.util.Arrays.stream(batch).map(Tensor::type).toList().equals(this.batch),
          "training: a batch must have the types given at the start, %s: %s; pad it, or start"
              + " another run",
          this.batch,
          java.util.Arrays.stream(batch).map(Tensor::type).toList());
      for (int i = 0; i < batch.length; i++) {
        execution.bindInput(first + i, batch[i].buffer());
      }
      execution.input(first + batch.length).bytes().putInt(0, steps);
    }

    /** Steps taken, those before this run included. */
    public int steps() {
      return steps;
    }

    /**
     * Parameters and running statistics after the last step; copies.
     *
     * @throws IllegalStateException if the run is closed
     */
    public Network.Variables variables() {
      return new Network.Variables(now("param:"), now("state:"));
    }

    /**
     * What the optimizer remembers after the last step, by the names of {@link
     * GradientTransform#init}; copies. For instance the averages of {@link Wrappers#paramsEma}, or,
     * with parameters and statistics, all that a run goes on from.
     *
     * @throws IllegalStateException if the run is closed
     */
    public ParamTree optimizerState() {
      return now("opt:");
    }

    private ParamTree now(String prefix) {
      if (closed) {
        throw new IllegalStateException("training: must be open: it is closed; start another run");
      }
      Map<String, Tensor> now = new LinkedHashMap<>();
      buffers.forEach(
          (name, b) -> {
            if (name.startsWith(prefix)) {
              Buffer copy = Buffer.collected(b.size());
              copy.copyFrom(b);
              now.put(name, Tensor.of(kept.get(name).type(), copy));
            }
          });
      return ParamTree.of(now).under(prefix);
    }

    /** Planned memory beside parameters, state and batch: {@link Program#workspaceBytes}. */
    public long workspaceBytes() {
      return program.workspaceBytes();
    }

    /** The compiled step for people: {@link Program#explain}. */
    public String explain() {
      return program.explain();
    }

    @Override
    public void close() {
      closed = true;
      if (execution != null) {
        execution.close();
      }
      buffers.values().forEach(memory::free);
      buffers.clear();
      program.close();
      memory.close();
    }
  }
}
