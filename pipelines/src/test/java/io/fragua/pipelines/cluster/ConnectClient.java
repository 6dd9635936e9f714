package io.fragua.pipelines.cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.spark.connect.proto.AnalyzePlanRequest;
import org.apache.spark.connect.proto.Command;
import org.apache.spark.connect.proto.ConfigRequest;
import org.apache.spark.connect.proto.DataType;
import org.apache.spark.connect.proto.ExecutePlanRequest;
import org.apache.spark.connect.proto.ExecutePlanResponse;
import org.apache.spark.connect.proto.Expression.Literal;
import org.apache.spark.connect.proto.Fetch;
import org.apache.spark.connect.proto.KeyValue;
import org.apache.spark.connect.proto.MlCommand;
import org.apache.spark.connect.proto.MlCommandResult;
import org.apache.spark.connect.proto.MlOperator;
import org.apache.spark.connect.proto.MlOperator.OperatorType;
import org.apache.spark.connect.proto.MlParams;
import org.apache.spark.connect.proto.MlRelation;
import org.apache.spark.connect.proto.ObjectRef;
import org.apache.spark.connect.proto.Plan;
import org.apache.spark.connect.proto.Read;
import org.apache.spark.connect.proto.Relation;
import org.apache.spark.connect.proto.SQL;
import org.apache.spark.connect.proto.SparkConnectServiceGrpc;
import org.apache.spark.connect.proto.StreamingQueryCommand;
import org.apache.spark.connect.proto.StreamingQueryInstanceId;
import org.apache.spark.connect.proto.UserContext;
import org.apache.spark.connect.proto.WriteOperation;
import org.apache.spark.connect.proto.WriteStreamOperationStart;
import org.sparkproject.connect.grpc.ManagedChannel;
import org.sparkproject.connect.grpc.netty.NettyChannelBuilder;

/**
 * One session at a Connect server, in the protocol's own messages: the JVM's client has no machine
 * learning, and Python's sends exactly these.
 */
final class ConnectClient implements AutoCloseable {
  private final ManagedChannel channel;
  private final SparkConnectServiceGrpc.SparkConnectServiceBlockingStub stub;
  private final String session = UUID.randomUUID().toString();
  private final UserContext user = UserContext.newBuilder().setUserId("test").build();

  ConnectClient(int port) {
    channel = NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
    stub = SparkConnectServiceGrpc.newBlockingStub(channel);
  }

  static Relation sql(String query) {
    return Relation.newBuilder().setSql(SQL.newBuilder().setQuery(query)).build();
  }

  static Literal text(String value) {
    return Literal.newBuilder().setString(value).build();
  }

  static Literal whole(long value) {
    return Literal.newBuilder().setLong(value).build();
  }

  static Literal real(double value) {
    return Literal.newBuilder().setDouble(value).build();
  }

  /** Elements of one type; at least one. */
  static Literal list(Literal... elements) {
    DataType.Builder element = DataType.newBuilder();
    switch (elements[0].getLiteralTypeCase()) {
      case STRING -> element.setString(DataType.String.getDefaultInstance());
      case LONG -> element.setLong(DataType.Long.getDefaultInstance());
      default -> element.setDouble(DataType.Double.getDefaultInstance());
    }
    return Literal.newBuilder()
        .setArray(Literal.Array.newBuilder().addAllElements(List.of(elements)))
        .setDataType(
            DataType.newBuilder().setArray(DataType.Array.newBuilder().setElementType(element)))
        .build();
  }

  void set(String key, String value) {
    ConfigRequest.Set.Builder pairs =
        ConfigRequest.Set.newBuilder()
            .addPairs(KeyValue.newBuilder().setKey(key).setValue(value).build());
    ConfigRequest.Operation operation = ConfigRequest.Operation.newBuilder().setSet(pairs).build();
    ConfigRequest request =
        ConfigRequest.newBuilder()
            .setSessionId(session)
            .setUserContext(user)
            .setOperation(operation)
            .build();
    stub.withDeadlineAfter(2, TimeUnit.MINUTES).config(request);
  }

  /** The model that an estimator of this class makes of the rows. */
  ObjectRef fit(String estimator, Map<String, Literal> params, Relation rows) {
    return command(
            MlCommand.newBuilder()
                .setFit(
                    MlCommand.Fit.newBuilder()
                        .setEstimator(operator(estimator, OperatorType.OPERATOR_TYPE_ESTIMATOR))
                        .setParams(MlParams.newBuilder().putAllParams(params))
                        .setDataset(rows)))
        .getOperatorInfo()
        .getObjRef();
  }

  static Relation transform(ObjectRef model, Map<String, Literal> params, Relation rows) {
    return Relation.newBuilder()
        .setMlRelation(
            MlRelation.newBuilder()
                .setTransform(
                    MlRelation.Transform.newBuilder()
                        .setObjRef(model)
                        .setParams(MlParams.newBuilder().putAllParams(params))
                        .setInput(rows)))
        .build();
  }

  /** What a chain of methods gives, called on an object at the server. */
  Literal fetch(ObjectRef object, String... methods) {
    Fetch.Builder chain = Fetch.newBuilder().setObjRef(object);
    for (String m : methods) {
      chain.addMethods(Fetch.Method.newBuilder().setMethod(m));
    }
    return command(MlCommand.newBuilder().setFetch(chain)).getParam();
  }

