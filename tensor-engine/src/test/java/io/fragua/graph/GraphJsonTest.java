package io.fragua.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.testing.GraphCases;
import io.fragua.testing.OpCase;
import io.fragua.testing.OpCases;
import io.fragua.testing.Values;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What is written is read again; what nobody wrote is refused with a sentence. */
class GraphJsonTest {
  private static final String GOOD =
      """
      {"format": 1,
       "inputs": [{"name": "x", "dtype": "f32", "shape": [2]}],
       "constants": [{"dtype": "i32", "shape": [1], "data": "AQAAAA=="}],
       "equations": [{"op": "neg", "dtype": "f32", "shape": [2], "inputs": [0]},
                     {"op": "reduce_sum", "dtype": "f32", "shape": [], "inputs": [2],
                      "attrs": {"axes": [0]}},
                     {"op": "pad", "dtype": "f32", "shape": [3], "inputs": [0],
                      "attrs": {"axis": 0, "low": 1, "high": 0, "interior": 0,
                                "value": {"real": "NaN"}}}],
       "outputs": [{"name": "y", "value": 3}, {"name": "z", "value": 4}]}
      """;

  /** A replacement in the good text, and what the error must say. */
  private record Hostile(String from, String to, String error) {}

  private static final List<Hostile> HOSTILE =
      List.of(
          new Hostile("{\"format\"", "\"format\"", "graph: the text must be JSON"),
          new Hostile("\"value\": 4}]}", "\"value\": 4}]", "graph: the text must be JSON"),
          new Hostile("\"value\": 4}]}", "\"value\": 4}]} x", "graph: the text must be JSON"),
          new Hostile("\"format\": 1,", "", "\"format\" must be an int"),
          new Hostile("\"format\": 1", "\"format\": \"1\"", "\"format\" must be an int"),
          new Hostile("\"format\": 1", "\"format\": 1e30", "\"format\" must be an int"),
          new Hostile(
              "\"format\": 1",
              "\"format\": 3",
              "graph: this version reads formats 1 to 2: format 3; load it with a newer Fragua"),
          new Hostile("\"format\": 1", "\"format\": 0", "format 0"),
          new Hostile("\"inputs\": [{", "\"input\": [{", "\"inputs\" must be a list"),
          new Hostile("\"constants\"", "\"x\"", "\"constants\" must be a list"),
          new Hostile("\"equations\": [", "\"equations\": 7, \"x\": [", "must be a list: 7"),
          new Hostile("\"outputs\"", "\"x\"", "\"outputs\" must be a list"),
          new Hostile("\"name\": \"x\", ", "", "\"name\" must be a text"),
          new Hostile("\"name\": \"x\"", "\"name\": null", "\"name\" must be a text: null"),
          new Hostile("\"dtype\": \"i32\"", "\"dtype\": \"i33\"", "dtype: the name must be one of"),
          new Hostile("\"shape\": [2]}", "\"shape\": [-2]}", "sizes must not be negative: [-2]"),
          new Hostile("\"shape\": [2]}", "\"shape\": [2.5]}", "a list element must be an int: 2.5"),
          new Hostile("\"shape\": [2]}", "\"shape\": [4294967298]}", "must be an int: 4294967298"),
          new Hostile("\"shape\": [2]}", "\"shape\": {\"0\": 2}}", "\"shape\" must be a list"),
          new Hostile(
              "\"shape\": [2]}",
              "\"shape\": [2147483647, 2147483647, 2147483647]}",
              "the number of elements must be below 2^63"),
          new Hostile(
              "\"shape\": [2]}",
              "\"shape\": [2147483647, 2147483647, 2]}",
              "the number of bytes must be below 2^63"),
          new Hostile(
              "\"shape\": [1], \"data\"",
              "\"shape\": [2147483647, 1000], \"data\"",
              "graph: a constant's data must fit its type: i32[2147483647, 1000] needs"
                  + " 8589934588000 bytes, got 4"),
          new Hostile(
              "\"shape\": [1], \"data\"", "\"shape\": [2], \"data\"", "needs 8 bytes, got 4"),
          new Hostile("AQAAAA==", "AQAAAA", "a constant's data must be base64"),
          new Hostile("AQAAAA==", "AQAA", "needs 4 bytes, got 3"),
          new Hostile("AQAAAA==", "*!", "a constant's data must be base64"),
          new Hostile("\"AQAAAA==\"", "7", "needs 4 bytes, got none"),
          new Hostile(
              "\"dtype\": \"i32\", \"shape\": [1], \"data\": \"AQAAAA==\"",
              "\"dtype\": \"bool\", \"shape\": [1], \"data\": \"Ag==\"",
              "a bool constant holds bytes 0 and 1: 2 at position 0 of bool[1]"),
          new Hostile(
              "\"op\": \"neg\"", "\"op\": \"exec\"", "op table: no op of this name: \"exec\""),
          new Hostile("\"op\": \"neg\", ", "", "\"op\" must be a text"),
          new Hostile(
              "\"inputs\": [0]},",
              "\"inputs\": [2]},",
              "equation %2 (neg) reads %2, 2 are defined"),
          new Hostile("\"inputs\": [0]},", "\"inputs\": [3]},", "reads %3, 2 are defined"),
          new Hostile("\"inputs\": [0]},", "\"inputs\": [-1]},", "reads %-1, 2 are defined"),
          new Hostile(
              "\"inputs\": [0]},", "\"inputs\": [\"0\"]},", "a value number must be an int"),
          new Hostile("\"inputs\": [0]},", "\"inputs\": []},", "neg: takes 1 operands: 0 given"),
          new Hostile(
              "\"inputs\": [0]},", "\"inputs\": [0, 0]},", "neg: takes 1 operands: 2 given"),
          new Hostile(
              "\"dtype\": \"f32\", \"shape\": [2], \"inputs\": [0]}",
              "\"dtype\": \"f64\", \"shape\": [2], \"inputs\": [0]}",
              "an equation's type must follow from its op: neg gives f32[2], stated f64[2]"),
          new Hostile("\"shape\": [], \"inputs\"", "\"shape\": [9], \"inputs\"", "stated f32[9]"),
          new Hostile("{\"axes\": [0]}", "{}", "setting \"axes\" must be of type int[]: null"),
          new Hostile("{\"axes\": [0]}", "{\"axes\": 0}", "setting \"axes\" must be of type int[]"),
          new Hostile("{\"axes\": [0]}", "{\"axes\": [7]}", "axis must lie in [0, 1): axis 7"),
          new Hostile("{\"axes\": [0]}", "{\"axes\": [0, 0]}", "axes must be ascending"),
          new Hostile("{\"axes\": [0]}", "{\"axes\": [0.5]}", "a list element must be an int: 0.5"),
          new Hostile("{\"axes\": [0]}", "{\"axes\": true}", "\"real\" must be a text"),
          new Hostile("{\"axes\": [0]}", "[0]", "\"attrs\" must be an object: [0]"),
          new Hostile("\"real\": \"NaN\"", "\"real\": \"no\"", "a real setting must be a number"),
          new Hostile("\"real\": \"NaN\"", "\"real\": 1", "\"real\" must be a text: 1"),
          new Hostile("\"low\": 1", "\"low\": 2147483647", "pad: sizes must stay below 2^31"),
          new Hostile("\"low\": 1", "\"low\": -1", "must not be negative"),
          new Hostile("\"name\": \"z\"", "\"name\": \"y\"", "output names are unique: \"y\" twice"),
          new Hostile("\"value\": 4}", "\"value\": 5}", "output z reads %5, 5 are defined"),
          new Hostile("\"value\": 4}", "\"value\": -1}", "output z reads %-1"),
          new Hostile(
              "\"inputs\": [{\"name\": \"x\", \"dtype\": \"f32\", \"shape\": [2]}]",
              "\"inputs\": [{\"name\": \"x\", \"dtype\": \"f32\", \"shape\": [2]},"
                  + " {\"name\": \"x\", \"dtype\": \"f32\", \"shape\": [2]}]",
              "input names are unique: \"x\" twice"));

