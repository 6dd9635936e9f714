package io.fragua.spark.estimator;

import io.fragua.arrow.ColumnarMap;
import io.fragua.arrow.InputColumn;
import io.fragua.arrow.ModelScorer;
import io.fragua.arrow.OutputSpec;
import io.fragua.arrow.PairCounts;
import io.fragua.arrow.TileSpec;
import io.fragua.arrow.Vocabulary;
import io.fragua.exec.Devices;
import io.fragua.graph.Graph;
import io.fragua.graph.Tracer;
import io.fragua.spark.param.ParamGroups;
import io.fragua.spark.param.Setters;
import io.fragua.spark.persist.DataDescription;
import io.fragua.spark.persist.ModelData;
import io.fragua.spark.persist.ModelWriter;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.ml.Model;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.HasTrainingSummary;
import org.apache.spark.ml.util.MLWritable;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import scala.Option;

/**
 * A fitted neural network: appends its outputs to a data set through one node of the query plan, in
 * batches as in streams. It holds a graph and weights, no Java code of the user's, and ships them
 * by broadcast; nothing of it is Java-serialised but plain records.
 *
 * <p>Setting parameters is not thread-safe, transforming is.
 *
 * @param <M> the model's own class
 */
public abstract class NeuralModel<M extends NeuralModel<M>> extends Model<M>
    implements Setters<M>, MLWritable, HasTrainingSummary<TrainingSummary> {
  private static final long serialVersionUID = 1L;

  private final String uid;
  private final ParamGroups groups;
  private final transient ModelData model;
  private final transient ScoreBroadcasts broadcasts;

  NeuralModel(String uid, ModelData model, ScoreBroadcasts broadcasts) {
    this.uid = uid;
    this.groups = new ParamGroups(this);
    this.model = model;
    this.broadcasts = broadcasts;
  }

  @Override
  public String uid() {
    return uid;
  }

  @Override
  public ParamGroups groups() {
    return groups;
  }

  /** A model of the same parts without set parameters. */
  abstract M create(String newUid, ModelData data, ScoreBroadcasts shared);

  /** What the model appends: parameter to result of the network, in order; a row of outputs. */
  abstract Map<String, Output> outputs();

  /**
   * One output.
   *
   * @param kind its Spark type
   * @param metadata by column name
   * @param value from the saved graph's output
   */
  record Output(
      OutputSpec.Kind kind,
      java.util.function.Function<String, Metadata> metadata,
      java.util.function.UnaryOperator<Tensor> value) {}

  /** What distinguishes two scorings of one model besides column names; part of a cache key. */
  List<Object> variant() {
    return List.of();
  }

  /** What was learnt; a model that a service loader or Java's deserialization made has nothing. */
  ModelData data() {
    Check.that(
        model != null,
        "%s %s: must come from fit or load: it was made by its constructor and has learnt nothing,"
            + " or came to an executor inside a function (its weights do not travel so); fit an"
            + " estimator, load a saved model, or use transform",
        getClass().getSimpleName(),
        uid);
    return model;
  }

  /** Number of numbers, categories and keys that a row may have: a vector counts its size. */
  public int numFeatures() {
    DataDescription d = data().data();
    int keys = d.sparse().stream().mapToInt(c -> c.vocabulary().size() - 1).sum();
    return d.width() + d.categories().size() + keys;
  }

  /** What a text about the model counts. */
  String sizes() {
    return "numFeatures=" + numFeatures();
  }

  /** Class, uid and sizes; of a model that has learnt nothing that it has not. */
  @Override
  public String toString() {
    String learnt = model == null ? "nothing learnt" : sizes();
    return getClass().getSimpleName() + ": uid=" + uid() + ", " + learnt;
  }

  /** How the training went. */
  @Override
  public TrainingSummary summary() {
    return new TrainingSummary(data().history());
  }

  /** Always true: the summary is part of the model. */
  @Override
  public boolean hasSummary() {
    return true;
  }

  /** As {@link #summary()}. */
  @Override
  public Option<TrainingSummary> trainingSummary() {
    return Option.apply(summary());
  }

  /**
   * Not possible, because the summary is part of the model.
   *
   * @throws UnsupportedOperationException always
   */
  @Override
  public void trainingSummary_$eq(Option<TrainingSummary> value) {
    throw new UnsupportedOperationException(
        getClass().getSimpleName()
            + " summary: is part of the model and cannot be replaced: given "
            + value
            + "; fit again");
  }

  /** Writes nothing: a saved model holds its summary. Called by Spark Connect's cache. */
  @Override
  public void saveSummary(String path) {}

  /** Reads nothing: a saved model holds its summary. Called by Spark Connect's cache. */
  @Override
  public void loadSummary(String path, Dataset<Row> dataset) {}

  /** Size of the weights in bytes. */
  @Override
  public long estimatedSize() {
    return data().bytes();
  }

  /**
   * Checks the columns and appends the outputs.
   *
   * @throws IllegalArgumentException saying which parameter and column do not fit
   */
  @Override
  public StructType transformSchema(StructType schema) {
    StructType out = schema;
    described(schema);
    Map<String, String> names = checks(schema).checkOutputs(this);
    for (Map.Entry<String, String> e : names.entrySet()) {
      out = out.add(field(e.getKey(), e.getValue()));
    }
    return out;
  }

  /**
   * Appends the outputs. Fails at once if the device is not there or columns do not fit; computes
   * nothing until the result is used.
   */
  @Override
  public Dataset<Row> transform(Dataset<?> dataset) {
    Devices.require(getDevice());
    StructType schema = dataset.schema();
    transformSchema(schema, true);
    DataDescription data = described(schema);
    Map<String, String> names = checks(schema).checkOutputs(this);
    List<TileSpec> tiles = Tiles.inputs(data, getHandleInvalid());
    Dataset<?> rows =
        getHandleInvalid().equals("skip") ? TileSpec.withoutInvalid(dataset, tiles) : dataset;
    StructType appended = new StructType();
    for (Map.Entry<String, String> e : names.entrySet()) {
      appended = appended.add(field(e.getKey(), e.getValue()));
    }
    ModelScorer scorer =
        new ModelScorer(broadcasts.get(this, dataset.sparkSession(), tiles, specs(names)));
    return ColumnarMap.append(rows, TileSpec.inputs(tiles), appended, scorer, "score " + uid);
  }

  private List<OutputSpec> specs(Map<String, String> names) {
    List<OutputSpec> specs = new ArrayList<>();
    names.forEach(
        (param, column) -> specs.add(new OutputSpec(column, param, outputs().get(param).kind())));
    return specs;
  }

  private StructField field(String param, String column) {
    Output o = outputs().get(param);
    DataType t = new OutputSpec(column, param, o.kind()).field().dataType();
    return new StructField(column, t, false, o.metadata().apply(column));
  }

  private SchemaChecks checks(StructType schema) {
    return new SchemaChecks(getClass().getSimpleName(), schema);
  }

  /** The description with the columns that this model now reads, which are checked. */
  private DataDescription described(StructType schema) {
    DataDescription d = data().data();
    SchemaChecks checks = checks(schema);
    checks.checkInputs(this);
    List<String> numbers = SchemaChecks.numbers(this);
    List<String> names = SchemaChecks.inputs(this);
    Check.that(
        numbers.size() == d.numbers().size()
            && getCategoricalCols().length == d.categories().size()
            && names.size() == d.columns().size(),
        "%s inputs: must name as many columns as the model was fitted on: %s in place of %s; name"
            + " one for each, in order",
        getClass().getSimpleName(),
        names,
        d);
    List<InputColumn> read = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      String name = names.get(i);
      DataType now = checks.type("inputs", name);
      if (i < numbers.size()) {
        InputColumn fitted = d.numbers().get(i);
        InputColumn.Kind kind = InputColumn.Kind.of(now);
        Check.that(
            kind.reads(now, fitted.shape().size()),
            "%s inputs: a column must be read as it was in fit: \"%s\" holds %s, fitted on %s;"
                + " convert the column",
            getClass().getSimpleName(),
            name,
            now.catalogString(),
            fitted.kind() + (fitted.shape().isEmpty() ? "" : " of shape " + fitted.shape()));
        read.add(new InputColumn(name, kind, fitted.shape(), fitted.origin(), fitted.vocabulary()));
      } else {
        int at = i - numbers.size();
        boolean sparse = at >= d.categories().size();
        InputColumn c =
            sparse ? d.sparse().get(at - d.categories().size()) : d.categories().get(at);
        Vocabulary.Type fitted = c.vocabulary().type();
        Check.that(
            fitted == (sparse ? PairCounts.keys(now) : Vocabulary.Type.of(now)),
            "%s %s: must hold what the model was fitted on: \"%s\" holds %s, fitted on"
                + " %s; cast the column",
            getClass().getSimpleName(),
            sparse ? "sparseCols" : "categoricalCols",
            name,
            now.catalogString(),
            switch (fitted) {
              case TEXT -> "texts";
              case BINARY -> "binaries";
              case WHOLE -> "integers";
              case INDEX -> "vectors";
            });
        read.add(c.withName(name));
      }
    }
    return d.withColumns(read);
  }

  /**
   * The graph that scores: weights and tiles to the named outputs.
   *
   * @param params of the outputs
   */
  Graph scoreGraph(int rows, List<String> params) {
    Graph network = data().network().at(rows);
    Map<String, Output> all = outputs();
    return Tracer.trace(
        network.inputs(),
        params,
        args -> {
          Tensor z = network.call(args).get(0);
          return params.stream().map(p -> all.get(p).value().apply(z)).toList();
        });
  }

  /**
   * The prediction of a single row, at once and on the driver. For a model that reads nothing but a
   * column of vectors.
   *
   * @param features as many as in {@code fit}, all finite in f32
   * @throws IllegalArgumentException if they are not
   */
  public double predict(Vector features) {
    DataDescription d = data().data();
    Check.that(
        d.categories().isEmpty()
            && d.sparse().isEmpty()
            && d.numbers().size() == 1
            && d.numbers().get(0).kind() != InputColumn.Kind.SCALAR,
        "%s predict: the model must read one column of vectors: it reads %s; use transform",
        getClass().getSimpleName(),
        d);
    Check.that(
        features != null,
        "%s predict: the vector must not be null: null; pass all features",
        getClass().getSimpleName());
    Check.that(
        features.size() == d.width(),
        "%s predict: a vector must have the size that the model was fitted on, %d: %d; pass all"
            + " features",
        getClass().getSimpleName(),
        d.width(),
        features.size());
    float[] x = new float[d.width()];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) features.apply(i);
      Check.that(
          Float.isFinite(x[i]),
          "%s predict: numbers must be finite in f32: %s at element %d; correct the vector, or use"
              + " transform with handleInvalid \"keep\"",
          getClass().getSimpleName(),
          features.apply(i),
          i);
    }
    Graph g = scoreGraph(1, List.of("predictionCol"));
    Map<String, Tensor> given = new LinkedHashMap<>(data().weights());
    given.put("x", Tensor.of(x, 1, x.length));
    List<Tensor> args = g.inputs().stream().map(in -> given.get(in.name())).toList();
    return g.call(args).get(0).cast(DType.F64).item();
  }

  @Override
  public M copy(ParamMap extra) {
    M that = copyValues(create(uid, model, broadcasts), extra);
    return that.setParent(parent());
  }

  /** A writer of this model: parameters and data description as JSON, graph, safetensors. */
  @Override
  public MLWriter write() {
    return new ModelWriter(this, data());
  }
}
