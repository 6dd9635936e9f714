package io.fragua.spark.estimator;

import io.fragua.arrow.BatchedGraph;
import io.fragua.arrow.InputColumn;
import io.fragua.exec.Devices;
import io.fragua.exec.Precision;
import io.fragua.nn.Layer;
import io.fragua.nn.Network;
import io.fragua.nn.ParamTree;
import io.fragua.optim.GradientTransform;
import io.fragua.random.Key;
import io.fragua.spark.param.Declare;
import io.fragua.spark.param.EstimatorSetters;
import io.fragua.spark.param.ParamGroups;
import io.fragua.spark.persist.DataDescription;
import io.fragua.spark.persist.ModelData;
import io.fragua.spark.train.BarrierTrainer;
import io.fragua.spark.train.Checkpoints;
import io.fragua.spark.train.Distribution;
import io.fragua.spark.train.Recovery;
import io.fragua.spark.train.TrainListener;
import io.fragua.spark.train.TrainRequest;
import io.fragua.spark.train.TrainResult;
import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.spark.ml.Estimator;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.DefaultParamsWriter;
import org.apache.spark.ml.util.MLWritable;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What learning classes and learning amounts share. {@code fit} checks the schema, learns
 * statistics in one pass, builds the network, hands its graphs to the trainer and returns a model.
 * It needs no memory for rows on the driver.
 *
 * <p>Not thread-safe while parameters are set; {@code fit} may be called from many threads.
 *
 * @param <E> the estimator's own class
 * @param <M> its model
 */
