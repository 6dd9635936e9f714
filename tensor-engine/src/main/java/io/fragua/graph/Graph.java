package io.fragua.graph;

import io.fragua.op.Op;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.Body;
import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * A function of tensors as data: inputs, constants and equations in an order in which each uses
 * only what came before. Values are numbered: first the inputs, then the constants, then the
 * results of the equations, in order. A graph travels to executors, is saved as JSON ({@link
 * GraphJson}), printed ({@link GraphPrinter}), differentiated and compiled. Immutable and
 * thread-safe; the constructor checks everything a hostile file could get wrong, so a graph that
 * exists is well formed.
 */
public final class Graph implements Body {
  /** A named operand of the function. */
  public record Input(String name, TensorType type) {}

  /**
   * One use of an op.
   *
   * @param inputs numbers of the values it reads
   * @param types of its results, always what the row's type rule says
   * @param custom what transforms see in place of this equation, a use of an op named {@link
   *     Op#CUSTOM}; null if they see this one. Not saved: a file holds what is computed
   */
  public record Equation(
      Op op, Attrs attrs, List<Integer> inputs, List<TensorType> types, Equation custom) {
    /** Copies the lists. */
    public Equation {
      inputs = List.copyOf(inputs);
      types = List.copyOf(types);
    }

    /** An equation that transforms see as it is. */
    public Equation(Op op, Attrs attrs, List<Integer> inputs, List<TensorType> types) {
      this(op, attrs, inputs, types, null);
    }

    /** An equation with one result that transforms see as it is. */
    public Equation(Op op, Attrs attrs, List<Integer> inputs, TensorType type) {
      this(op, attrs, inputs, List.of(type), null);
    }

    /**
     * The type of its only result.
     *
     * @throws IllegalArgumentException if there are several
     */
    public TensorType type() {
      Check.that(
          types.size() == 1,
          "equation: one result is asked for, there are several: %s gives %s; ask for all",
          op,
          types);
      return types.get(0);
    }

    /** What transforms see: this, or what a user put in its place. */
    public Equation rule() {
      return custom == null ? this : custom;
    }
  }

  /** A named result of the function. */
  public record Output(String name, int value) {}

  private final List<Input> inputs;
  private final List<Tensor> constants;
  private final List<Equation> equations;
  private final List<Output> outputs;

  /** Types of all values. */
  private final List<TensorType> types = new ArrayList<>();

  /** For each result of an equation, the equation's position and the value of its first result. */
  private final List<int[]> results = new ArrayList<>();

  private int hash;

  /**
   * Makes a graph; equation types are inferred again and compared.
   *
   * @throws IllegalArgumentException if names repeat, or a value is used before it exists
   * @throws io.fragua.tensor.ShapeException if an equation's operands do not fit its row
   */
  public Graph(
      List<Input> inputs, List<Tensor> constants, List<Equation> equations, List<Output> outputs) {
    this.inputs = List.copyOf(inputs);
    this.constants = List.copyOf(constants);
    this.equations = List.copyOf(equations);
    this.outputs = List.copyOf(outputs);
    Set<String> names = new HashSet<>();
    for (Input i : inputs) {
      Check.that(
          names.add(i.name()), "graph: input names are unique: \"%s\" twice; rename one", i.name());
    }
    names.clear();
    for (Output o : outputs) {
      Check.that(
          names.add(o.name()),
          "graph: output names are unique: \"%s\" twice; rename one",
          o.name());
    }
    inputs.forEach(i -> types.add(i.type()));
    constants.forEach(c -> types.add(c.type()));
    for (int i = 0; i < equations.size(); i++) {
      define(i);
    }
    for (Output o : outputs) {
      checkValue(o.value(), types.size(), "output " + o.name());
    }
  }

