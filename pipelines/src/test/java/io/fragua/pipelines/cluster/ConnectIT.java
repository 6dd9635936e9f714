package io.fragua.pipelines.cluster;

import static io.fragua.pipelines.cluster.ConnectClient.list;
import static io.fragua.pipelines.cluster.ConnectClient.real;
import static io.fragua.pipelines.cluster.ConnectClient.sql;
import static io.fragua.pipelines.cluster.ConnectClient.stream;
import static io.fragua.pipelines.cluster.ConnectClient.text;
import static io.fragua.pipelines.cluster.ConnectClient.transform;
import static io.fragua.pipelines.cluster.ConnectClient.whole;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.spark.connect.proto.Expression.Literal;
import org.apache.spark.connect.proto.MlCommandResult;
import org.apache.spark.connect.proto.MlOperator.OperatorType;
import org.apache.spark.connect.proto.ObjectRef;
import org.apache.spark.connect.proto.Relation;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkproject.connect.grpc.StatusRuntimeException;

/**
 * Spark's own Connect server, started by {@code spark-submit} with the assembly jar and two
 * executors, is driven over loopback by a client that has no Spark session.
 */
class ConnectIT {
  private static final String CLASSIFIER = "io.fragua.spark.estimator.NeuralClassifier";
  private static final String MODEL = "io.fragua.spark.estimator.NeuralClassificationModel";
  private static final String ACCURACY =
      "org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator";
  private static final String AREA = "org.apache.spark.ml.evaluation.BinaryClassificationEvaluator";
  private static final String DISTANCE = "org.apache.spark.ml.evaluation.RegressionEvaluator";
  private static final String CACHE =
      "spark.connect.session.connectML.mlCache.memoryControl.maxInMemorySize";
  private static final Pattern STARTED = Pattern.compile("Connect server started at:? \\S*:(\\d+)");

  @TempDir static Path temp;
  private static SparkHome spark;
  private static Process server;
  private static int port;

  @BeforeAll
  static void start() throws Exception {
    spark = new SparkHome(temp.resolve("spark"));
    ProcessBuilder b =
        new ProcessBuilder(
            spark.submit().toString(),
            "--master",
            "local-cluster[2,1,1024]",
            "--conf",
            "spark.ui.enabled=false",
            "--conf",
            "spark.sql.shuffle.partitions=2",
            "--conf",
            "spark.connect.grpc.binding.address=127.0.0.1",
            "--conf",
            "spark.connect.grpc.binding.port=0",
            "--class",
            "org.apache.spark.sql.connect.service.SparkConnectServer",
            "--jars",
            System.getProperty("fragua.assembly"),
            "spark-internal");
    b.environment().put("JAVA_HOME", System.getProperty("java.home"));
    b.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    Path log = temp.resolve("log");
    server =
        b.directory(temp.toFile()).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(10);
    Matcher m = STARTED.matcher("");
    while (!m.reset(Files.readString(log)).find()) {
      assertTrue(server.isAlive() && System.nanoTime() < deadline, Files.readString(log));
      Thread.sleep(100);
    }
    port = Integer.parseInt(m.group(1));
  }

  @AfterAll
  static void stop() throws Exception {
    server.destroy();
    boolean ended = server.waitFor(60, TimeUnit.SECONDS);
    server.destroyForcibly();
    spark.close();
    assertTrue(ended, "the server hangs");
  }

  private static Relation rows() {
    return sql(
        "SELECT CAST(id % 2 AS DOUBLE) AS label, (id % 2) * 2 - 1 + (id % 7) / 10.0D AS x,"
            + " concat('city ', id % 3) AS city FROM range(0, 2000, 1, 4)");
  }

