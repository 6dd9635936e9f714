package io.fragua.spark.train;

import io.fragua.arrow.TileSpec;
import io.fragua.exec.Precision;
import io.fragua.graph.Graph;
import io.fragua.nn.ParamTree;
import io.fragua.nn.RunningVariance;
import java.util.List;
import org.apache.spark.sql.Dataset;

/**
 * A training to run: rows, how they become tensors, and three graphs traced for {@link #localBatch}
 * rows.
 *
 * <p>Graph operands and results are found by name: {@code param:N}, {@code state:N}, {@code opt:N},
 * {@code grad:N} for a leaf N, the tiles' names, {@code label}, {@code weight}, {@code key}, {@code
 * loss}, {@code weight_sum}. A gradient graph may take {@code shard}, i32, the number of the worker
 * whose rows it computes; and give, for a leaf N with rows, numbers of rows {@code rows:N} f32[n]
 * with {@code grad:N} f32[n, size of a row], of which the update then takes both. Whatever it gives
 * is summed over the workers.
 *
 * @param data rows; every column that a tile or the validation column names
 * @param rows to learn from, as far as known: without a barrier rounds are cut by it
 * @param tiles the graphs' operands that come from columns, among them {@code label} (one f32) and,
 *     if rows have weights, {@code weight} (one f32)
 * @param gradient params, state, tiles, label, weight, key -&gt; loss (sum of weight x row loss),
 *     weight_sum, a gradient of that sum per parameter, new state
 * @param update params, opt state, summed gradients, weight_sum -&gt; params, opt state
 * @param evaluate params, state, tiles, label, weight -&gt; loss, weight_sum and, for every name N
 *     of a metric, {@code metric:N}, its sum of weight x row's value; needed when there is a
 *     validation column, else null
 * @param params initial values
 * @param state initial running statistics
 * @param variances which of them are variances; of the others the mean is taken over the workers
 * @param optState initial state of the optimizer
 * @param numWorkers tasks that train together, at least 1
 * @param batchSize rows of one step, all workers together
 * @param epochs passes over the rows, at least 1
 * @param seed of the shuffles and of the graphs' key
 * @param validationColumn boolean column; rows where it is true are never trained on; or null
 * @param patience epochs without a better validation loss before stopping; 0 never stops early
 * @param precision of contractions
 * @param recovery how the training survives lost executors and a lost driver
 * @param distribution how the workers train together
 * @param listener hears progress on the driver
 */
public record TrainRequest(
    Dataset<?> data,
    long rows,
    List<TileSpec> tiles,
    Graph gradient,
    Graph update,
    Graph evaluate,
    ParamTree params,
    ParamTree state,
    List<RunningVariance> variances,
    ParamTree optState,
    int numWorkers,
    int batchSize,
    int epochs,
    long seed,
    String validationColumn,
    int patience,
    Precision precision,
    Recovery recovery,
    Distribution distribution,
    TrainListener listener) {
  /** Checks the numbers and copies the list. */
  public TrainRequest {
    tiles = List.copyOf(tiles);
    variances = List.copyOf(variances);
    positive("numWorkers", numWorkers);
    positive("batchSize", batchSize);
    positive("epochs", epochs);
    if (numWorkers > distribution.parts(numWorkers)) {
      throw new IllegalArgumentException(
          "train: every worker must have a shard: "
              + numWorkers
              + " workers, "
              + distribution.shards()
              + " shards; use fewer workers or a larger batch");
    }
    if (patience < 0) {
      throw new IllegalArgumentException(
          "train: patience must be at least 0: " + patience + "; 0 turns early stopping off");
    }
    if (patience > 0 && validationColumn == null) {
      throw new IllegalArgumentException(
          "train: early stopping needs validation rows: patience "
              + patience
              + ", no validation column; name one or set patience to 0");
    }
    if (validationColumn != null && evaluate == null) {
      throw new IllegalArgumentException(
          "train: validation rows need a graph that evaluates them: column "
              + validationColumn
              + ", no evaluate graph; give both or neither");
    }
  }

  private static void positive(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(
          "train: " + name + " must be at least 1: " + value + "; correct it");
    }
  }

  /** Rows that one worker computes at once: what the graphs must be traced for. */
  public int localBatch() {
    return localBatch(batchSize, distribution.parts(numWorkers));
  }

  /** Rows that are computed at once when {@code batchSize} is cut into so many parts. */
  public static int localBatch(int batchSize, int parts) {
    return (int) (((long) batchSize + parts - 1) / parts);
  }
}
