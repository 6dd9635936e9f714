package io.fragua.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.fragua.exec.Backend;
import io.fragua.exec.Backends;
import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.transform.Fn;
import io.fragua.transform.Jit;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;

/**
 * Golden uses of composed functions: each case of the file holds a function's name {@code fn},
 * settings {@code args}, operands, one result and the tolerance.
 */
public final class Calls {
  private Calls() {}

  /** A test a case: both backends must agree with the file. */
  public static Stream<DynamicTest> agree(String file, Function<JsonNode, Fn> function) {
    return StreamSupport.stream(Golden.json(file).get("cases").spliterator(), false)
        .map(c -> DynamicTest.dynamicTest(name(c), () -> check(c, function.apply(c))));
  }

  private static String name(JsonNode c) {
    List<String> shapes = new ArrayList<>();
    c.get("inputs").forEach(n -> shapes.add(tensor(n).type().toString()));
    return c.get("fn").textValue() + c.get("args") + " " + shapes;
  }

  private static void check(JsonNode c, Fn f) {
    List<Tensor> in = new ArrayList<>();
    c.get("inputs").forEach(n -> in.add(tensor(n)));
    Tensor expected = tensor(c.get("output"));
    Tolerance t =
        new Tolerance(c.get("tolerance").get(0).asDouble(), c.get("tolerance").get(1).asDouble());
    Graph g = Jit.graph(f, in.stream().map(Tensor::type).toList());
    for (Backend b : List.of(Backends.reference(), Backends.cpu())) {
      assertEquals(null, t.difference(expected, Runs.on(b, g, in).get(0)), b.toString());
    }
  }

  private static Tensor tensor(JsonNode n) {
    TensorType type =
        new TensorType(
            DType.parse(n.get("dtype").textValue()), Shape.of(Golden.ints(n.get("shape"))));
    Buffer b = Buffer.collected(type.byteSize());
    for (int i = 0; i < n.get("data").size(); i++) {
      b.putDouble(type.dtype(), i, n.get("data").get(i).doubleValue());
    }
    return Tensor.of(type, b);
  }
}
