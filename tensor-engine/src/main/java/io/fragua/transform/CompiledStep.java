package io.fragua.transform;

import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.op.Family;
import io.fragua.op.Op;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/** A compiled program as one step of eager gradients, with a compiled program that goes back. */
final class CompiledStep {
  private CompiledStep() {}

  /** Positions of the operands that require a gradient. */
  static List<Integer> tracked(List<Tensor> args) {
    return IntStream.range(0, args.size()).filter(i -> args.get(i).isTracked()).boxed().toList();
  }

  /**
   * From the operands and a gradient for each result to the gradients of these operands. It
   * computes the function again, for nothing is kept of its values.
   */
  static Graph back(Graph g, List<Integer> wrt) {
    List<TensorType> types = new ArrayList<>(g.inputTypes());
    int n = types.size();
    types.addAll(g.outputTypes());
    int[] positions = wrt.stream().mapToInt(i -> i).toArray();
    return Jit.graph(
        a -> Grad.pullBack(g, g.evaluate(a.subList(0, n)), a.subList(n, a.size()), positions),
        types);
  }

  /**
   * Runs a program; its results remember how to go back.
   *
   * @param back runs what is compiled from what {@link #back} gives
   */
  static List<Tensor> run(
      Program p, List<Tensor> args, List<Integer> wrt, UnaryOperator<List<Tensor>> back) {
    List<TensorType> types = p.graph().outputTypes();
    Op op =
        new Op(
            "jit",
            Family.CONTROL,
            -1,
            EnumSet.allOf(DType.class),
            (Op.TypeRule.Many) (o, in, a) -> types,
            (Op.Vjp.Many) (g, in, out, a) -> pullBack(types, wrt, back, g, in),
            null,
            null,
            null,
            "none: it is what its function is",
            "JAX jax.jit");
    List<Tensor> results = Jit.run(p, args.stream().map(Tensor::detach).toList());
    return Tensor.remember(op, Attrs.NONE, args, results);
  }

  private static List<Tensor> pullBack(
      List<TensorType> types,
      List<Integer> wrt,
      UnaryOperator<List<Tensor>> back,
      List<Tensor> g,
      List<Tensor> in) {
    List<Tensor> operands = new ArrayList<>(in);
    for (int i = 0; i < types.size(); i++) {
      operands.add(g.get(i) == null ? Tensor.full(types.get(i), 0) : g.get(i));
    }
    Tensor[] grads = new Tensor[in.size()];
    List<Tensor> given = back.apply(operands);
    for (int i = 0; i < given.size(); i++) {
      grads[wrt.get(i)] = given.get(i);
    }
    return java.util.Arrays.asList(grads);
  }
}
