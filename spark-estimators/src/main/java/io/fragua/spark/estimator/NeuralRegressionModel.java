package io.fragua.spark.estimator;

import io.fragua.arrow.OutputSpec;
import io.fragua.spark.param.RegressorSetters;
import io.fragua.spark.persist.ModelData;
import io.fragua.spark.persist.ModelReader;
import java.util.Map;
import org.apache.spark.ml.attribute.NumericAttribute;
import org.apache.spark.ml.util.MLReader;

/** What a {@link NeuralRegressor} has learnt: appends the amount, in the label's units. */
public final class NeuralRegressionModel extends NeuralModel<NeuralRegressionModel>
    implements RegressorSetters<NeuralRegressionModel> {
  private static final long serialVersionUID = 1L;

  /** A name for service loaders, as Spark Connect's, which ask for one; it has learnt nothing. */
  public NeuralRegressionModel() {
    this("");
  }

  /** As the constructor without arguments, with a uid. */
  public NeuralRegressionModel(String uid) {
    this(uid, null, new ScoreBroadcasts());
  }

  NeuralRegressionModel(String uid, ModelData data, ScoreBroadcasts broadcasts) {
    super(uid, data, broadcasts);
  }

  @Override
  public NeuralRegressionModel self() {
    return this;
  }

  @Override
  NeuralRegressionModel create(String uid, ModelData data, ScoreBroadcasts broadcasts) {
    return new NeuralRegressionModel(uid, data, broadcasts);
  }

  @Override
  Map<String, Output> outputs() {
    return Map.of(
        "predictionCol",
        new Output(
            OutputSpec.Kind.DOUBLE,
            c -> NumericAttribute.defaultAttr().withName(c).toMetadata(),
            y -> y.reshape(y.shape().dim(0))));
  }

  /** A reader of saved models. */
  public static MLReader<NeuralRegressionModel> read() {
    return new ModelReader<>(
        NeuralRegressionModel.class,
        (uid, data) -> new NeuralRegressionModel(uid, data, new ScoreBroadcasts()));
  }

  /** Loads a saved model. */
  public static NeuralRegressionModel load(String path) {
    return read().load(path);
  }
}
