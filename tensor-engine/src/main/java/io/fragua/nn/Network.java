package io.fragua.nn;

import io.fragua.random.Key;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.transform.Fn;
import io.fragua.transform.Jit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Runs networks: finds their parameters, draws initial values, applies them. A network is a
 * function ({@link Body}) whose parameters and state are passed in and given back, so that it can
 * be traced, differentiated and compiled like any other.
 */
public final class Network {
  private Network() {}

  /** A function of some tensors with named parameters. */
  @FunctionalInterface
  public interface Body {
    /** Applies it. */
    Tensor apply(Scope s, List<Tensor> inputs);
  }

  /** As {@link Body}, with several results, for instance a cache beside the output. */
  @FunctionalInterface
  public interface Bodies {
    /** Applies it. */
    List<Tensor> apply(Scope s, List<Tensor> inputs);
  }

  /**
   * What a network needs to run.
   *
   * @param params trained
   * @param state carried along, for instance running means
   */
  public record Variables(ParamTree params, ParamTree state) {}

  /** What a network gives: its output and, after training, the new state. */
  public record Result(Tensor output, ParamTree state) {}

  /** The layer as a function of one input. Its names have no prefix. */
  public static Body of(Layer layer) {
    return (s, inputs) -> {
      Check.that(
          inputs.size() == 1,
          "network: a layer takes one input: %d given to %s; write a Body to combine several",
          inputs.size(),
          layer);
      return layer.apply(s, inputs.get(0));
    };
  }

  /**
   * Parameters and state with initial values. The network is traced on input types, so nothing is
   * computed on data; then all values are drawn by one compiled program. Equal keys give equal
   * values.
   *
   * @param key of the seed; parameter {@code i} is drawn with {@code key.foldIn(i)}, state {@code
   *     i} with {@code key.foldIn(n + i)} for n parameters
   */
  public static Variables init(Body body, List<TensorType> inputs, Key key) {
    Scope.Run run = trace(body, inputs);
    List<Scope.Wanted> wanted = new ArrayList<>(run.wanted.values());
    wanted.addAll(run.wantedState.values());
    Fn draw =
        args -> {
          List<Tensor> values = new ArrayList<>();
          for (Scope.Wanted w : wanted) {
            Key k = new Key(args.get(0)).foldIn(values.size());
            values.add(checked(w, w.initializer().draw(k, w.shape())));
          }
          return values;
        };
    List<Tensor> values = wanted.isEmpty() ? List.of() : Jit.jit(draw).apply(List.of(key.tensor()));
    int n = run.newParams.size();
    return new Variables(
        ParamTree.of(run.newParams).withLeaves(values.subList(0, n)),
        ParamTree.of(run.newState).withLeaves(values.subList(n, values.size())));
  }

  /**
   * Which of the network's states are running variances, in the order in which they are declared.
   * The others of several parts of a batch are averaged.
   *
   * @see Scope#variance
   */
  public static List<RunningVariance> variances(Body body, List<TensorType> inputs) {
    return List.copyOf(trace(body, inputs).variances.values());
  }

  /** What a network gives for inputs of these types, outside training; nothing is computed. */
  public static TensorType outputType(Body body, List<TensorType> inputs) {
    Scope.Run run = new Scope.Run(null, null, null, null);
    return body.apply(new Scope(run), inputs.stream().map(Tensor::input).toList()).type();
  }

  private static Tensor checked(Scope.Wanted w, Tensor value) {
    Check.shape(
        value.type().equals(new TensorType(DType.F32, w.shape())),
        "network: an initializer must give %s: %s; correct the initializer",
        new TensorType(DType.F32, w.shape()),
        value.type());
    return value;
  }

  private static Scope.Run trace(Body body, List<TensorType> inputs) {
    Scope.Run run = new Scope.Run(null, null, null, null);
    body.apply(new Scope(run), inputs.stream().map(Tensor::input).toList());
    return run;
  }

  /**
   * A table of the network's layers, for a batch of these types: input, output, number of
   * parameters and of floating point operations of one application, with what they add up to. A
   * layer has a line if it is applied by {@link Scope#apply} or {@link Sequential}, and stands
   * above its parts, which it includes; what belongs to no layer has a line {@code (network)}.
   * Moving and indexing count as no operations. A scan counts all its steps, a branch the longer
   * way, a while loop nothing, for nobody knows its steps.
   */
  public static String table(Body body, List<TensorType> inputs) {
    Scope.Run run = new Scope.Run(null, null, null, null);
    List<Tensor> operands = inputs.stream().map(Tensor::input).toList();
    Tensor result = body.apply(new Scope(run), operands);
    return LayerTable.of(run, operands, result);
  }

