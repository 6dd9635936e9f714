package io.fragua.spark.estimator;

import io.fragua.nn.Layer;
import io.fragua.nn.Network;
import io.fragua.spark.param.EstimatorSetters;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.ShapeException;
import io.fragua.tensor.TensorType;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Whether a layer of the user's fits the columns: traced on types alone, so that a wrong one is
 * found before the training, and before any job where the columns' names say how wide they are.
 *
 * @param stage with which errors begin
 * @param layer of the user's
 */
record NetworkCheck(String stage, Layer layer) {
  /**
   * Checks it before the data are looked at; nothing is checked where only they tell the width.
   *
   * @param rows of a batch
   * @param allowed what its last axis may be; empty if only the data tell
   */
  void early(EstimatorSetters<?> p, int rows, List<Integer> allowed) {
    int[] shape = p.getFeaturesShape();
    if (p.readsFeaturesCol() && shape.length == 0) {
      return;
    }
    int columns = p.getCategoricalCols().length + p.getNumericCols().length;
    int width = p.getNumericCols().length + p.getCategoricalCols().length * p.getEmbeddingDim();
    if (p.readsFeaturesCol()) {
      width += IntStream.of(shape).reduce(1, (a, b) -> a * b);
    }
    boolean sparse = p.getSparseCols().length > 0;
    if (sparse) {
      width += p.getEmbeddingDim();
    }
    boolean axes = p.readsFeaturesCol() && columns == 0 && !sparse && shape.length > 1;
    int[] in = axes ? IntStream.concat(IntStream.of(rows), IntStream.of(shape)).toArray() : null;
    TensorType type =
        in == null ? TensorType.of(DType.F32, rows, width) : TensorType.of(DType.F32, in);
    check(Network.of(layer), List.of(type), rows, width, allowed);
  }

  /**
   * Checks what it gives.
   *
   * @param body it, or what it is a part of
   * @param inputs of that
   * @param features numbers of a row that reach it
   */
  void check(
      Network.Body body, List<TensorType> inputs, int rows, int features, List<Integer> allowed) {
    try {
      TensorType output = Network.outputType(body, inputs);
      Check.shape(
          output.shape().rank() == 2
              && output.shape().dim(0) == rows
              && (allowed.isEmpty() || allowed.contains(output.shape().dim(1)))
              && output.dtype() == DType.F32,
          "it must give f32[%d, %s] for f32[%d, %d]: it gives %s",
          rows,
          allowed.isEmpty()
              ? "classes"
              : allowed.stream().map(String::valueOf).collect(Collectors.joining(" or ")),
          rows,
          features,
          output);
    } catch (ShapeException e) {
      throw new IllegalArgumentException(
          stage
              + " network: the layer must fit the "
              + features
              + " features and the label: "
              + e.getMessage()
              + "; change the layer given to setNetwork",
          e);
    }
  }
}
