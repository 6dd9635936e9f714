package io.fragua.spark.estimator;

import io.fragua.arrow.InputColumn;
import io.fragua.nn.Activations;
import io.fragua.nn.Dense;
import io.fragua.nn.Dropout;
import io.fragua.nn.Embedding;
import io.fragua.nn.Initializer;
import io.fragua.nn.Initializers;
import io.fragua.nn.Layer;
import io.fragua.nn.Network;
import io.fragua.nn.Scope;
import io.fragua.spark.param.NetworkParams;
import io.fragua.spark.persist.DataDescription;
import io.fragua.tensor.Movement;
import io.fragua.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The network from tiles to its last layer, as a function of the inputs that exist: {@code x} [B,
 * D], {@code ids} [B, C], {@code sparse_ids} and {@code sparse_values} [B, S].
 *
 * <pre>
 * ids [B, C] -- embedding [B, C, E] -- reshape [B, C*E] --+
 *                                                         concat [B, F] -- hidden layers -- [B, K]
 * x [B, D] -- NaN to mean, (x - mean) / deviation --------+
 * </pre>
 *
 * <p>A layer of the user's gets [B, F], or [B, axes...] where there is nothing but one column whose
 * rows have several axes.
 *
 * <p>Pairs of a key and a value add to the first layer the rows of a table [keys, units], each
 * times its value: the product of the sparse rows with that layer's kernel. A layer of the user's
 * gets it {@code embeddingDim} wide behind the other features.
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

  /** Scope of the table that all categories share. */
  static final String EMBEDDING = "embedding";

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
    Iterator<Tensor> next = inputs.iterator();
    Tensor x = data.width() == 0 ? null : prepared(next.next());
    Tensor ids = data.categories().isEmpty() ? null : next.next();
    Sparse sparse = data.slots() == 0 ? null : new Sparse(next.next(), next.next());
    if (custom == null) {
      return layers(s, ids, x, sparse);
    }
    List<Tensor> parts = parts(s, ids, x);
    if (sparse != null) {
      parts.add(product(s, sparse, params.getEmbeddingDim()));
    }
    return custom.apply(s.child("network"), shaped(Movement.concat(1, parts)));
  }

  /** Ids and values of pairs, [B, S] each. */
  private record Sparse(Tensor ids, Tensor values) {}

  /**
   * The product of sparse rows with a table that has a row for each key, [B, width]: what a dense
   * layer would give for the rows written out, from the rows of the table that they name.
   */
  private Tensor product(Scope s, Sparse rows, int width) {
    int b = rows.ids().shape().dim(0);
    int slots = data.slots();
    Initializer init = known(data.sparse(), Initializers.uniform(1 / Math.sqrt(slots)));
    Tensor read =
        new Embedding(data.sparseIdCount(), width, init)
            .apply(s.shared(EMBEDDING).child("sparse"), rows.ids()); // beside that of categories
    return read.mul(rows.values().reshape(b, slots, 1)).sum(1);
  }

  /** In the shape of the only column, if that has axes of its own. */
  private Tensor shaped(Tensor features) {
    if (data.columns().size() > 1 || data.numbers().isEmpty()) {
      return features;
    }
    List<Integer> shape = data.numbers().get(0).shape();
    return shape.size() < 2
        ? features
        : features.reshape(
            IntStream.concat(IntStream.of(features.shape().dim(0)), shape.stream().mapToInt(n -> n))
                .toArray());
  }

  private Embedding embedding() {
    Initializer init = known(data.categories(), Initializers.normal(1));
    return new Embedding(data.idCount(), params.getEmbeddingDim(), init);
  }

  /**
   * Zeros for the unseen of each column: where no row of {@code fit} is one nothing is learnt, and
   * what was drawn would be noise in every score.
   */
  private static Initializer known(List<InputColumn> columns, Initializer init) {
    return (key, shape) -> {
      float[] seen = new float[shape.dim(0)];
      Arrays.fill(seen, 1);
      columns.forEach(c -> seen[c.vocabulary().offset()] = 0);
      return init.draw(key, shape).mul(Tensor.of(seen, seen.length, 1));
    };
  }

  private List<Tensor> parts(Scope s, Tensor ids, Tensor x) {
    List<Tensor> parts = new ArrayList<>();
    if (ids != null) {
      int width = data.categories().size() * params.getEmbeddingDim();
      Tensor rows = embedding().apply(s.shared(EMBEDDING), ids);
      parts.add(rows.reshape(ids.shape().dim(0), width));
    }
    if (x != null) {
      parts.add(x);
    }
    return parts;
  }

  /** Columns of the input of the layers that is dense. */
  private int dense() {
    return data.categories().size() * params.getEmbeddingDim() + data.width();
  }

  /** Columns of the input of a network of the user's. */
  int features() {
    return dense() + (data.slots() == 0 ? 0 : params.getEmbeddingDim());
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

  private Tensor layers(Scope s, Tensor ids, Tensor x, Sparse sparse) {
    int[] hidden = params.getHiddenLayers();
    Tensor y = null;
    for (int i = 0; i <= hidden.length; i++) {
      boolean last = i == hidden.length;
      Dense layer = new Dense(last ? outputs : hidden[i]);
      String name = last ? "output" : "hidden_" + i;
      y = i > 0 ? layer.apply(s.child(name), y) : first(s, name, layer, ids, x, sparse);
      if (!last) {
        y = Activations.get(params.getActivation()).apply(s, y);
        y = new Dropout(params.getDropout()).apply(s, y);
      }
    }
    return y;
  }

  private Tensor first(Scope s, String name, Dense layer, Tensor ids, Tensor x, Sparse sparse) {
    Tensor product = sparse == null ? null : product(s, sparse, layer.units());
    if (ids == null && x == null) {
      return product.add(layer.offset(s.child(name), data.slots()));
    }
    Tensor y;
    if (ids != null && !s.training() && (long) data.idCount() * layer.units() <= PRODUCTS) {
      y = productFirst(s, name, layer, ids, x);
    } else {
      Tensor features = Movement.concat(1, parts(s, ids, x));
      y = layer.apply(s.child(name), features);
    }
    return product == null ? y : y.add(product);
  }

  /** The layer on what {@link #parts} would give. */
  private Tensor productFirst(Scope s, String name, Dense layer, Tensor ids, Tensor x) {
    Tensor table = embedding().table(s.shared(EMBEDDING));
    Scope scope = s.child(name);
    Tensor kernel = layer.kernel(scope, dense());
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
    Tensor bias = layer.offset(scope, dense());
    return x == null ? sum.add(bias) : sum.add(x.matmul(kernel.slice(0, row, dense())).add(bias));
  }
}