  @TestFactory
  Stream<DynamicTest> refusesWithASentence() {
    return HOSTILE.stream()
        .map(
            h ->
                DynamicTest.dynamicTest(
                    h.from() + " -> " + h.to(),
                    () -> {
                      assertTrue(GOOD.contains(h.from()), "the good text holds what is replaced");
                      String text = GOOD.replace(h.from(), h.to());
                      String m =
                          assertThrows(IllegalArgumentException.class, () -> GraphJson.read(text))
                              .getMessage();
                      assertTrue(m.contains(h.error()), m);
                    }));
  }

  @Test
  void refusesDeepNesting() {
    String deep = "[".repeat(100_000);
    assertThrows(IllegalArgumentException.class, () -> GraphJson.read(deep));
    assertThrows(IllegalArgumentException.class, () -> GraphJson.read(""));
    assertThrows(IllegalArgumentException.class, () -> GraphJson.read("null"));
  }

  @Test
  void readsTheGoodText() {
    Graph g = GraphJson.read(GOOD);
    assertEquals("f32[3]", g.outputTypes().get(1).toString());
    assertArrayEquals(new int[] {1}, g.constants().get(0).toInts());
    assertTrue(Double.isNaN(g.equations().get(2).attrs().real("value")));
    assertEquals(g.toString(), GraphJson.read(GraphJson.write(g)).toString());
  }

  @Test
  void everyRowRoundTripsToTheSameText() {
    for (OpCase c : OpCases.all()) {
      if (c.size() < 100) {
        roundTrip(c.graph());
      }
    }
  }

  @Test
  void programsRoundTripToTheSameText() {
    GraphCases.all().forEach(c -> roundTrip(c.graph()));
    roundTrip(GraphPrinterTest.layer());
  }

  @Test
  void constantsOfEveryTypeRoundTripBitByBit() {
    for (DType t : DType.values()) {
      for (int[] dims : new int[][] {{}, {0}, {17}, {3, 0, 2}}) {
        Tensor c = Values.bits().make(io.fragua.tensor.TensorType.of(t, dims), 1);
        Graph g = Tracer.trace(List.of(), in -> List.of(c));
        Tensor back = GraphJson.read(GraphJson.write(g)).constants().get(0);
        assertEquals(c.type(), back.type());
        assertEquals(-1, c.buffer().bytes().mismatch(back.buffer().bytes()), t.toString());
      }
    }
  }

  @Test
  void longConstantsAreRead() {
    Tensor c = Tensor.zeros(DType.F32, 5_000_000); // 27 million characters of base64
    Graph g = Tracer.trace(List.of(), in -> List.of(c));
    assertEquals(c.type(), GraphJson.read(GraphJson.write(g)).constants().get(0).type());
  }

  private static void roundTrip(Graph g) {
    String text = GraphJson.write(g);
    Graph back = GraphJson.read(text);
    assertEquals(text, GraphJson.write(back));
    assertEquals(g.toString(), back.toString());
  }
}
