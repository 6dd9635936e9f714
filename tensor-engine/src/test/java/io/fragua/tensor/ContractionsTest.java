package io.fragua.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import io.fragua.graph.Graph;
import io.fragua.testing.Calls;
import io.fragua.testing.Golden;
import io.fragua.testing.GradCheck;
import io.fragua.testing.Values;
import io.fragua.transform.Fn;
import io.fragua.transform.Jit;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Composed products against NumPy's answers, their derivatives, and what einsum refuses. */
class ContractionsTest {
  @TestFactory
  Stream<DynamicTest> composedProductsAreNumPys() {
    return Calls.agree("contractions.json", ContractionsTest::function);
  }

  private static Fn function(JsonNode c) {
    JsonNode args = c.get("args");
    return switch (c.get("fn").textValue()) {
      case "einsum" -> einsum(args.get("equation").textValue());
      case "matmul" -> x -> List.of(x.get(0).matmul(x.get(1)));
      case "dot" -> x -> List.of(x.get(0).dot(x.get(1)));
      case "inner" -> x -> List.of(x.get(0).inner(x.get(1)));
      case "vdot" -> x -> List.of(x.get(0).vdot(x.get(1)));
      case "vecdot" -> x -> List.of(x.get(0).vecdot(x.get(1)));
      case "outer" -> x -> List.of(x.get(0).outer(x.get(1)));
      case "kron" -> x -> List.of(x.get(0).kron(x.get(1)));
      case "cross" -> x -> List.of(x.get(0).cross(x.get(1)));
      case "trace" -> x -> List.of(x.get(0).trace());
      case "diagonal" -> x -> List.of(x.get(0).diagonal());
      case "tensordot" ->
          args.has("axes")
              ? x -> List.of(x.get(0).tensordot(x.get(1), args.get("axes").intValue()))
              : x ->
                  List.of(
                      x.get(0)
                          .tensordot(
                              x.get(1), Golden.ints(args.get("a")), Golden.ints(args.get("b"))));
      default -> throw new IllegalArgumentException(c.get("fn").textValue());
    };
  }

  private static Fn einsum(String equation) {
    return x -> List.of(Contractions.einsum(equation, x.toArray(Tensor[]::new)));
  }

  private static Tensor f64(int... dims) {
    return Values.range(-1, 1).make(TensorType.of(DType.F64, dims), dims.length + 31L);
  }

  @Test
  void einsumDifferentiatesTwice() {
    record Use(String equation, List<Tensor> at) {}
    for (Use u :
        List.of(
            new Use("ii->i", List.of(f64(3, 3))),
            new Use("bqd,bkd->bqk", List.of(f64(2, 3, 4), f64(2, 2, 4))),
            new Use("...ij,...jk->...ik", List.of(f64(2, 1, 2, 3), f64(2, 3, 2))),
            new Use("ij,jk,kl->il", List.of(f64(2, 3), f64(3, 2), f64(2, 4))))) {
      assertNull(GradCheck.first(einsum(u.equation()), u.at()), u.equation());
      assertNull(GradCheck.second(einsum(u.equation()), u.at()), u.equation());
    }
    assertNull(GradCheck.first(x -> List.of(x.get(0).cross(x.get(1))), List.of(f64(2, 3), f64(3))));
    assertNull(GradCheck.first(x -> List.of(x.get(0).kron(x.get(1))), List.of(f64(2, 2), f64(3))));
  }

  /** The small result in the middle comes first, though it is not the first pair. */
  @Test
  void manyOperandsAreContractedInACheapOrder() {
    List<TensorType> types =
        List.of(
            TensorType.of(DType.F32, 50, 40),
            TensorType.of(DType.F32, 40, 60),
            TensorType.of(DType.F32, 60, 1));
    Graph g = Jit.graph(einsum("ij,jk,kl->il"), types);
    List<String> products = new ArrayList<>();
    for (Graph.Equation e : g.equations()) {
      if (e.op().name().equals("matmul")) {
        products.add(e.type().shape().toString());
      }
    }
    assertEquals(List.of("[40, 1]", "[50, 1]"), products);
  }

  @Test
  void einsumRefusesWhatDoesNotFit() {
    Tensor m = f64(2, 3);
    for (String equation :
        List.of(
            "i",
            "ijk",
            "i?->i",
            "ij->ii",
            "ij->k",
            "ij,jk->ik",
            "......ij->ij",
            "...i->i",
            "ii",
            "i...jk->i",
            "ij->i>j",
            "")) {
      ShapeException e =
          assertThrows(ShapeException.class, () -> Contractions.einsum(equation, m), equation);
      assertEquals("einsum: ", e.getMessage().substring(0, 8));
      assertEquals(true, e.getMessage().contains(equation + "\" on f64[2, 3]; "), e.getMessage());
    }
  }

  @Test
  void productsRefuseWhatDoesNotFit() {
    Tensor m = f64(2, 3);
    Tensor v = f64(4);
    for (Runnable r :
        List.<Runnable>of(
            () -> m.vdot(v),
            () -> m.vecdot(v),
            () -> m.cross(v),
            () -> m.inner(v),
            () -> m.dot(v),
            () -> m.tensordot(v, 1),
            () -> m.tensordot(v, 3),
            () -> m.tensordot(m, new int[] {0, 0}, new int[] {0, 0}),
            () -> v.trace(),
            () -> v.diagonal())) {
      assertThrows(ShapeException.class, r::run);
    }
  }
}