  /**
   * Applies a network to concrete or traced tensors.
   *
   * @param training true to drop, to use the batch's statistics and to update the state
   * @param key of this application; null if and only if not training
   * @param mask f32 [B], 1 for real rows and 0 for padding; null if all rows are real
   */
  public static Result apply(
      Body body, Variables variables, List<Tensor> inputs, boolean training, Key key, Tensor mask) {
    Check.that(
        training == (key != null),
        "network: training, and only it, needs a random key: training is %s, key is %s; pass a new"
            + " key for every step, or null",
        training,
        key == null ? "null" : "given");
    Check.shape(
        mask == null
            || mask.dtype() == DType.F32
                && mask.shape().rank() == 1
                && inputs.stream()
                    .allMatch(x -> x.shape().rank() > 0 && x.shape().dim(0) == mask.shape().dim(0)),
        "network: the mask must be f32 with one entry a row: %s for inputs %s; pass null if all"
            + " rows are real",
        mask == null ? null : mask.type(),
        inputs.stream().map(Tensor::type).toList());
    // A captured concrete key inside a trace would draw at once and leave the numbers in the graph.
    Key k = key;
    for (Tensor t : inputs) {
      k = k == null ? null : k.lift(t);
    }
    for (Tensor t : variables.params().leaves()) {
      k = k == null ? null : k.lift(t);
    }
    Scope.Run run = new Scope.Run(variables.params(), variables.state(), k, mask);
    Tensor output = body.apply(new Scope(run), inputs);
    checkUpdates(run, inputs);
    Map<String, Tensor> state = new LinkedHashMap<>(variables.state().asMap());
    state.putAll(run.newState);
    return new Result(output, ParamTree.of(state));
  }

  /** With concrete operands all is concrete but what is of a trace that has ended. */
  private static void checkUpdates(Scope.Run run, List<Tensor> inputs) {
    Stream<Tensor> given =
        Stream.of(inputs, run.params.leaves(), run.state.leaves()).flatMap(List::stream);
    if (given.noneMatch(Tensor::isTraced) && (run.key == null || !run.key.tensor().isTraced())) {
      run.newState.forEach(
          (name, value) ->
              Check.that(
                  !value.isTraced(),
                  "network: a state is updated outside of functions that the body maps, loops over"
                      + " or compiles: \"%s\" is updated inside of one; move the layer out of it",
                  name));
    }
  }

  /** As {@link #apply}, of a network with several results that is not training. */
  public static List<Tensor> call(Bodies body, Variables variables, List<Tensor> inputs) {
    Scope.Run run = new Scope.Run(variables.params(), variables.state(), null, null);
    return body.apply(new Scope(run), inputs);
  }

  /**
   * A table of the network's parameters and state: name, shape, number of elements, and the total.
   */
  public static String summary(Body body, List<TensorType> inputs) {
    Scope.Run run = trace(body, inputs);
    List<String[]> rows = new ArrayList<>();
    long[] total = {0};
    run.newParams.forEach((name, t) -> total[0] += row(rows, name, t.shape()));
    String count = String.valueOf(total[0]);
    run.newState.forEach((name, t) -> row(rows, name + " (state)", t.shape()));
    int name = 9;
    int shape = 5;
    int size = Math.max(8, count.length());
    for (String[] r : rows) {
      name = Math.max(name, r[0].length());
      shape = Math.max(shape, r[1].length());
      size = Math.max(size, r[2].length());
    }
    String format = "%-" + name + "s  %-" + shape + "s  %" + size + "s\n";
    StringBuilder s = new StringBuilder(String.format(format, "parameter", "shape", "elements"));
    rows.forEach(r -> s.append(String.format(format, (Object[]) r)));
    return s.append(String.format(format, "trained", "", count)).toString();
  }

  private static long row(List<String[]> rows, String name, Shape shape) {
    rows.add(new String[] {name, shape.toString(), String.valueOf(shape.size())});
    return shape.size();
  }
}
