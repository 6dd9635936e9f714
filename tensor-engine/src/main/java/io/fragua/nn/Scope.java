package io.fragua.nn;

import io.fragua.random.Key;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.transform.Checkpoint;
import io.fragua.transform.Fn;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * Where a layer's parameters live while a network is initialised or applied: a path of names and
 * the values under it. Made by {@link Network}; valid during that one call, on its thread.
 */
public final class Scope {
  /** A parameter the network asked for. */
  record Wanted(Shape shape, Initializer initializer) {}

  /** A part that was applied, for {@link Network#table}. */
  record Part(String path, String kind, Tensor input, Tensor output) {}

  /** What one initialisation or application shares between all its scopes. */
  static final class Run {
    final ParamTree params;
    final ParamTree state;
    final Key key;
    final Tensor mask;
    final Map<String, Wanted> wanted = new LinkedHashMap<>();
    final Map<String, Wanted> wantedState = new LinkedHashMap<>();
    final Map<String, Tensor> newParams = new LinkedHashMap<>();
    final Map<String, Tensor> newState = new LinkedHashMap<>();
    final Map<String, RunningVariance> variances = new LinkedHashMap<>();
    final List<Part> parts = new ArrayList<>();
    private int keys;

    /** Null {@code params} means initialisation; null {@code key} means inference. */
    Run(ParamTree params, ParamTree state, Key key, Tensor mask) {
      this.params = params;
      this.state = state;
      this.key = key;
      this.mask = mask;
    }

    boolean initializing() {
      return params == null;
    }
  }

  /** What a layer gets in place of a parameter. */
  @FunctionalInterface
  interface Change {
    /**
     * Computes it.
     *
     * @param s the parameter's own scope, without a change, for what else is needed
     */
    Tensor apply(Scope s, String name, Tensor value);
  }

  private final Run run;
  private final String path;
  private final boolean shared;
  private final Set<String> taken;
  private final Change change;

  Scope(Run run) {
    this(run, "", false, new HashSet<>(), null);
  }

  private Scope(Run run, String path, boolean shared, Set<String> taken, Change change) {
    this.run = run;
    this.path = path;
    this.shared = shared;
    this.taken = taken;
    this.change = change;
  }

  /**
   * This scope, in which a layer and its parts get something else in place of their parameters. A
   * change around this one comes first.
   */
  Scope changed(Change c) {
    Change outer = change;
    Change both =
        outer == null ? c : (s, name, value) -> c.apply(s, name, outer.apply(s, name, value));
    return new Scope(run, path, shared, taken, both);
  }

  /**
   * A trained parameter: its current value, or a placeholder during initialisation.
   *
   * @param name unique in this scope, without dots
   * @return of this shape; f32 unless the network is applied with parameters of another dtype
   * @throws IllegalArgumentException if the name is taken, or there is no such parameter, or it has
   *     another shape
   */
  public Tensor param(String name, Shape shape, Initializer initializer) {
    Tensor value = plainParam(name, shape, initializer);
    Scope own = change == null ? null : new Scope(run, path, shared, taken, null);
    return change == null ? value : change.apply(own, name, value);
  }

  private Tensor plainParam(String name, Shape shape, Initializer initializer) {
    String full = take(name);
    if (!run.initializing()) {
      return fitting(full, run.params.get(full), shape);
    }
    Tensor known = run.newParams.get(full); // asked for again, in a shared scope
    if (known == null) {
      known = Tensor.input(new TensorType(DType.F32, shape));
      run.newParams.put(full, known);
      run.wanted.put(full, new Wanted(shape, initializer));
    }
    return fitting(full, known, shape);
  }

  /**
   * A value that is carried along but not trained, for instance a running mean.
   *
   * @param name unique in this scope, without dots
   * @param initial every element before the first update
   */
  public Tensor state(String name, Shape shape, double initial) {
    return state(name, shape, Initializers.constant(initial));
  }

  /**
   * As {@link #state(String, Shape, double)}, with a value that is drawn before the first update.
   */
  public Tensor state(String name, Shape shape, Initializer initial) {
    String full = take(name);
    if (!run.initializing()) {
      Tensor updated = run.newState.get(full);
      return fitting(full, updated != null ? updated : run.state.get(full), shape);
    }
    Tensor known =
        run.newState.computeIfAbsent(full, n -> Tensor.input(new TensorType(DType.F32, shape)));
    run.wantedState.put(full, new Wanted(shape, initial));
    return fitting(full, known, shape);
  }

  /**
   * Replaces a state of this scope from the next application on. Not within a function that the
   * body maps, loops over or compiles by itself, out of which the value does not come; {@link
   * Remat} brings it out of a checkpoint.
   *
   * @throws IllegalArgumentException if not training, or there is no such state, or the type
   *     differs
   */
  public void update(String name, Tensor value) {
    String full = path + name;
    Check.that(
        training(),
        "scope: state changes only in training: update of \"%s\"; test training() first",
        full);
    Check.that(
        value.type().equals(run.state.get(full).type()),
        "scope: a state keeps its type: \"%s\" is %s, update is %s; reshape or cast the update",
        full,
        run.state.get(full).type(),
        value.type());
    run.newState.put(full, value);
  }