  private void define(int equation) {
    Equation e = equations.get(equation);
    int defined = types.size();
    List<TensorType> in = new ArrayList<>();
    for (int v : e.inputs()) {
      checkValue(v, defined, "equation %" + defined + " (" + e.op() + ")");
      in.add(type(v));
    }
    for (int v : e.rule().inputs()) {
      checkValue(v, defined, "equation %" + defined + " (" + e.rule().op() + ")");
    }
    List<TensorType> out = e.op().inferAll(in, e.attrs());
    Check.that(
        out.equals(e.types()),
        "graph: an equation's type must follow from its op: %s gives %s, stated %s; the graph is"
            + " damaged",
        e.op(),
        text(out),
        text(e.types()));
    int[] place = {equation, defined};
    out.forEach(t -> results.add(place));
    types.addAll(out);
  }

  private static String text(List<TensorType> types) {
    return types.size() == 1 ? types.get(0).toString() : types.toString();
  }

  private static void checkValue(int v, int defined, String who) {
    Check.that(
        v >= 0 && v < defined,
        "graph: a value must be defined before use: %s reads %%%d, %d are defined; the graph is"
            + " damaged",
        who,
        v,
        defined);
  }

  /** The operands, in order. */
  public List<Input> inputs() {
    return inputs;
  }

  /** Concrete tensors that belong to the function. */
  public List<Tensor> constants() {
    return constants;
  }

  /** The uses of ops, in order. */
  public List<Equation> equations() {
    return equations;
  }

  /** The results, in order. */
  public List<Output> outputs() {
    return outputs;
  }

  @Override
  public List<TensorType> inputTypes() {
    return inputs.stream().map(Input::type).toList();
  }

  @Override
  public List<Tensor> back(Op op, List<Tensor> g, List<Tensor> in, List<Tensor> out, Attrs attrs) {
    return op.name().equals("scan") ? ScanBack.back(g, in, attrs) : CondBack.back(g, in, attrs);
  }

  @Override
  public List<Tensor> batch(Op op, List<Tensor> in, List<Boolean> mapped, Attrs attrs) {
    return switch (op.name()) {
      case "scan" -> ControlBatching.scan(op, in, mapped, attrs);
      case "cond" -> ControlBatching.cond(op, in, mapped, attrs);
      default -> ControlBatching.whileLoop(op, in, mapped, attrs);
    };
  }

  /** Number of values: inputs, constants and results of equations together. */
  @Override
  public int values() {
    return types.size();
  }

  /** The type of a value. */
  @Override
  public TensorType type(int value) {
    return types.get(value);
  }

  /** The equation that defines a value, or null for an input or constant. */
  public Equation definition(int value) {
    int r = value - inputs.size() - constants.size();
    return r < 0 ? null : equations.get(results.get(r)[0]);
  }

  /** Which of its equation's results a value is; 0 for an input or constant. */
  public int result(int value) {
    int r = value - inputs.size() - constants.size();
    return r < 0 ? 0 : value - results.get(r)[1];
  }

  /** The constant that a value is, or null. */
  public Tensor constant(int value) {
    int c = value - inputs.size();
    return c >= 0 && c < constants.size() ? constants.get(c) : null;
  }

  /** Types of the results, in order. */
  @Override
  public List<TensorType> outputTypes() {
    return outputs.stream().map(o -> type(o.value())).toList();
  }

  /**
   * Position of the input of this name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public int input(String name) {
    for (int i = 0; i < inputs.size(); i++) {
      if (inputs.get(i).name().equals(name)) {
        return i;
      }
    }
    throw new IllegalArgumentException(
        "graph: no input of this name: \"" + name + "\", there are " + inputs + "; correct it");
  }

  /**
   * Position of the output of this name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public int output(String name) {
    for (int i = 0; i < outputs.size(); i++) {
      if (outputs.get(i).name().equals(name)) {
        return i;
      }
    }
    throw new IllegalArgumentException(
        "graph: no output of this name: \"" + name + "\", there are " + outputs + "; correct it");
  }

  /**
   * Applies the function equation by equation: at once on concrete tensors, recording on traced
   * ones.
   *
   * @return the results, in order
   */
  public List<Tensor> call(List<Tensor> arguments) {
    List<Tensor> v = evaluate(arguments);
    return outputs.stream().map(o -> v.get(o.value())).toList();
  }

