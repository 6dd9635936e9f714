package io.fragua.spark.estimator;

import io.fragua.nn.Activations;
import io.fragua.nn.Dense;
import io.fragua.nn.Dropout;
import io.fragua.nn.Embedding;
import io.fragua.nn.Layer;
import io.fragua.nn.Network;
import io.fragua.nn.Scope;
import io.fragua.spark.param.NetworkParams;
import io.fragua.spark.persist.DataDescription;
import io.fragua.tensor.Movement;
import io.fragua.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The network from tiles to its last layer, as a function of the inputs that exist: {@code x} [B,
 * D] and {@code ids} [B, C].
 *
 * <pre>
 * ids [B, C] -- embedding [B, C, E] -- reshape [B, C*E] --+
 *                                                         concat [B, F] -- hidden layers -- [B, K]
 * x [B, D] -- NaN to mean, (x - mean) / deviation --------+
 * </pre>
 *
 * <p>All categorical columns share one table: ids of different columns never meet, because each
 * column's ids start where the last one's end.
 */
final class NetworkBody implements Network.Body {
  private final DataDescription data;
  private final NetworkParams params;
  private final Layer custom;
  private final int outputs;

  /**
   * The network that these parameters describe, or a custom one.
   *
   * @param custom maps [B, F] to [B, outputs]; null for hidden layers and an output layer
   * @param outputs size of the last axis
   */
  NetworkBody(DataDescription data, NetworkParams params, Layer custom, int outputs) {
    this.data = data;
    this.params = params;
    this.custom = custom;
    this.outputs = outputs;
  }

  @Override
  public Tensor apply(Scope s, List<Tensor> inputs) {
    List<Tensor> parts = new ArrayList<>();
    int columns = data.categories().size();
    if (columns > 0) {
      Tensor ids = inputs.get(inputs.size() - 1);
      Embedding table = new Embedding(data.idCount(), params.getEmbeddingDim());
      parts.add(
          table
              .apply(s.child("embedding"), ids)
              .reshape(ids.shape().dim(0), columns * params.getEmbeddingDim()));
    }
    if (data.width() > 0) {
      parts.add(prepared(inputs.get(0)));
    }
    Tensor x = Movement.concat(1, parts);
    return custom != null ? custom.apply(s.child("network"), x) : layers(s, x);
  }

  /** Columns of the input of the layers. */
  int features() {
    return data.categories().size() * params.getEmbeddingDim() + data.width();
  }

  /**
   * NaN, which is what an invalid number that is kept is read as, becomes the mean. The constants
   * are part of the graph, so the saved model needs nothing else.
   */
  private Tensor prepared(Tensor x) {
    int d = data.width();
    float[] mean = new float[d];
    float[] scale = new float[d];
    for (int i = 0; i < d; i++) {
      mean[i] = (float) data.means()[i];
      scale[i] = (float) (1 / data.deviations()[i]);
    }
    Tensor means = Tensor.of(mean, d);
    Tensor filled = x.equal(x).select(x, means);
    return data.standardized() ? filled.sub(means).mul(Tensor.of(scale, d)) : filled;
  }

  private Tensor layers(Scope s, Tensor x) {
    int[] hidden = params.getHiddenLayers();
    Tensor y = x;
    for (int i = 0; i < hidden.length; i++) {
      y = new Dense(hidden[i]).apply(s.child("hidden_" + i), y);
      y = Activations.get(params.getActivation()).apply(s, y);
      y = new Dropout(params.getDropout()).apply(s, y);
    }
    return new Dense(outputs).apply(s.child("output"), y);
  }
}
