package io.fragua.spark.estimator;

import io.fragua.spark.param.ClassifierSetters;
import io.fragua.spark.persist.EstimatorReader;
import io.fragua.spark.persist.ModelData;
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
