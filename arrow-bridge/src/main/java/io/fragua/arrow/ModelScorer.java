package io.fragua.arrow;

import io.fragua.tensor.Check;
import java.util.Iterator;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.vectorized.ColumnarBatch;

/**
 * Scores batches with a model: columns to tiles, one run of the compiled graph for every {@code
 * batchRows} rows, results to columns. The model is compiled once per executor process and shared
 * by its tasks ({@link ModelCache}); each task has an execution of its own, freed when the task
 * ends.
 */
public final class ModelScorer implements BatchFunction {
  private static final long serialVersionUID = 1L;

  private final Sent<ScoreModel> model;
  private final ModelKey key;
  private final long memory; // most native bytes of a task
  private final String description;

  /**
   * A scorer of a model that was sent by the session that uses it.
   *
   * @throws IllegalArgumentException if the model's graph does not fit its tiles and outputs, or
   *     the session's {@code spark.fragua.score.memory} is no number of bytes
   */
  public ModelScorer(Sent<ScoreModel> model) {
    this(model, "cpu");
  }

  /** A scorer on the backend of this name. */
  ModelScorer(Sent<ScoreModel> model, String backend) {
    this.model = model;
    ScoreModel m = model.value();
    LoadedModel.check(m);
    this.key = ModelKey.of(m, backend);
    this.memory = TaskMemory.setting();
    this.description = backend + ", " + m.precision() + ", batches of " + m.batchRows();
  }

  private ModelScorer(ModelScorer all, ModelKey key) {
    this.model = all.model;
    this.key = key;
    this.memory = all.memory;
    this.description = all.description;
  }

  /**
   * Appends the model's output columns.
   *
   * @throws IllegalArgumentException before any job, if a column is missing or has a type that it
   *     cannot be read from
   */
  public static Dataset<Row> append(Dataset<?> data, Sent<ScoreModel> model) {
    return append(data, new ModelScorer(model));
  }

  static Dataset<Row> append(Dataset<?> data, ModelScorer scorer) {
    ScoreModel m = scorer.model.value();
    TileSpec.check(data.schema(), m.tiles());
    return ColumnarMap.append(data, m.inputs(), m.schema(), scorer, "score " + m.uid());
  }

  /** True: results of a graph are dense. */
  @Override
  public boolean yieldsDenseVectors() {
    return true;
  }

  /** A scorer whose graph computes nothing but these columns. */
  @Override
  public BatchFunction only(int[] outputs) {
    return new ModelScorer(this, key.only(outputs));
  }

  @Override
  public String describe() {
    return description;
  }

  @Override
  public Iterator<ColumnarBatch> apply(
      Iterator<ColumnarBatch> in, int[] ordinals, ColumnarMetrics metrics) {
    ScoreModel m = model.value();
    Check.that(
        ordinals.length == m.inputs().size(),
        "model %s: one ordinal per input column: %d, columns %s; give ColumnarMap its inputs()",
        m.uid(),
        ordinals.length,
        m.inputs());
    return BatchFunction.each(in, new ScoreTask(m, key, memory, ordinals, metrics)::score);
  }

  /** Equal when the same model yields the same columns, so that Spark can reuse a cached result. */
  @Override
  public boolean equals(Object o) {
    return o instanceof ModelScorer s && key.equals(s.key);
  }

  @Override
  public int hashCode() {
    return key.hashCode();
  }
}
