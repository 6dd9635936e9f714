package io.fragua.spark.estimator;

import io.fragua.arrow.OutputSpec;
import io.fragua.spark.param.ClassifierSetters;
import io.fragua.spark.persist.ModelData;
import io.fragua.spark.persist.ModelReader;
import io.fragua.tensor.Check;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import org.apache.spark.ml.attribute.AttributeGroup;
import org.apache.spark.ml.attribute.NominalAttribute;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.types.StructType;

/** What a {@link NeuralClassifier} has learnt: appends raw predictions, probabilities, a class. */
public final class NeuralClassificationModel extends NeuralModel<NeuralClassificationModel>
    implements ClassifierSetters<NeuralClassificationModel> {
  private static final long serialVersionUID = 1L;

  /** A name for service loaders, as Spark Connect's, which ask for one; it has learnt nothing. */
  public NeuralClassificationModel() {
    this("");
  }

  /** As the constructor without arguments, with a uid. */
  public NeuralClassificationModel(String uid) {
    this(uid, null, new ScoreBroadcasts());
  }

  NeuralClassificationModel(String uid, ModelData data, ScoreBroadcasts broadcasts) {
    super(uid, data, broadcasts);
  }

  @Override
  public NeuralClassificationModel self() {
    return this;
  }

  /** Number of classes. */
  public int numClasses() {
    return data().data().classes();
  }

  @Override
  NeuralClassificationModel create(String uid, ModelData data, ScoreBroadcasts broadcasts) {
    return new NeuralClassificationModel(uid, data, broadcasts);
  }

  private double[] chosenThresholds() {
    return isSet(thresholds()) ? getThresholds() : null;
  }

  @Override
  List<Object> variant() {
    double[] t = chosenThresholds();
    return t == null ? List.of() : List.copyOf(DoubleStream.of(t).boxed().toList());
  }

  @Override
  Map<String, Output> outputs() {
    int k = numClasses();
    double[] t = chosenThresholds();
    Map<String, Output> out = new LinkedHashMap<>();
    out.put(
        "rawPredictionCol",
        new Output(
            OutputSpec.Kind.VECTOR, c -> new AttributeGroup(c, k).toMetadata(), Objective::raw));
    out.put(
        "probabilityCol",
        new Output(
            OutputSpec.Kind.VECTOR,
            c -> new AttributeGroup(c, k).toMetadata(),
            Objective::probability));
    out.put(
        "predictionCol",
        new Output(
            OutputSpec.Kind.DOUBLE,
            c -> NominalAttribute.defaultAttr().withName(c).withNumValues(k).toMetadata(),
            z -> Objective.choice(z, t)));
    return out;
  }

  @Override
  public StructType transformSchema(StructType schema) {
    double[] t = chosenThresholds();
    Check.that(
        t == null || t.length == numClasses(),
        "NeuralClassificationModel thresholds: there must be one for each of the %d classes: %s;"
            + " set as many",
        numClasses(),
        Arrays.toString(t));
    return super.transformSchema(schema);
  }

  @Override
  String sizes() {
    return "numClasses=" + numClasses() + ", " + super.sizes();
  }

  /** A reader of saved models. */
  public static MLReader<NeuralClassificationModel> read() {
    return new ModelReader<>(
        NeuralClassificationModel.class,
        (uid, data) -> new NeuralClassificationModel(uid, data, new ScoreBroadcasts()));
  }

  /** Loads a saved model. */
  public static NeuralClassificationModel load(String path) {
    return read().load(path);
  }
}