  /** A parameter of every kind that ours have: texts, numbers, truth values, lists of each. */
  private static Map<String, Literal> params() {
    Map<String, Literal> p = new HashMap<>();
    p.put("numericCols", list(text("x")));
    p.put("categoricalCols", list(text("city")));
    p.put("hiddenLayers", list(whole(8), whole(4)));
    p.put("thresholds", list(real(0.5), real(0.5)));
    p.put("standardize", Literal.newBuilder().setBoolean(true).build());
    p.put("activation", text("tanh"));
    p.put("batchSize", whole(50));
    p.put("epochs", whole(3));
    p.put("learningRate", real(0.02));
    p.put("numWorkers", whole(2));
    p.put("embeddingDim", whole(2));
    return p;
  }

  /** Weights of one row for "unseen" and each city, layers of 8 and 4 units, and one output. */
  private static final long BYTES = 4L * (4 * 2 + (3 * 8 + 8) + (8 * 4 + 4) + (4 + 1));

  /** Every row gets the right class, and all columns that a model appends are there. */
  private static void scores(ConnectClient client, ObjectRef model) {
    Relation scored = transform(model, Map.of(), rows());
    assertEquals(
        List.of("label", "x", "city", "rawPrediction", "probability", "prediction"),
        client.columns(scored));
    assertEquals(1, client.evaluate(ACCURACY, Map.of("metricName", text("accuracy")), scored));
  }

  @Test
  void fitsTransformsAndTells() throws Exception {
    try (ConnectClient client = new ConnectClient(port)) {
      ObjectRef model = client.fit(CLASSIFIER, params(), rows());
      scores(client, model);
      Relation scored = transform(model, Map.of(), rows());
      assertEquals(
          1, client.evaluate(AREA, Map.of("rawPredictionCol", text("probability")), scored));
      Relation renamed = transform(model, Map.of("predictionCol", text("label_")), rows());
      assertTrue(client.columns(renamed).contains("label_"));
      assertEquals(3, client.fetch(model, "summary", "totalIterations").getInteger());
      assertTrue(client.fetch(model, "hasSummary").getBoolean());
      Literal history = client.fetch(model, "summary", "objectiveHistory");
      assertEquals(3, history.getArray().getElementsCount(), "" + history);
      assertEquals(
          "NeuralClassificationModel: uid=remote, numClasses=2, numFeatures=2",
          client.fetch(model, "toString").getString());
      assertEquals(BYTES, client.size(model));
    }
  }

  @Test
  void savesAndLoads() throws Exception {
    String folder = temp.resolve("saved").toString();
    String estimator = temp.resolve("estimator").toString();
    try (ConnectClient client = new ConnectClient(port)) {
      client.save(client.fit(CLASSIFIER, params(), rows()), folder);
      client.save(CLASSIFIER, params(), estimator);
    }
    try (ConnectClient client = new ConnectClient(port)) {
      MlCommandResult.MlOperatorInfo info =
          client.load(MODEL, OperatorType.OPERATOR_TYPE_MODEL, folder);
      assertEquals("remote", info.getUid());
      assertEquals("tanh", info.getParams().getParamsOrThrow("activation").getString());
      deleteAll(temp.resolve("saved")); // the weights go with the query, not through files
      scores(client, info.getObjRef());
      info = client.load(CLASSIFIER, OperatorType.OPERATOR_TYPE_ESTIMATOR, estimator);
      assertTrue(info.getParams().getParamsMap().keySet().containsAll(params().keySet()));
      assertEquals(0.02, info.getParams().getParamsOrThrow("learningRate").getDouble());
    }
  }

