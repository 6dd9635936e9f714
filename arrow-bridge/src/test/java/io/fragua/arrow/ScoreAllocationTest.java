package io.fragua.arrow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.Precision;
import io.fragua.graph.Graph;
import io.fragua.graph.GraphJson;
import io.fragua.graph.Tracer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.vectorized.ColumnarBatch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What scoring leaves to the garbage collector: no object of a row, only the arrays in which
 * Spark's vectors hand out a range.
 */
final class ScoreAllocationTest {
  private static final int BATCHES = 9;
  private static final int ROWS = 4096; // of a batch, as Spark's Parquet reader yields them

  private static final com.sun.management.ThreadMXBean THREADS =
      (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** Bytes that each batch took; tasks of a local session run in this process. */
  private static final List<Long> TAKEN = Collections.synchronizedList(new ArrayList<>());

  private static final List<String> NAMES =
      List.of(
          "float_many", "double_many", "timestamp_many", "cat_text_few", "cat_long_many", "dense");

  private static final List<ColumnCases.Case> CASES =
      ColumnCases.all(false).stream().filter(c -> NAMES.contains(c.name())).toList();

  private static Dataset<Row> rows;

  @BeforeAll
  static void write() {
    rows = Session.parquet(ColumnCases.data(CASES, BATCHES * ROWS));
  }

  /** The smallest object has 16 bytes, so that one more in every row is seen. */
  @ParameterizedTest
  @CsvSource({
    "float_many, 4",
    "double_many, 8",
    "timestamp_many, 16", // i64, then f64
    "cat_text_few, 0", // its dictionary is looked up once
    "cat_long_many, 8",
    "dense, 32" // four f64
  })
  void takesNoObjectForARow(String name, int bytes) {
    ColumnCases.Case c = CASES.stream().filter(k -> k.name().equals(name)).findFirst().get();
    ScoreModel m = model(c.input());
    TAKEN.clear();
    ColumnarMap.append(
            rows, m.inputs(), m.schema(), new Measured(Models.scorer(m, "cpu")), "measured")
        .agg(functions.sum("score32"))
        .collectAsList();
    List<Long> taken = TAKEN.stream().sorted().toList();
    assertEquals(BATCHES, taken.size());
    long median = taken.get(BATCHES / 2);
    assertTrue(median < (bytes + 4) * ROWS, () -> median / ROWS + " bytes a row: " + taken);
  }

  /** The sum of a row's numbers, or what a table has for its id. */
  private static ScoreModel model(InputColumn column) {
    int batch = 1024;
    boolean named = column.vocabulary() != null;
    DType type = named ? DType.I32 : DType.F32;
    Graph.Input x = new Graph.Input("x", TensorType.of(type, batch, column.width()));
    int size = named ? column.vocabulary().maxId() + 1 : 0;
    Graph.Input table = new Graph.Input("table", TensorType.of(DType.F32, size, 1));
    Graph graph =
        named
            ? Tracer.trace(
                List.of(x, table),
                List.of("score"),
                in -> List.of(in.get(1).gather(in.get(0).reshape(batch)).reshape(batch)))
            : Tracer.trace(List.of(x), List.of("score"), in -> List.of(in.get(0).sum(1)));
    return new ScoreModel(
        "sums",
        GraphJson.write(graph),
        "",
        Models.weights(Map.of("table", Tensor.of(new float[size], size, 1))),
        List.of(new TileSpec("x", type, List.of(column), true)),
        Models.OUTPUTS.subList(1, 2),
        batch,
        Precision.STRICT,
        0);
  }

  /** Scores, and notes what each batch took beside what its reading took. */
  private record Measured(ModelScorer scorer) implements BatchFunction {
    @Override
    public Iterator<ColumnarBatch> apply(
        Iterator<ColumnarBatch> in, int[] ordinals, ColumnarMetrics metrics) {
      long[] reading = new long[1];
      Iterator<ColumnarBatch> read =
          new Iterator<>() {
            @Override
            public boolean hasNext() {
              return in.hasNext();
            }

            @Override
            public ColumnarBatch next() {
              long before = THREADS.getCurrentThreadAllocatedBytes();
              ColumnarBatch b = in.next();
              reading[0] = THREADS.getCurrentThreadAllocatedBytes() - before;
              return b;
            }
          };
      Iterator<ColumnarBatch> scored = scorer.apply(read, ordinals, metrics);
      return new Iterator<>() {
        @Override
        public boolean hasNext() {
          return scored.hasNext();
        }

        @Override
        public ColumnarBatch next() {
          long before = THREADS.getCurrentThreadAllocatedBytes();
          ColumnarBatch b = scored.next();
          TAKEN.add(THREADS.getCurrentThreadAllocatedBytes() - before - reading[0]);
          return b;
        }
      };
    }
  }
}