public abstract class NeuralEstimator<E extends NeuralEstimator<E, M>, M extends NeuralModel<M>>
    extends Estimator<M> implements EstimatorSetters<E>, MLWritable {
  private static final long serialVersionUID = 1L;
  private static final Logger LOG = LoggerFactory.getLogger(NeuralEstimator.class);

  /** Parameters that do not change what is learnt: a checkpoint may be of other values. */
  private static final Set<String> NOT_OF_TRAINING =
      Set.of(
          "checkpointDir",
          "checkpointInterval",
          "checkpointSteps",
          "checkpointsKept",
          "maxRetries",
          "inferenceBatchSize",
          "predictionCol",
          "probabilityCol",
          "rawPredictionCol",
          "thresholds");

  private final String uid; // before the groups: each parameter remembers its owner's uid
  private final ParamGroups groups;
  private OwnNetwork own = new OwnNetwork(null);
  private transient TrainListener listener = TrainListener.NONE;

  NeuralEstimator(String uid) {
    this.uid = uid;
    this.groups = new ParamGroups(this);
  }

  @Override
  public String uid() {
    return uid;
  }

  @Override
  public ParamGroups groups() {
    return groups;
  }

  /** What is predicted. */
  abstract Objective objective();

  /** What training makes small. */
  abstract Objective.RowLoss rowLoss(DataDescription d);

  /** An estimator of this class without set parameters. */
  abstract E create(String newUid);

  /** A model of this estimator's kind. */
  abstract M model(String modelUid, ModelData data);

  /**
   * A network of your own in place of hidden layers and output layer: it maps [B, F] to [B, K],
   * where F counts the standardised numbers and {@code embeddingDim} for each categorical column.
   * If nothing but {@code featuresCol} is read and its rows have several axes, as images, it gets
   * these in place of F, [B, height, width, channels]. K is the number of classes (1 or 2 for two
   * classes) or 1 for an amount. It is traced on the driver; the graph travels, not the layer. An
   * estimator with such a network cannot be saved, its model can; Java's serialization leaves the
   * network behind.
   *
   * @param layer null for the network that the parameters describe
   */
  public E setNetwork(Layer layer) {
    own = new OwnNetwork(layer);
    return self();
  }

  private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
    in.defaultReadObject();
    listener = TrainListener.NONE;
  }

  /**
   * Hears, on the driver, how {@code fit} goes: phases ({@code statistics}, {@code compile}, then
   * those of the trainer), steps, epochs, retries; and may end it, see {@link
   * TrainListener#stopRequested}. Not a parameter: not saved, but kept by {@code copy}.
   */
  public E setListener(TrainListener value) {
    listener = value == null ? TrainListener.NONE : value;
    return self();
  }

  private String stage() {
    return getClass().getSimpleName();
  }

  /**
   * Checks parameters and columns against each other and appends the model's columns.
   *
   * @throws IllegalArgumentException saying which parameter and column do not fit
   */
  @Override
  public StructType transformSchema(StructType schema) {
    SchemaChecks checks = new SchemaChecks(stage(), schema);
    checks.checkInputs(this);
    checks.checkNumber("labelCol", getLabelCol(), objective() == Objective.CLASSES, this);
    if (!getWeightCol().isEmpty()) {
      checks.checkNumber("weightCol", getWeightCol(), false, this);
    }
    boolean indicator = !getValidationIndicatorCol().isEmpty();
    if (indicator) {
      checks.checkTruth("validationIndicatorCol", getValidationIndicatorCol(), this);
    }
    Check.that(
        !indicator || getValidationFraction() == 0,
        "%s validationFraction: is for data without an indicator: validationIndicatorCol is \"%s\""
            + " and validationFraction %s; set one of them",
        stage(),
        getValidationIndicatorCol(),
        getValidationFraction());
    Check.that(
        getPatience() == 0 || indicator || getValidationFraction() > 0,
        "%s patience: needs validation rows: patience is %d without any; set validationFraction or"
            + " validationIndicatorCol, or patience to 0",
        stage(),
        getPatience());
    Check.that(
        getNumWorkers() <= getBatchSize(),
        "%s numWorkers: every worker needs a row of each batch: %d workers, batchSize %d; use fewer"
            + " workers or a larger batch",
        stage(),
        getNumWorkers(),
        getBatchSize());
    ClassBalance.check(stage(), this);
    Check.that(
        !getDeterministic() || getNumWorkers() <= Distribution.shards(getBatchSize()),
        "%s deterministic: each worker needs a part of every batch: %d workers, batchSize %d is cut"
            + " into %d parts; use fewer workers or a larger batch",
        stage(),
        getNumWorkers(),
        getBatchSize(),
        Distribution.shards(getBatchSize()));
    boolean plain = getGradientCompression().equals("none") && getShuffle().equals("worker");
    Check.that(
        !local() || !getDeterministic() && plain,
        "%s distribution: with localSgd workers exchange no gradients and no rows: deterministic is"
            + " %s, gradientCompression %s, shuffle %s; set them back, or distribution to barrier",
        stage(),
        getDeterministic(),
        getGradientCompression(),
        getShuffle());
    Check.that(
        !getDeterministic() || plain,
        "%s deterministic: needs gradients that are not rounded on their way, and rows that stay:"
            + " gradientCompression is %s, shuffle %s; set them back, or deterministic to false",
        stage(),
        getGradientCompression(),
        getShuffle());
    StructType out = schema;
    for (Map.Entry<String, String> e : checks.checkOutputs(this).entrySet()) {
      out = out.add(e.getValue(), outputType(e.getKey()), false);
    }
    return out;
  }

  private static org.apache.spark.sql.types.DataType outputType(String param) {
    return param.equals("predictionCol")
        ? DataTypes.DoubleType
        : org.apache.spark.ml.linalg.SQLDataTypes.VectorType();
  }

  /**
   * Learns a model.
   *
   * @throws IllegalArgumentException if parameters, columns or values do not fit: what can be seen
   *     before the training is said before it
   * @throws io.fragua.exec.DeviceUnavailableException if the device is not there
   */
  @Override
  public M fit(Dataset<?> dataset) {
    Devices.require(getDevice());
    Check.that(
        !dataset.isStreaming(),
        "%s fit: learns from a data set that ends: this one is a stream; save it, and fit on the"
            + " files",
        stage());
    own.check(stage());
    transformSchema(dataset.schema(), true);
    SparkSession spark = dataset.sparkSession();
    BarrierTrainer.checkCluster(spark.sparkContext(), workers(spark), spread());
    if (own.given()) {
      int rows = TrainRequest.localBatch(getBatchSize(), parts(workers(spark)));
      new NetworkCheck(stage(), own.layer()).early(this, rows, objective().knownOutputs());
    }
    try (Checkpoints checkpoints = Checkpoints.open(spark, getCheckpointDir())) {
      return fit(dataset, checkpoints);
    }
  }

  private M fit(Dataset<?> dataset, Checkpoints checkpoints) {
    SparkSession spark = dataset.sparkSession();
    listener.phase("statistics");
    TrainingRows read = new TrainingRows(this, spread().shards());
    Seen seen = Jobs.run(spark.sparkContext(), stage(), () -> look(read, dataset));
    Dataset<?> rows = seen.rows();
    Statistics.Learnt learnt = seen.learnt();
    LOG.info("{}: {} rows, {}", uid, learnt.rows(), learnt.data());
    listener.phase("compile");
    int workers = workers(spark); // executors may have come meanwhile
    int parts = parts(workers);
    int local = TrainRequest.localBatch(getBatchSize(), parts);
    NetworkBody body =
        new NetworkBody(learnt.data(), this, own.layer(), objective().outputs(learnt.data()));
    var problem =
        new TrainingGraphs.Problem(
            body, objective(), rowLoss(learnt.data()), learnt.data(), learnt.classWeights());
    if (own.given()) {
      new NetworkCheck(stage(), own.layer())
          .check(
              body,
              problem.types(local),
              local,
              body.features(),
              objective().allowedOutputs(learnt.data()));
    }
    Network.Variables start = start(problem, local);
    GradientTransform optimizer =
        OptimizerChoice.of(this, steps(learnt.trainingRows(), parts, local));
    ParamTree optState = optimizer.init(start.params());
    TrainingGraphs graphs =
        TrainingGraphs.trace(
            problem,
            start,
            optimizer,
            optState,
            local,
            lookups(start.params(), local() ? 1 : parts));
    String validation = read.validationColumn(dataset.schema());
    TrainResult result =
        BarrierTrainer.train(
            new TrainRequest(
                read.training(rows, validation),
                learnt.trainingRows(),
                read.tiles(learnt),
                graphs.gradient(),
                graphs.update(),
                validation == null ? null : graphs.evaluate(),
                start.params(),
                start.state(),
                Network.variances(body, problem.types(local)),
                optState,
                workers,
                getBatchSize(),
                getEpochs(),
                getSeed(),
                validation,
                getPatience(),
                Precision.valueOf(getPrecision()),
                recovery(learnt),
                spread(),
                listener),
            checkpoints);
    return finished(problem, result);
  }

  /** The rows that are trained on or held out, and what is learnt from a look at them. */
  private record Seen(Dataset<?> rows, Statistics.Learnt learnt) {}

  private Seen look(TrainingRows read, Dataset<?> dataset) {
    List<InputColumn> numbers = Statistics.numbers(stage(), this, dataset);
    Dataset<?> rows = read.inOrder(read.valid(dataset, numbers));
    return new Seen(rows, new Statistics<>(stage(), this, objective(), rows).collect(numbers));
  }

  private Recovery recovery(Statistics.Learnt learnt) {
    Map<String, String> identity = new TreeMap<>();
    for (Param<?> p : params()) {
      if (!NOT_OF_TRAINING.contains(p.name()) && isDefined(p)) {
        identity.put(p.name(), Declare.print(getOrDefault(p)));
      }
    }
    identity.put("rows", String.valueOf(learnt.rows()));
    return new Recovery(
        getCheckpointDir(),
        getCheckpointInterval(),
        getCheckpointSteps(),
        getCheckpointsKept(),
        getMaxRetries(),
        identity);
  }

  private Lookups lookups(ParamTree params, int shards) {
    List<String> tables =
        getSparseUpdates()
            ? params.names().stream()
                .filter(n -> n.startsWith(NetworkBody.EMBEDDING + "."))
                .toList()
            : List.of();
    for (String t : tables) {
      Check.that(
          params.get(t).shape().dim(0) <= Lookups.MAX_ROWS,
          "%s sparseUpdates: a table has at most %d rows: %d categories in all; leave a column out,"
              + " or set sparseUpdates to false",
          stage(),
          Lookups.MAX_ROWS,
          params.get(t).shape().dim(0));
    }
    return new Lookups(tables, shards);
  }

  private M finished(TrainingGraphs.Problem problem, TrainResult result) {
    Network.Variables learnt = new Network.Variables(result.params(), result.state());
    Map<String, Tensor> weights = new LinkedHashMap<>();
    learnt.params().asMap().forEach((n, t) -> weights.put("param:" + n, t));
    learnt.state().asMap().forEach((n, t) -> weights.put("state:" + n, t));
    weights.forEach(this::checkFinite);
    BatchedGraph graph =
        BatchedGraph.trace(
            getInferenceBatchSize(), n -> TrainingGraphs.network(problem, learnt, n));
    M model = model(uid, new ModelData(graph, weights, problem.data(), result.history()));
    return copyValues(model.setParent(this), new ParamMap());
  }

  private Network.Variables start(TrainingGraphs.Problem problem, int rows) {
    try {
      return Network.init(problem.body(), problem.types(rows), Key.of(getSeed()));
    } catch (IllegalArgumentException e) {
      if (own.given()) {
        throw e;
      }
      throw new IllegalArgumentException(
          stage()
              + " hiddenLayers: the weights of each layer must fit a tensor: "
              + Arrays.toString(getHiddenLayers())
              + " for "
              + problem.body().features()
              + " features: "
              + e.getMessage()
              + "; make the layers smaller, or embeddingDim",
          e);
    }
  }

  /** No loss is computed after the last step, so its overflow shows in the weights alone. */
  private void checkFinite(String name, Tensor weight) {
    for (long i = 0; i < weight.shape().size(); i++) {
      double w = weight.buffer().getDouble(weight.dtype(), i);
      Check.that(
          Double.isFinite(w),
          "%s fit: the weights must stay finite numbers: \"%s\" holds %s after the last step; lower"
              + " learningRate or weightDecay, set clipNorm, or standardize the inputs",
          stage(),
          name,
          w);
    }
  }

  /** As many as were asked for, or as many as can run at once now. */
  private int workers(SparkSession spark) {
    if (getNumWorkers() > 0) {
      return getNumWorkers();
    }
    var sc = spark.sparkContext();
    int slots = local() ? sc.defaultParallelism() : BarrierTrainer.slots(sc, spread());
    return Math.max(1, Math.min(slots, getDeterministic() ? spread().shards() : getBatchSize()));
  }

  /** Parts into which a batch is cut. */
  private int parts(int workers) {
    return getDeterministic() ? spread().shards() : workers;
  }

  private boolean local() {
    return getDistribution().equals("localSgd");
  }

  private Distribution spread() {
    int shards = getDeterministic() ? Distribution.shards(getBatchSize()) : 0;
    return new Distribution(
        shards,
        local() ? getLocalSteps() : 0,
        getGradientCompression().equals("bf16"),
        getShuffle().equals("global"),
        getWorkerCpus(),
        getDevice().startsWith("cuda") ? 1 : 0);
  }

  private long steps(long rows, int workers, int local) {
    long perEpoch = Math.max(1, (rows + (long) workers * local - 1) / ((long) workers * local));
    return perEpoch * getEpochs();
  }

  @Override
  public E copy(ParamMap extra) {
    E that = copyValues(create(uid), extra);
    ((NeuralEstimator<?, ?>) that).own = own;
    return that.setListener(listener);
  }

  /**
   * A writer of the parameters.
   *
   * @throws IllegalStateException with a custom network, which is code and cannot be saved
   */
  @Override
  public MLWriter write() {
    own.checkSavable(stage());
    return new DefaultParamsWriter(this);
  }
}