  /** As {@link #call}, giving every value. */
  public List<Tensor> evaluate(List<Tensor> arguments) {
    return evaluate(arguments, Map.of());
  }

  /** As {@link #evaluate(List)}, taking these values, by number, as they are. */
  List<Tensor> evaluate(List<Tensor> arguments, Map<Integer, Tensor> known) {
    checkArguments(arguments.stream().map(Tensor::type).toList());
    List<Tensor> v = new ArrayList<>(values());
    v.addAll(arguments);
    Tensor traced = arguments.stream().filter(Tensor::isTraced).findFirst().orElse(null);
    for (Tensor c : constants) {
      v.add(traced == null ? c : c.lift(traced));
    }
    for (Equation equation : equations) {
      Equation e = traced == null ? equation : equation.rule();
      List<Tensor> in = e.inputs().stream().map(v::get).toList();
      List<Tensor> out =
          traced == null
              ? Tensor.applyAll(e.op(), e.attrs(), in)
              : Tensor.recordAll(e.op(), e.attrs(), in);
      if (traced == null && e.rule() != e) { // eager gradients go by the rule
        Equation r = e.rule();
        out = Tensor.remember(r.op(), r.attrs(), r.inputs().stream().map(v::get).toList(), out);
      }
      for (Tensor y : out) {
        v.add(known.getOrDefault(v.size(), y));
      }
    }
    return v;
  }

  /** True for a graph that computes the same in the same way, with the same names. */
  @Override
  public boolean equals(Object o) {
    return o == this
        || o instanceof Graph g
            && g.hashCode() == hashCode()
            && g.inputs.equals(inputs)
            && g.outputs.equals(outputs)
            && g.equations.equals(equations)
            && sameConstants(g);
  }

  private boolean sameConstants(Graph g) {
    boolean same = g.constants.size() == constants.size();
    for (int i = 0; same && i < constants.size(); i++) {
      Tensor a = constants.get(i);
      Tensor b = g.constants.get(i);
      same =
          a == b
              || a.type().equals(b.type()) && a.buffer().bytes().mismatch(b.buffer().bytes()) == -1;
    }
    return same;
  }

  @Override
  public int hashCode() {
    if (hash == 0) { // a race computes the same number twice
      hash = Objects.hash(inputs, outputs, equations);
    }
    return hash;
  }

  /** This graph without those inputs that are not kept, which nothing may use. */
  Graph without(boolean[] kept) {
    int[] now = new int[values()]; // numbers of values
    List<Input> rest = new ArrayList<>();
    for (int i = 0; i < kept.length; i++) {
      now[i] = rest.size();
      if (kept[i]) {
        rest.add(inputs.get(i));
      }
    }
    for (int v = kept.length; v < now.length; v++) {
      now[v] = v - kept.length + rest.size();
    }
    return new Graph(
        rest,
        constants,
        equations.stream().map(e -> renumbered(e, now)).toList(),
        outputs.stream().map(o -> new Output(o.name(), now[o.value()])).toList());
  }

  private static Equation renumbered(Equation e, int[] now) {
    return e == null
        ? null
        : new Equation(
            e.op(),
            e.attrs(),
            e.inputs().stream().map(v -> now[v]).toList(),
            e.types(),
            renumbered(e.custom(), now));
  }

  /**
   * Checks operand types against the inputs.
   *
   * @throws io.fragua.tensor.ShapeException naming the first input that does not fit
   */
  public void checkArguments(List<TensorType> given) {
    Check.shape(
        given.size() == inputs.size(),
        "graph: takes %d inputs: %d given; the inputs are %s",
        inputs.size(),
        given.size(),
        inputs);
    for (int i = 0; i < given.size(); i++) {
      Check.shape(
          given.get(i).equals(inputs.get(i).type()),
          "graph: input \"%s\" must be %s: %s given; reshape or cast it",
          inputs.get(i).name(),
          inputs.get(i).type(),
          given.get(i));
    }
  }

  /** The stable text form; see {@link GraphPrinter}. */
  @Override
  public String toString() {
    return GraphPrinter.print(this);
  }
}
