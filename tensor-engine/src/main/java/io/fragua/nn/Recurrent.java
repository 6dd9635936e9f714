package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.transform.Control;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A cell taken over time: one loop, with the products of all inputs in front of it. Several layers
 * are a {@link Sequential} of these; both directions are a {@link Bidirectional}.
 *
 * <p>Shapes: x [B, T, in], result [B, T, units]. Parameters: those of the cell.
 *
 * @param cell what a step does
 * @param reverse true to go from the last step to the first; results are in the order of x all the
 *     same
 * @source Flax {@code RNN}
 */
public record Recurrent(RecurrentCell cell, boolean reverse) implements Layer {
  /**
   * All steps of a sequence.
   *
   * @param outputs [B, T, units]
   * @param states of the cell after the last step, each [B, units]
   */
  public record Result(Tensor outputs, List<Tensor> states) {}

  /** Checks the settings. */
  public Recurrent {
    check("recurrent", cell);
  }

  static void check(String who, RecurrentCell cell) {
    Settings.given(who, "a cell", cell);
    Check.that(
        cell.states() >= 1,
        "%s: the cell needs at least one state: %s has none; add one",
        who,
        cell);
  }

  /** Forward in time. */
  public Recurrent(RecurrentCell cell) {
    this(cell, false);
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    return run(s, x, null, null).outputs();
  }

  /**
   * Takes the cell over sequences.
   *
   * @param x [B, T, in]
   * @param lengths i32 [B], how many steps of each row are real, 0 to T; null if all are. At other
   *     steps the states stay and outputs are 0
   * @param initial states that the first step finds, each [B, units], all that the cell has; null
   *     for zeros
   * @throws io.fragua.tensor.ShapeException if they do not fit
   * @throws IndexOutOfBoundsException when computed, if a length is not in [0, T]
   */
  public Result run(Scope s, Tensor x, Tensor lengths, List<Tensor> initial) {
    Shape shape = x.shape();
    Check.shape(
        shape.rank() == 3 && x.dtype().isFloating(),
        "recurrent: input must be floating [B, T, in]: %s; reshape or cast it",
        x.type());
    int b = shape.dim(0);
    int t = shape.dim(1);
    RecurrentCell.Bound bound = cell.bind(s, shape.dim(2));
    Tensor inputs = bound.inputs(x.transpose(1, 0, 2)); // a row of the result is a step
    List<Tensor> start =
        start(initial, inputs, new TensorType(x.dtype(), Shape.of(b, cell.units())));
    List<Tensor> rows = new ArrayList<>(List.of(inputs));
    if (lengths != null) {
      Check.shape(
          lengths.dtype() == DType.I32 && lengths.shape().equals(Shape.of(b)),
          "recurrent: lengths must be i32 [B]: %s for %s; cast or reshape them",
          lengths.type(),
          x.type());
      Tensor step = inputs.iotaLike(DType.I32, Shape.of(t, b), 0);
      Tensor inside = Inside.of("recurrent", "length", lengths.lift(inputs), t + 1);
      rows.add(step.less(inside).expandDims(2));
    }
    Control.Step f = (states, row) -> step(bound, states, row);
    Control.Scan all = Control.scan(f, start, rows, t, reverse);
    return new Result(all.ys().get(0).transpose(1, 0, 2), all.carry());
  }

  private List<Tensor> start(List<Tensor> initial, Tensor inputs, TensorType state) {
    if (initial == null) {
      Tensor zeros = Tensor.scalar(state.dtype(), 0).lift(inputs).broadcastTo(state.shape());
      return Collections.nCopies(cell.states(), zeros);
    }
    List<TensorType> types = initial.stream().map(Tensor::type).toList();
    Check.shape(
        types.equals(Collections.nCopies(cell.states(), state)),
        "recurrent: %s starts from states of %s, as many as it has, %d: %s; give all states of a"
            + " run before, or null for zeros",
        cell,
        state,
        cell.states(),
        types);
    return initial;
  }

  private static Control.Scan step(
      RecurrentCell.Bound bound, List<Tensor> states, List<Tensor> row) {
    List<Tensor> next = bound.step(states, row.get(0));
    if (row.size() == 1) {
      return new Control.Scan(next, List.of(next.get(0)));
    }
    List<Tensor> kept = new ArrayList<>();
    for (int i = 0; i < next.size(); i++) {
      Tensor real = row.get(1).broadcastTo(next.get(i).shape());
      kept.add(real.select(next.get(i), states.get(i)));
    }
    Tensor real = row.get(1).broadcastTo(next.get(0).shape());
    Tensor zero = Tensor.scalar(next.get(0).dtype(), 0);
    return new Control.Scan(kept, List.of(real.select(next.get(0), zero)));
  }

  @Override
  public String toString() {
    return "Recurrent(" + cell + (reverse ? ", reversed)" : ")");
  }
}
