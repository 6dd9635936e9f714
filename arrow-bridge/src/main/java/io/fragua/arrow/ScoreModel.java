package io.fragua.arrow;

import io.fragua.exec.Precision;
import io.fragua.graph.Graph;
import io.fragua.graph.GraphJson;
import io.fragua.tensor.Check;
import java.io.Serializable;
import java.util.List;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * A model as {@link ModelScorer} takes it to the executors: plain data, sent once by a broadcast.
 *
 * @param uid names the model in plans and errors
 * @param graphJson the graph, as {@code GraphJson} writes it: inputs are the weights by their
 *     safetensors names and the tiles by theirs, shaped [batchRows, width] (or [batchRows] for a
 *     width of 1); results are [batchRows] or [batchRows, K]
 * @param nextGraphJson the same graph for one row more, from which that for any number of rows
 *     follows ({@link BatchedGraph}): a batch that does not fit the memory is then scored in parts;
 *     empty if it must not be
 * @param safetensors the weights
 * @param tiles how the tiles are read
 * @param outputs the columns it yields
 * @param batchRows rows of one run
 * @param precision of contractions
 * @param threads intra-op threads of a task; 0 for {@code spark.task.cpus}
 */
public record ScoreModel(
    String uid,
    String graphJson,
    String nextGraphJson,
    byte[] safetensors,
    List<TileSpec> tiles,
    List<OutputSpec> outputs,
    int batchRows,
    Precision precision,
    int threads)
    implements Serializable {
  /** Checks and copies the lists. */
  public ScoreModel {
    tiles = List.copyOf(tiles);
    outputs = List.copyOf(outputs);
    Check.that(
        batchRows >= 1, "model %s: batchRows must be at least 1: %d; correct it", uid, batchRows);
    Check.that(
        threads >= 0, "model %s: threads must not be negative: %d; correct it", uid, threads);
    Check.that(!outputs.isEmpty(), "model %s: needs an output column; name one", uid);
  }

  /** Whether {@link #graph} can be had for fewer rows. */
  boolean divides() {
    return batchRows > 1 && !nextGraphJson.isEmpty();
  }

  /** The graph for this many rows, which is {@code batchRows} unless the model divides. */
  Graph graph(int rows) {
    Graph whole = GraphJson.read(graphJson);
    return rows == batchRows
        ? whole
        : new BatchedGraph(batchRows, whole, GraphJson.read(nextGraphJson)).at(rows);
  }

  /** Names of the columns it reads. */
  public List<String> inputs() {
    return TileSpec.inputs(tiles);
  }

  /** The columns it yields. */
  public StructType schema() {
    return new StructType(outputs.stream().map(OutputSpec::field).toArray(StructField[]::new));
  }
}