  private static void deleteAll(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path p : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(p);
      }
    }
  }

  @Test
  void scoredRowsAreWrittenAndStreamed() throws Exception {
    String given = temp.resolve("given").toString();
    String written = temp.resolve("written").toString();
    String streamed = temp.resolve("streamed").toString();
    try (ConnectClient client = new ConnectClient(port)) {
      ObjectRef model = client.fit(CLASSIFIER, params(), rows());
      client.write(rows(), given);
      client.write(transform(model, Map.of(), rows()), written);
      Relation stream = stream(given, "label double, x double, city string");
      client.writeStream(
          transform(model, Map.of(), stream), streamed, temp.resolve("checkpoint").toString());
      for (String folder : List.of(written, streamed)) {
        Relation right =
            sql(
                "SELECT 2000D AS label, double(count_if(prediction = label)) AS prediction"
                    + " FROM parquet.`"
                    + folder
                    + "`");
        assertEquals(0, client.evaluate(DISTANCE, Map.of("metricName", text("mae")), right));
      }
    }
  }

  @Test
  void whatFailsInAnExecutorReachesTheClient() throws Exception {
    String folder = temp.resolve("hole").toString();
    try (ConnectClient client = new ConnectClient(port)) {
      ObjectRef model = client.fit(CLASSIFIER, params(), rows());
      client.write(sql("SELECT 1D AS label, CAST(NULL AS DOUBLE) AS x, 'city 1' AS city"), folder);
      Relation scored = transform(model, Map.of(), sql("SELECT * FROM parquet.`" + folder + "`"));
      refused(
          () -> client.evaluate(ACCURACY, Map.of(), scored),
          "column x: values must not be null: null in row 0 of partition 0 (both counted from 0),"
              + " file file://"
              + folder
              + "/part-00000-");
    }
  }

  /**
   * The cache has room for one of two models: the other is on the driver's disk, and comes back.
   */
  @Test
  void modelsWithoutRoomInMemoryComeBack() throws Exception {
    try (ConnectClient client = new ConnectClient(port)) {
      client.set(CACHE, "1024");
      ObjectRef first = client.fit(CLASSIFIER, params(), rows());
      ObjectRef second = client.fit(CLASSIFIER, params(), rows());
      for (ObjectRef model : List.of(first, second, first)) {
        scores(client, model);
        assertEquals(3, client.fetch(model, "summary", "totalIterations").getInteger());
      }
    }
  }

  /** When the first checkpoint is there, an executor is killed (SIGKILL). */
  @Test
  void aTrainingSurvivesTheDeathOfAnExecutor() throws Exception {
    Path checkpoints = temp.resolve("checkpoints");
    Map<String, Literal> p = params();
    p.put("batchSize", whole(4));
    p.put("epochs", whole(150)); // so that there is time to kill
    p.put("checkpointDir", text(checkpoints.toString()));
    CompletableFuture<Void> killed =
        CompletableFuture.runAsync(
            () -> {
              String[] all = null;
              while (all == null || !String.join(" ", all).contains(".json")) {
                LockSupport.parkNanos(1_000_000);
                all = checkpoints.toFile().list();
              }
              executors().findFirst().orElseThrow().destroyForcibly();
            });
    try (ConnectClient client = new ConnectClient(port)) {
      ObjectRef model = client.fit(CLASSIFIER, p, rows());
      killed.get(1, TimeUnit.MINUTES);
      assertEquals(150, client.fetch(model, "summary", "totalIterations").getInteger());
      scores(client, model);
    }
    assertTrue(Files.readString(temp.resolve("log")).contains("train: retry 1 of 3"));
  }

  private static Stream<ProcessHandle> executors() {
    return server.descendants().filter(h -> SparkHome.arguments(h).contains("--executor-id"));
  }

  @Test
  void mistakesReachTheClientInFourParts() throws Exception {
    try (ConnectClient client = new ConnectClient(port)) {
      Map<String, Literal> wrong = params();
      wrong.put("epochs", whole(0));
      refused(
          () -> client.fit(CLASSIFIER, wrong, rows()),
          "NeuralClassifier epochs: must be at least 1: 0; set another value");
      Map<String, Literal> missing = params();
      missing.put("numericCols", list(text("y")));
      refused(
          () -> client.fit(CLASSIFIER, missing, rows()),
          "NeuralClassifier numericCols: must name a column of the data set: \"y\"");
    }
  }

  private static void refused(org.junit.jupiter.api.function.Executable call, String message) {
    StatusRuntimeException e = assertThrows(StatusRuntimeException.class, call);
    assertTrue(e.getMessage().contains(message), e::getMessage);
    assertFalse(e.getMessage().contains("Exception: java"), e::getMessage);
  }
}
