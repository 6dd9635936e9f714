package io.fragua.op;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.Backend;
import io.fragua.exec.Backends;
import io.fragua.graph.Graph;
import io.fragua.graph.Tracer;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.MutatedUse;
import io.fragua.testing.Runs;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Wrong uses of rows are refused with the same four-part error eager and traced, and those that are
 * allowed after all give the same on every backend. Nothing else is ever thrown.
 */
class MutatedUsesTest {
  /** More are tried with {@code -Dfragua.fuzz=100000}, others with {@code -Dfragua.fuzz.first}. */
  private static final int USES = Integer.getInteger("fragua.fuzz", 5000);

  private static final int FIRST = Integer.getInteger("fragua.fuzz.first", 0);

  /** Larger results of a lucky mutation only take time. */
  private static final long MOST = 1 << 16;

  @Test
  void wrongUsesAreRefusedAlike() {
    List<String> wrong = new ArrayList<>();
    int refused = 0;
    int computed = 0;
    for (int seed = FIRST; seed < FIRST + USES && wrong.size() < 10; seed++) {
      MutatedUse use = new MutatedUse(seed);
      List<TensorType> results = null;
      try {
        results = use.row().inferAll(use.types(), use.attrs());
      } catch (IllegalArgumentException e) {
        refused++;
        check(wrong, seed, use, fourParts(e.getMessage()));
        check(wrong, seed, use, same(e, use));
      } catch (RuntimeException | Error e) {
        check(wrong, seed, use, "infer throws " + e);
      }
      if (results != null
          && results.stream().mapToLong(t -> t.shape().size()).sum() <= MOST
          && results.stream().allMatch(t -> t.shape().rank() < 12)) {
        computed++;
        check(wrong, seed, use, computes(use));
      }
    }
    assertEquals("", String.join("\n", wrong));
    assertTrue(refused > USES / 4 && computed > USES / 10, refused + " and " + computed);
  }

  private static void check(List<String> wrong, int seed, MutatedUse use, String problem) {
    if (problem != null) {
      wrong.add("seed " + seed + ", " + use + ": " + problem);
    }
  }

  /** Who: rule: what was given; what to do. */
  private static String fourParts(String message) {
    boolean ok =
        message != null
            && message.matches("(?s)[a-z0-9_]+: .+: .+; .+")
            && !message.contains("null");
    return ok ? null : "not an error of four parts: " + message;
  }

  private static String same(IllegalArgumentException e, MutatedUse use) {
    try {
      Tensor.recordAll(use.row(), use.attrs(), use.types().stream().map(Tensor::input).toList());
      return "traced, it is accepted";
    } catch (IllegalArgumentException traced) {
      return e.getMessage().equals(traced.getMessage()) ? null : "traced: " + traced.getMessage();
    }
  }

  private static String computes(MutatedUse use) {
    List<Tensor> in = use.inputs();
    List<Graph.Input> inputs = new ArrayList<>();
    for (int i = 0; i < in.size(); i++) {
      inputs.add(new Graph.Input("x" + i, in.get(i).type()));
    }
    Graph g = Tracer.trace(inputs, args -> Tensor.recordAll(use.row(), use.attrs(), args));
    Object expected = outcome(Backends.reference(), g, in);
    Object actual = outcome(Backends.cpu(), g, in);
    if (expected instanceof String || actual instanceof String) {
      return expected.equals(actual) ? null : "reference " + expected + ", cpu " + actual;
    }
    for (int i = 0; i < g.outputs().size(); i++) {
      Tensor e = (Tensor) ((List<?>) expected).get(i);
      Tensor a = (Tensor) ((List<?>) actual).get(i);
      String d = use.tolerance().difference(e, a);
      if (d != null) {
        return "result " + i + ", " + use.tolerance() + ": " + d;
      }
    }
    return null;
  }

  /** Results, or the text of an error that a value caused. */
  private static Object outcome(Backend backend, Graph g, List<Tensor> in) {
    try {
      return Runs.on(backend, g, in);
    } catch (IndexOutOfBoundsException | IllegalArgumentException e) {
      String problem = fourParts(e.getMessage());
      return problem != null ? backend.name() + " " + problem : e.toString();
    } catch (RuntimeException | Error e) {
      return backend.name() + " throws " + e;
    }
  }
}
