package io.fragua.op;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.Body;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Rows that apply functions: branches and loops. What a function captures is passed as further
 * operands, the constants of the loop.
 */
final class ControlOps {
  static final List<Op> ROWS =
      List.of(
          control(
              "cond",
              (Op.TypeRule.Many) ControlOps::condTypes,
              (Op.Vjp.Many) (g, in, out, a) -> a.body("on_true").back(cond(), g, in, out, a),
              (Op.Batch.Many) (op, in, mapped, a) -> a.body("on_true").batch(op, in, mapped, a),
              "If-16",
              "JAX lax.cond"),
          control(
              "while_loop",
              (Op.TypeRule.Many) ControlOps::whileTypes,
              Op.Vjp.refused(
                  "while_loop: has no derivative, for the number of its steps is not known when it"
                      + " is differentiated: a gradient was asked of a loop; use scan or foriLoop,"
                      + " or stop the gradient in front of the loop"),
              (Op.Batch.Many) (op, in, mapped, a) -> a.body("body").batch(op, in, mapped, a),
              "Loop-16",
              "JAX lax.while_loop"),
          control(
              "scan",
              (Op.TypeRule.Many) ControlOps::scanTypes,
              (Op.Vjp.Many) (g, in, out, a) -> a.body("body").back(scan(), g, in, out, a),
              (Op.Batch.Many) (op, in, mapped, a) -> a.body("body").batch(op, in, mapped, a),
              "Scan-16",
              "JAX lax.scan"));

  private ControlOps() {}

  private static Op control(
      String name, Op.TypeRule type, Op.Vjp vjp, Op.Batch batch, String onnx, String source) {
    return new Op(name, Family.CONTROL, -1, Rules.ANY, type, vjp, null, batch, null, onnx, source);
  }

  private static Op cond() {
    return OpTable.get("cond");
  }

  private static Op scan() {
    return OpTable.get("scan");
  }

  /** Operands: a bool scalar, then those of both branches. */
  private static List<TensorType> condTypes(Op op, List<TensorType> in, Attrs a) {
    scalar("cond: the condition", in.get(0));
    Body yes = a.body("on_true");
    Body no = a.body("on_false");
    takes("cond: the first branch", yes, in.subList(1, in.size()));
    takes("cond: the second branch", no, in.subList(1, in.size()));
    Check.shape(
        yes.outputTypes().equals(no.outputTypes()),
        "cond: both branches must give the same types: %s and %s; cast or reshape their results",
        yes.outputTypes(),
        no.outputTypes());
    return some(op, yes.outputTypes());
  }

  /**
   * Operands: {@code carries} values that the loop changes, {@code condition_consts} of the
   * condition, then those of the body.
   */
  private static List<TensorType> whileTypes(Op op, List<TensorType> in, Attrs a) {
    int n = count(in, a, "carries");
    List<TensorType> carries = in.subList(0, n);
    int m = count(in.subList(n, in.size()), a, "condition_consts");
    takes("while_loop: the condition", a.body("condition"), in.subList(0, n + m));
    List<TensorType> body = new ArrayList<>(carries);
    body.addAll(in.subList(n + m, in.size()));
    takes("while_loop: the body", a.body("body"), body);
    List<TensorType> c = a.body("condition").outputTypes();
    Check.shape(
        c.size() == 1, "while_loop: the condition must be one bool scalar: %s; reduce it", c);
    scalar("while_loop: the condition", c.get(0));
    keeps("while_loop", a.body("body").outputTypes(), carries);
    return some(op, carries);
  }

  /**
   * Operands: {@code carries} values that go from step to step, {@code xs} values of which step i
   * sees row i, then constants. Results: the last carries, rows of what the steps give besides, and
   * rows of those values of the body that {@code save} numbers.
   */
  private static List<TensorType> scanTypes(Op op, List<TensorType> in, Attrs a) {
    int n = count(in, a, "carries");
    int m = count(in.subList(n, in.size()), a, "xs");
    int length = a.integer("length");
    a.integer("reverse");
    Check.shape(length >= 0, "scan: length must not be negative: %d; correct it", length);
    List<TensorType> step = new ArrayList<>(in.subList(0, n));
    for (TensorType x : in.subList(n, n + m)) {
      Check.shape(
          x.shape().rank() >= 1 && x.shape().dim(0) == length,
          "scan: what is scanned over must have one row a step: %s for %d steps; slice or transpose"
              + " it, or correct length",
          x,
          length);
      step.add(x.with(x.shape().without(0)));
    }
    step.addAll(in.subList(n + m, in.size()));
    Body body = a.body("body");
    takes("scan: the body", body, step);
    List<TensorType> given = body.outputTypes();
    Check.shape(
        given.size() >= n,
        "scan: the body must give all carries: %s for %d of them; return them first",
        given,
        n);
    keeps("scan", given.subList(0, n), in.subList(0, n));
    List<TensorType> out = new ArrayList<>(given.subList(0, n));
    for (TensorType y : given.subList(n, given.size())) {
      out.add(rows(length, y));
    }
    for (int v : a.ints("save")) {
      Check.shape(
          v >= 0 && v < body.values(),
          "scan: save must number values of the body: %s of %d; the graph is damaged",
          Arrays.toString(a.ints("save")),
          body.values());
      out.add(rows(length, body.type(v)));
    }
    return some(op, out);
  }

  private static TensorType rows(int n, TensorType t) {
    return t.with(Shape.of(n).concat(t.shape()));
  }

  private static int count(List<TensorType> in, Attrs a, String name) {
    int n = a.integer(name);
    Check.shape(
        n >= 0 && n <= in.size(),
        "attrs: %s must count operands: %d of %d; the graph is damaged",
        name,
        n,
        in.size());
    return n;
  }

  private static void scalar(String who, TensorType t) {
    Check.shape(
        t.equals(TensorType.of(DType.BOOL)),
        "%s must be a bool scalar: %s; compare or reduce it",
        who,
        t);
  }

  private static void takes(String who, Body body, List<TensorType> in) {
    Check.shape(
        body.inputTypes().equals(in),
        "%s must take the types of its operands: %s for operands %s; cast or reshape them",
        who,
        body.inputTypes(),
        in);
  }

  private static void keeps(String who, List<TensorType> after, List<TensorType> before) {
    Check.shape(
        after.equals(before),
        "%s: a step must keep the types of the carries: %s become %s; cast or reshape what the body"
            + " returns",
        who,
        before,
        after);
  }

  private static List<TensorType> some(Op op, List<TensorType> results) {
    Check.shape(!results.isEmpty(), "%s: must have a result: none; return one", op);
    return results;
  }
}
