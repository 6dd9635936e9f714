package io.fragua.nn;

import static io.fragua.nn.LayerCases.f32;
import static io.fragua.nn.LayerCases.row;

import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.List;

/** Rows of {@link LayerCases} over time. */
final class RecurrentLayerCases {
  /** The second row ends after two steps, the third has none. */
  private static final Tensor LENGTHS = Tensor.of(new int[] {4, 2, 0}, 3);

  private RecurrentLayerCases() {}

  static List<LayerCases.Case> all() {
    TensorType x = f32(3, 4, 2);
    return List.of(
        row("rnn", new Recurrent(new RnnCell(3)), "Recurrent(RnnCell(3, tanh))", x)
            .params("{" + params("", 1, false) + "}")
            .gives(f32(3, 4, 3))
            .golden(),
        row("lstm", new Recurrent(new LstmCell(3)), "Recurrent(LstmCell(3))", x)
            .params("{" + params("", 4, false) + "}")
            .gives(f32(3, 4, 3))
            .golden(),
        row("gru", new Recurrent(new GruCell(3)), "Recurrent(GruCell(3))", x)
            .params("{" + params("", 3, true) + "}")
            .gives(f32(3, 4, 3))
            .golden(),
        row(
                "lstm reversed",
                new Recurrent(new LstmCell(3), true),
                "Recurrent(LstmCell(3), reversed)",
                x)
            .params("{" + params("", 4, false) + "}")
            .gives(f32(3, 4, 3))
            .golden(),
        row(
                "lstm of no steps",
                new Recurrent(new LstmCell(3)),
                "Recurrent(LstmCell(3))",
                f32(3, 0, 2))
            .params("{" + params("", 4, false) + "}")
            .gives(f32(3, 0, 3))
            .done(),
        both("lstm both ways", new LstmCell(3), 4),
        both("gru both ways", new GruCell(3), 3),
        row(
                "gru both ways of lengths",
                (s, t) -> new Bidirectional(new GruCell(3)).run(s, t, LENGTHS.lift(t)).outputs(),
                null,
                x)
            .params("{" + params("forward.", 3, true) + ", " + params("backward.", 3, true) + "}")
            .gives(f32(3, 4, 6))
            .golden(),
        row(
                "lstm from states",
                (s, t) ->
                    new Recurrent(new LstmCell(3))
                        .run(s, t, null, List.of(step(t, 0), step(t, 1).mul(2)))
                        .outputs(),
                null,
                f32(3, 4, 3))
            .params("{" + params("", 4, false).replace("[2, ", "[3, ") + "}")
            .gives(f32(3, 4, 3))
            .golden(),
        row(
                "gru both ways from states",
                (s, t) ->
                    new Bidirectional(new GruCell(3))
                        .run(s, t, null, List.of(step(t, 0), step(t, 1).mul(2)))
                        .outputs(),
                null,
                f32(3, 4, 3))
            .params(
                "{"
                    + params("forward.", 3, true).replace("[2, ", "[3, ")
                    + ", "
                    + params("backward.", 3, true).replace("[2, ", "[3, ")
                    + "}")
            .gives(f32(3, 4, 6))
            .golden(),
        row(
                "two lstm layers",
                new Sequential(new Recurrent(new LstmCell(3)), new Recurrent(new LstmCell(3))),
                "Sequential(\n  Recurrent(LstmCell(3)),\n  Recurrent(LstmCell(3)))",
                f32(3, 4, 3))
            .params(
                "{"
                    + params("recurrent_0.", 4, false).replace("[2, ", "[3, ")
                    + ", "
                    + params("recurrent_1.", 4, false).replace("[2, ", "[3, ")
                    + "}")
            .gives(f32(3, 4, 3))
            .golden());
  }

  /** A step of a sequence as a state. */
  private static Tensor step(Tensor x, int i) {
    return x.slice(1, i, i + 1).reshape(x.shape().dim(0), x.shape().dim(2));
  }

  private static LayerCases.Case both(String name, RecurrentCell cell, int gates) {
    boolean gru = gates == 3;
    return row(name, new Bidirectional(cell), "Bidirectional(" + cell + ")", f32(3, 4, 2))
        .params("{" + params("forward.", gates, gru) + ", " + params("backward.", gates, gru) + "}")
        .gives(f32(3, 4, 6))
        .golden();
  }

  private static String params(String prefix, int gates, boolean recurrentBias) {
    int n = 3 * gates;
    return prefix
        + "kernel: f32[2, "
        + n
        + "], "
        + prefix
        + "recurrent_kernel: f32[3, "
        + n
        + "], "
        + prefix
        + "bias: f32["
        + n
        + "]"
        + (recurrentBias ? ", " + prefix + "recurrent_bias: f32[3]" : "");
  }
}
