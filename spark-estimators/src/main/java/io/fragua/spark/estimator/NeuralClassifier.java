package io.fragua.spark.estimator;

import io.fragua.nn.Losses;
import io.fragua.spark.param.ClassifierSetters;
import io.fragua.spark.persist.DataDescription;
import io.fragua.spark.persist.EstimatorReader;
import io.fragua.spark.persist.ModelData;
import io.fragua.tensor.DType;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;

/**
 * Learns to tell classes apart: a feed-forward network over numbers and embedded categories,
 * trained inside the cluster with cross entropy. Labels are 0, 1, ..., K - 1 (or false and true).
 *
 * <pre>{@code
 * NeuralClassificationModel model =
 *     new NeuralClassifier()
 *         .setNumericCols("distance", "minute")
 *         .setCategoricalCols("origin", "carrier")
 *         .setLabelCol("late")
 *         .setEpochs(3)
 *         .fit(flights);
 * model.transform(flights).select("probability", "prediction").show();
 * }</pre>
 *
 * <p>Inputs are {@code numericCols} (one number each), {@code categoricalCols} (texts or integers,
 * a learnt vector of {@code embeddingDim} numbers each) and {@code featuresCol} (vectors or arrays,
 * all of one size). Together they make rows [B, F] for the {@code hiddenLayers}, by default 256 and
 * 128 units. Defaults and ranges of all parameters stand with their accessors, in {@link
 * io.fragua.spark.param} and in the module's README.
 *
 * <p>The model appends {@code rawPredictionCol} and {@code probabilityCol}, dense vectors of K
 * doubles, and {@code predictionCol}, the number of the most probable class as a double.
 */
public final class NeuralClassifier
    extends NeuralEstimator<NeuralClassifier, NeuralClassificationModel>
    implements ClassifierSetters<NeuralClassifier> {
  private static final long serialVersionUID = 1L;

  /** A classifier with default parameters. */
  public NeuralClassifier() {
    this(Identifiable$.MODULE$.randomUID("NeuralClassifier"));
  }

  /** A classifier of this uid, as Spark's readers need it. */
  public NeuralClassifier(String uid) {
    super(uid);
  }

  @Override
  public NeuralClassifier self() {
    return this;
  }

  @Override
  Objective objective() {
    return Objective.CLASSES;
  }

  @Override
  Objective.RowLoss rowLoss(DataDescription d) {
    return (output, label) ->
        output.shape().dim(1) == 1
            ? Losses.binaryCrossEntropyWithLogits(output.reshape(output.shape().dim(0)), label)
            : Losses.crossEntropyWithLogits(output, label.cast(DType.I32));
  }

  @Override
  NeuralClassifier create(String uid) {
    return new NeuralClassifier(uid);
  }

  @Override
  NeuralClassificationModel model(String uid, ModelData data) {
    return new NeuralClassificationModel(uid, data, new ScoreBroadcasts());
  }

  /** A reader of saved classifiers. */
  public static MLReader<NeuralClassifier> read() {
    return new EstimatorReader<>(NeuralClassifier.class, NeuralClassifier::new);
  }

  /** Loads a saved classifier. */
  public static NeuralClassifier load(String path) {
    return read().load(path);
  }
}
