package io.fragua.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.Backend;
import io.fragua.exec.Backends;
import io.fragua.graph.Graph;
import io.fragua.testing.RandomCall;
import io.fragua.testing.Runs;
import io.fragua.testing.Tolerance;
import io.fragua.transform.Jit;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/**
 * Every public function of tensors, with operands right and wrong: eager, compiled and by the
 * reference it gives the same, or is refused with the same four-part error. Nothing else is thrown.
 */
class ApiFuzzTest {
  /** More are tried with {@code -Dfragua.fuzz.calls=50000}, others with {@code .first}. */
  private static final int CALLS = Integer.getInteger("fragua.fuzz.calls", 1500);

  private static final int FIRST = Integer.getInteger("fragua.fuzz.first", 0);

  /** Larger values only take time and memory. */
  private static final long MOST = 1 << 16;

  private static Tolerance close(Tensor t) {
    double eps = t.dtype().bytes() == 2 ? 16 : 1 << 13;
    return new Tolerance(eps, eps);
  }

  @Test
  void callsGiveTheSameOrAreRefusedAlike() {
    List<String> wrong = new ArrayList<>();
    Set<String> computed = new TreeSet<>();
    Set<String> refused = new TreeSet<>();
    for (int seed = FIRST; seed < FIRST + CALLS && wrong.size() < 20; seed++) {
      RandomCall call = new RandomCall(seed);
      List<Tensor> in = call.operands();
      Object traced = outcome(() -> Jit.graph(call, in.stream().map(Tensor::type).toList()));
      if (traced instanceof Graph g && isLarge(g)) {
        continue;
      }
      Object eager = outcome(() -> call.apply(in));
      (eager instanceof String ? refused : computed).add(call.name());
      for (Backend b : List.of(Backends.cpu(), Backends.reference())) {
        Object other = traced instanceof Graph g ? outcome(() -> Runs.on(b, g, in)) : traced;
        String d = difference(eager, other);
        if (d != null) {
          wrong.add("seed " + seed + ", " + call + ": eager and " + b.name() + ": " + d);
        }
      }
    }
    assertEquals("", String.join("\n", wrong));
    int all = RandomCall.functions();
    String counts = computed.size() + " computed, " + refused.size() + " refused of " + all;
    assertTrue(CALLS < 1500 || computed.size() > all / 2 && refused.size() > all / 3, counts);
  }

  private static boolean isLarge(Graph g) {
    return g.equations().stream()
        .flatMap(e -> e.types().stream())
        .anyMatch(t -> t.shape().size() > MOST);
  }

  /** What is given, or the text of an error. */
  private static Object outcome(Supplier<Object> call) {
    try {
      return call.get();
    } catch (RuntimeException | Error e) {
      return (e instanceof IllegalArgumentException || e instanceof IndexOutOfBoundsException)
              && String.valueOf(e.getMessage()).matches("(?s)[a-z0-9_]+: .+: .+; .+")
              && !e.getMessage().contains("null")
          ? e.getClass().getSimpleName() + " " + e.getMessage()
          : "bare " + e + " at " + e.getStackTrace()[0];
    }
  }

  private static String difference(Object eager, Object other) {
    for (Object o : new Object[] {eager, other}) {
      if (o instanceof String s && s.startsWith("bare ")) {
        return s;
      }
    }
    if (eager instanceof String || other instanceof String) {
      return eager.equals(other) ? null : eager + " | " + other;
    }
    List<?> a = (List<?>) eager;
    List<?> b = (List<?>) other;
    if (a.size() != b.size()) {
      return a.size() + " and " + b.size() + " results";
    }
    for (int i = 0; i < a.size(); i++) {
      String d = close((Tensor) a.get(i)).difference((Tensor) a.get(i), (Tensor) b.get(i));
      if (d != null) {
        return "result " + i + ": " + d;
      }
    }
    return null;
  }
}
