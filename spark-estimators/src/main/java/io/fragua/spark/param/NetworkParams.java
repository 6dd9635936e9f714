package io.fragua.spark.param;

import io.fragua.nn.Activations;
import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.ml.param.DoubleParam;
import org.apache.spark.ml.param.IntArrayParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.Param;

/** The shape of the network. */
public interface NetworkParams extends ParamFamily {
  /** Values of {@link #activation()}. */
  List<String> ACTIVATIONS = List.copyOf(Activations.names());

  /**
   * Units of each hidden layer, from input to output. Each at least 1; an empty array makes a
   * linear model. Default {@code [256, 128]}.
   */
  default IntArrayParam hiddenLayers() {
    return groups().network.hiddenLayers;
  }

  /** Activation after each hidden layer, one of {@link #ACTIVATIONS}. Default {@code "relu"}. */
  default Param<String> activation() {
    return groups().network.activation;
  }

  /**
   * Share of the units of each hidden layer that is left out at random in each training step. From
   * 0 to below 1. Default 0.
   */
  default DoubleParam dropout() {
    return groups().network.dropout;
  }

  /** Numbers that stand for one value of a categorical column. From 1 to 4096. Default 16. */
  default IntParam embeddingDim() {
    return groups().network.embeddingDim;
  }

  /** Value of {@link #hiddenLayers()}. */
  default int[] getHiddenLayers() {
    return getOrDefault(hiddenLayers()).clone();
  }

  /** Value of {@link #activation()}. */
  default String getActivation() {
    return getOrDefault(activation());
  }

  /** Value of {@link #dropout()}. */
  default double getDropout() {
    return (double) getOrDefault(dropout());
  }

  /** Value of {@link #embeddingDim()}. */
  default int getEmbeddingDim() {
    return (int) getOrDefault(embeddingDim());
  }

  /** The parameters. */
  final class Group implements Serializable {
    private static final long serialVersionUID = 1L;

    final IntArrayParam hiddenLayers;
    final Param<String> activation;
    final DoubleParam dropout;
    final IntParam embeddingDim;

    Group(Declare d) {
      hiddenLayers =
          d.integers(
              "hiddenLayers",
              "units of each hidden layer",
              "an array of numbers that are each at least 1; empty for a linear model",
              v -> Arrays.stream(v).allMatch(n -> n >= 1),
              256,
              128);
      activation = d.choice("activation", "activation of hidden layers", ACTIVATIONS, "relu");
      dropout =
          d.real(
              "dropout",
              "share of hidden units left out in a training step",
              "at least 0 and less than 1",
              v -> v >= 0 && v < 1,
              0);
      embeddingDim =
          d.integer(
              "embeddingDim",
              "numbers that stand for one value of a categorical column",
              "from 1 to 4096",
              v -> v >= 1 && v <= 4096,
              16);
    }
  }
}