  /**
   * Declares that one state of this scope is a running variance about another, its running mean.
   * Without it whoever computes a batch in parts takes the mean of the parts' states.
   *
   * @param gain how far both follow one batch: state = state + gain * (batch - state)
   */
  public void variance(String variance, String mean, double gain) {
    RunningVariance v = new RunningVariance(path + variance, path + mean, gain);
    run.variances.merge(v.variance(), v, RunningVariance::then);
  }

  /** True while training: dropout drops, statistics are of the batch. */
  public boolean training() {
    return run.key != null;
  }

  /**
   * A new key at every call, derived from the application's key and the number of calls before. A
   * loop or map calls its function once: for other numbers at each of its steps or rows, fold their
   * number in.
   *
   * @throws IllegalArgumentException if not training
   */
  public Key key() {
    Check.that(
        training(),
        "scope: random keys exist only in training: asked by \"%s\"; test training() first",
        path);
    return run.key.foldIn(run.keys++);
  }

  /** f32 [B]: 1 for real rows and 0 for padding; null if all rows are real. */
  public Tensor mask() {
    return run.mask;
  }

  /**
   * The scope of a part, whose names are this scope's, a dot, and its own.
   *
   * @throws IllegalArgumentException if the name is taken
   */
  public Scope child(String name) {
    return new Scope(run, take(name) + ".", shared, new HashSet<>(), change);
  }

  /**
   * Applies a layer in {@link #child} of this name: as {@code layer.apply(child(name), x)}, and a
   * line of {@link Network#table}.
   *
   * @throws IllegalArgumentException if the name is taken
   */
  public Tensor apply(String name, Layer layer, Tensor x) {
    return part(child(name), Sequential.text(layer), x, s -> layer.apply(s, x));
  }

  /** As {@link #apply}, for a part that takes more than {@code x}; {@code kind} is shown. */
  Tensor apply(String name, Object kind, Tensor x, Function<Scope, Tensor> f) {
    return part(child(name), kind.toString(), x, f);
  }

  private Tensor part(Scope s, String kind, Tensor x, Function<Scope, Tensor> f) {
    if (!run.initializing()) {
      return f.apply(s);
    }
    int at = run.parts.size();
    run.parts.add(null); // the whole stands before its parts
    Tensor y = f.apply(s);
    run.parts.set(at, new Part(s.path, kind, x, y));
    return y;
  }

  /** Applies a layer of which the gradient keeps the operands alone; what {@link Remat} does. */
  Tensor again(Layer layer, Tensor x) {
    if (run.initializing()) {
      return layer.apply(this, x);
    }
    // What the layer updates leaves the checkpoint as a result of it.
    Map<String, Tensor> before = new LinkedHashMap<>(run.newState);
    List<String> updated = new ArrayList<>();
    Fn f =
        args -> {
          List<Tensor> results = new ArrayList<>(List.of(layer.apply(this, args.get(0))));
          run.newState.forEach(
              (name, value) -> {
                if (value != before.get(name)) {
                  updated.add(name);
                  results.add(value);
                }
              });
          return results;
        };
    List<Tensor> results = Checkpoint.checkpoint(f).apply(List.of(x));
    for (int i = 0; i < updated.size(); i++) {
      run.newState.put(updated.get(i), results.get(1 + i));
    }
    return results.get(0);
  }

  /**
   * As {@link #child}, but its names, and this one, may be asked for again: layers applied twice
   * under one shared name use the same parameters, for instance the two towers of a siamese
   * network.
   *
   * @throws IllegalArgumentException if the name is taken by what is not shared
   */
  public Scope shared(String name) {
    checkName(name);
    unique(name, shared || !taken.contains(name));
    taken.add(name + ":"); // no name of a part
    return new Scope(run, path + name + ".", true, new HashSet<>(), change);
  }

  private String take(String name) {
    checkName(name);
    unique(name, shared || taken.add(name) && !taken.contains(name + ":"));
    return path + name;
  }

  private void unique(String name, boolean is) {
    Check.that(
        is,
        "scope: names are unique in a scope: \"%s\" twice; choose another name, or enter the part"
            + " with shared(name) to use its parameters twice",
        path + name);
  }

  private static void checkName(String name) {
    Check.that(
        !name.isEmpty() && name.indexOf('.') < 0 && name.indexOf(':') < 0,
        "scope: a name is not empty and has no dot or colon: \"%s\"; rename it",
        name);
  }

  private static Tensor fitting(String name, Tensor t, Shape shape) {
    Check.shape(
        t.shape().equals(shape),
        "scope: \"%s\" must be %s here: %s; initialise the network with inputs of these sizes",
        name,
        shape,
        t.shape());
    return t;
  }
}