  long size(ObjectRef model) {
    return command(
            MlCommand.newBuilder()
                .setGetModelSize(MlCommand.GetModelSize.newBuilder().setModelRef(model)))
        .getParam()
        .getLong();
  }

  void save(ObjectRef model, String path) {
    command(
        MlCommand.newBuilder()
            .setWrite(MlCommand.Write.newBuilder().setObjRef(model).setPath(path)));
  }

  MlCommandResult.MlOperatorInfo load(String type, OperatorType kind, String path) {
    return command(
            MlCommand.newBuilder()
                .setRead(
                    MlCommand.Read.newBuilder().setOperator(operator(type, kind)).setPath(path)))
        .getOperatorInfo();
  }

  void save(String estimator, Map<String, Literal> params, String path) {
    command(
        MlCommand.newBuilder()
            .setWrite(
                MlCommand.Write.newBuilder()
                    .setOperator(operator(estimator, OperatorType.OPERATOR_TYPE_ESTIMATOR))
                    .setParams(MlParams.newBuilder().putAllParams(params))
                    .setPath(path)));
  }

  /** A metric of one of Spark's evaluators, computed at the server. */
  double evaluate(String evaluator, Map<String, Literal> params, Relation rows) {
    return command(
            MlCommand.newBuilder()
                .setEvaluate(
                    MlCommand.Evaluate.newBuilder()
                        .setEvaluator(operator(evaluator, OperatorType.OPERATOR_TYPE_EVALUATOR))
                        .setParams(MlParams.newBuilder().putAllParams(params))
                        .setDataset(rows)))
        .getParam()
        .getDouble();
  }

  /** Names of the columns. */
  List<String> columns(Relation rows) {
    AnalyzePlanRequest.Schema.Builder schema =
        AnalyzePlanRequest.Schema.newBuilder().setPlan(Plan.newBuilder().setRoot(rows));
    AnalyzePlanRequest request =
        AnalyzePlanRequest.newBuilder()
            .setSessionId(session)
            .setUserContext(user)
            .setSchema(schema)
            .build();
    return stub
        .withDeadlineAfter(2, TimeUnit.MINUTES)
        .analyzePlan(request)
        .getSchema()
        .getSchema()
        .getStruct()
        .getFieldsList()
        .stream()
        .map(DataType.StructField::getName)
        .toList();
  }

  /** Writes rows as Parquet, to a folder that is not there yet. */
  void write(Relation rows, String path) {
    execute(
        Command.newBuilder()
            .setWriteOperation(
                WriteOperation.newBuilder()
                    .setInput(rows)
                    .setSource("parquet")
                    .setPath(path)
                    .setMode(WriteOperation.SaveMode.SAVE_MODE_ERROR_IF_EXISTS)));
  }

  /** A stream of Parquet files. */
  static Relation stream(String path, String schema) {
    Read.DataSource files =
        Read.DataSource.newBuilder().setFormat("parquet").setSchema(schema).addPaths(path).build();
    return Relation.newBuilder()
        .setRead(Read.newBuilder().setDataSource(files).setIsStreaming(true))
        .build();
  }

  /** Writes what is there of a stream as Parquet, and waits for the end. */
  void writeStream(Relation stream, String path, String checkpoints) {
    StreamingQueryInstanceId query =
        execute(
                Command.newBuilder()
                    .setWriteStreamOperationStart(
                        WriteStreamOperationStart.newBuilder()
                            .setInput(stream)
                            .setFormat("parquet")
                            .setPath(path)
                            .putOptions("checkpointLocation", checkpoints)
                            .setOutputMode("append")
                            .setAvailableNow(true)))
            .stream()
            .filter(ExecutePlanResponse::hasWriteStreamOperationStartResult)
            .findFirst()
            .orElseThrow()
            .getWriteStreamOperationStartResult()
            .getQueryId();
    execute(
        Command.newBuilder()
            .setStreamingQueryCommand(
                StreamingQueryCommand.newBuilder()
                    .setQueryId(query)
                    .setAwaitTermination(
                        StreamingQueryCommand.AwaitTerminationCommand.getDefaultInstance())));
  }

  private MlCommandResult command(MlCommand.Builder ml) {
    return execute(Command.newBuilder().setMlCommand(ml)).stream()
        .filter(ExecutePlanResponse::hasMlCommandResult)
        .findFirst()
        .orElseThrow()
        .getMlCommandResult();
  }

  private List<ExecutePlanResponse> execute(Command.Builder command) {
    ExecutePlanRequest request =
        ExecutePlanRequest.newBuilder()
            .setSessionId(session)
            .setUserContext(user)
            .setPlan(Plan.newBuilder().setCommand(command))
            .build();
    List<ExecutePlanResponse> answers = new ArrayList<>();
    stub.withDeadlineAfter(3, TimeUnit.MINUTES).executePlan(request).forEachRemaining(answers::add);
    return answers;
  }

  private static MlOperator operator(String type, OperatorType kind) {
    return MlOperator.newBuilder().setName(type).setUid("remote").setType(kind).build();
  }

  @Override
  public void close() {
    channel.shutdownNow();
    try {
      channel.awaitTermination(10, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
