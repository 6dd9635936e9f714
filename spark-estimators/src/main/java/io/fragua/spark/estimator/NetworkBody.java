package io.fragua.spark.estimator;

import io.fragua.arrow.InputColumn;
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
 *
 * <p>Outside training, if the table is small, the first layer's product is taken before the lookup:
 * every column's rows times its part of the kernel, then the looked-up products are added. That is
 * the same function of the same parameters, and since both stay the same, scoring computes the
 * products once. Training gains nothing, because its gradient is as wide as the layer.
 */
final class NetworkBody implements Network.Body {
  /** Numbers that stay in the cache of a core: 4 MB. */
  private static final long PRODUCTS = 1 << 20;

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
    Tensor ids = data.categories().isEmpty() ? null : inputs.get(inputs.size() - 1);
    Tensor x = data.width() == 0 ? null : prepared(inputs.get(0));
    return custom != null
        ? custom.apply(s.child("network"), concatenated(s, ids, x))
        : layers(s, ids, x);
  }

  private Embedding embedding() {
    return new Embedding(data.idCount(), params.getEmbeddingDim());
  }

  private Tensor concatenated(Scope s, Tensor ids, Tensor x) {
    List<Tensor> parts = new ArrayList<>();
    if (ids != null) {
      int width = data.categories().size() * params.getEmbeddingDim();
      Tensor rows = embedding().apply(s.child("embedding"), ids);
      parts.add(rows.reshape(ids.shape().dim(0), width));
    }
    if (x != null) {
      parts.add(x);
    }
    return Movement.concat(1, parts);
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
    double[] means = data.means();
    double[] deviations = data.deviations();
    float[] mean = new float[d];
    float[] scale = new float[d];
    int i = 0;
    for (InputColumn c : data.numbers()) {
      for (int end = i + c.width(); i < end; i++) {
        mean[i] = (float) (means[i] - c.origin());
        scale[i] = (float) (1 / deviations[i]);
      }
    }
    Tensor center = Tensor.of(mean, d);
    Tensor filled = x.equal(x).select(x, center);
    return data.standardized() ? filled.sub(center).mul(Tensor.of(scale, d)) : filled;
  }

  private Tensor layers(Scope s, Tensor ids, Tensor x) {
    int[] hidden = params.getHiddenLayers();
    Tensor y = null;
    for (int i = 0; i <= hidden.length; i++) {
      boolean last = i == hidden.length;
      Dense layer = new Dense(last ? outputs : hidden[i]);
      String name = last ? "output" : "hidden_" + i;
      if (i > 0) {
        y = layer.apply(s.child(name), y);
      } else if (ids != null
          && !s.training()
          && (long) data.idCount() * layer.units() <= PRODUCTS) {
        y = productFirst(s, name, layer, ids, x);
      } else {
        Tensor features = concatenated(s, ids, x);
        y = layer.apply(s.child(name), features);
      }
      if (!last) {
        y = Activations.get(params.getActivation()).apply(s, y);
        y = new Dropout(params.getDropout()).apply(s, y);
      }
    }
    return y;
  }

  /** The layer on what {@link #concatenated} would give. */
  private Tensor productFirst(Scope s, String name, Dense layer, Tensor ids, Tensor x) {
    Tensor table = embedding().table(s.child("embedding"));
    Scope scope = s.child(name);
    Tensor kernel = layer.kernel(scope, features());
    List<Tensor> products = new ArrayList<>();
    int width = params.getEmbeddingDim();
    int row = 0;
    for (InputColumn c : data.categories()) {
      int from = c.vocabulary().offset();
      Tensor rows = table.slice(0, from, from + c.vocabulary().size());
      products.add(rows.matmul(kernel.slice(0, row, row + width)));
      row += width;
    }
    Tensor sum = Movement.concat(0, products).gather(ids).sum(1);
    Tensor bias = layer.offset(scope, features());
    return x == null
        ? sum.add(bias)
        : sum.add(x.matmul(kernel.slice(0, row, features())).add(bias));
  }
}
