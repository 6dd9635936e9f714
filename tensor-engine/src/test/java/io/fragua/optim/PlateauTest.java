package io.fragua.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.fragua.nn.ParamTree;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.testing.Golden;
import io.fragua.transform.Jit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Wrappers whose effect depends on what happens: plateaus, numbers that are not finite, groups. */
class PlateauTest {
  private static final JsonNode GOLDEN = Golden.json("optim.json");

  @Test
  void theScaleFallsAsOptaxs() {
    follow(new Plateau(0.5, 2), "two");
    follow(new Plateau(0.1, 2, 1e-2, 0.5, 2, 2, 0.05), "settings");
  }

  private static void follow(Plateau plateau, String name) {
    GradientTransform t = Transforms.chain(Transforms.scale(-1), plateau.transform());
    ParamTree p = ParamTree.of("w", Tensor.of(new float[] {1}, 1));
    ParamTree start = t.init(p);
    ParamTree eager = start;
    List<Tensor> compiled = start.leaves();
    JsonNode values = GOLDEN.get("plateaus").get("values");
    var told =
        Jit.jit(
            a -> {
              ParamTree s = start.withLeaves(a.subList(0, a.size() - 1));
              return plateau.told(s, a.get(a.size() - 1)).leaves();
            });
    for (int i = 0; i < values.size(); i++) {
      double value = values.get(i).doubleValue();
      eager = plateau.told(eager, value);
      List<Tensor> in = new ArrayList<>(compiled);
      in.add(Tensor.scalar(DType.F32, value));
      compiled = told.apply(in);
      JsonNode want = GOLDEN.get("plateaus").get(name).get(i);
      GradientTransform.Update u = t.update(p, eager, p);
      assertEquals(number(want.get(0)), -u.updates().get("w").item(), 1e-7, "update " + i);
      assertEquals(start.toString(), u.state().toString());
      List<String> names =
          List.of("plateau_scale", "best_value", "plateau_count", "cooldown_count", "count");
      for (int k = 0; k < 6; k++) {
        String n = "1." + (k < 5 ? names.get(k) : "avg_value");
        String where = n + " at " + i;
        assertEquals(number(want.get(k)), eager.get(n).item(), 1e-7, where);
        assertEquals(number(want.get(k)), start.withLeaves(compiled).get(n).item(), 1e-7, where);
      }
    }
  }

  @Test
  void stepsThatAreNotFiniteAreLeftOut() {
    GradientTransform t = Wrappers.applyIfFinite(Optimizers.sgd(Schedules.constant(0.5), 0.5), 2);
    ParamTree p = ParamTree.of("w", Tensor.of(new float[] {1, 2}, 2));
    ParamTree s = t.init(p);
    float inf = Float.POSITIVE_INFINITY;
    float[] bad = {0, inf, 0, Float.NaN, -inf, 0, inf, inf, inf};
    for (int i = 0; i < bad.length; i++) {
      ParamTree g = ParamTree.of("w", Tensor.of(new float[] {0.5f, 0.25f + bad[i]}, 2));
      GradientTransform.Update u = t.update(g, s, p);
      p = Optimizers.applyUpdates(p, u.updates());
      s = u.state();
      JsonNode want = GOLDEN.get("not finite").get(i);
      float[] now = p.get("w").toFloats();
      double[] all = {
        now[0],
        now[1],
        s.get("notfinite_count").item(),
        s.get("last_finite").item(),
        s.get("total_notfinite").item()
      };
      for (int k = 0; k < 5; k++) {
        assertEquals(number(want.get(k)), (float) all[k], 1e-6f, i + ", " + k);
      }
    }
    assertTrue(Float.isInfinite(p.get("w").toFloats()[1]), "it gave up waiting");
  }

  @Test
  void groupsHaveTheirOwnStates() {
    ParamTree p =
        ParamTree.of("body.w", Tensor.of(new float[] {1, 2}, 2))
            .concat(ParamTree.of("head.w", Tensor.of(new float[] {3}, 1)))
            .concat(ParamTree.of("table", Tensor.of(new float[] {4}, 1)));
    GradientTransform t =
        Wrappers.partition(
            Map.of(
                "body", Optimizers.sgd(Schedules.constant(0.1), 0.9),
                "head", Optimizers.adam(Schedules.constant(1)),
                "still", Transforms.scale(0)),
            name -> name.equals("table") ? "still" : name.substring(0, 4));
    ParamTree s = t.init(p);
    assertEquals(
        "{body.0.trace.body.w: f32[2], body.1.count: f32[], head.0.count: f32[], head.0.mu.head.w:"
            + " f32[1], head.0.nu.head.w: f32[1], head.1.count: f32[]}",
        s.toString());
    GradientTransform.Update u = t.update(p, s, p);
    assertEquals(p.names(), u.updates().names());
    assertEquals(-0.1f, u.updates().get("body.w").toFloats()[0], 1e-6f);
    assertEquals(-1, u.updates().get("head.w").item(), 1e-5);
    assertEquals(0, u.updates().get("table").item());
  }

  @Test
  void wrongUseIsExplained() {
    ParamTree p = ParamTree.of("x", Tensor.of(new float[2], 2));
    assertEquals(
        "partition: a parameter is of one of the groups [a]: \"x\" is of b; add the group or"
            + " correct the function",
        message(() -> Wrappers.partition(Map.of("a", Transforms.scale(1)), n -> "b").init(p)));
    assertEquals(
        "partition: a group's name is not empty and has no dot: \"a.b\"; rename it",
        message(() -> Wrappers.partition(Map.of("a.b", Transforms.scale(1)), n -> "b")));
    assertEquals(
        "apply_if_finite: a number of steps is not negative: -1; correct it",
        message(() -> Wrappers.applyIfFinite(Transforms.scale(1), -1)));
    assertEquals(
        "plateau: a factor lies in (0, 1): 1.0; correct it", message(() -> new Plateau(1, 2)));
    assertEquals(
        "plateau: patience and every are 1 or more, cooldown is not negative: 0, 1, 0; correct"
            + " them",
        message(() -> new Plateau(0.5, 0)));
    assertEquals(
        "plateau: the state must have a scale: [count]; chain transform() behind the optimizer",
        message(() -> new Plateau(0.5, 1).told(Verb.count(), 1)));
    assertEquals(
        "exponential_decay: the first step is not negative: -1; correct it",
        message(() -> Schedules.exponentialDecay(1, 1, 0.5, -1, false, 0)));
    assertEquals(
        "linear_onecycle: last lies in [start, 1]: 0.2; correct it",
        message(() -> Schedules.linearOnecycle(10, 1, 0.3, 0.2, 25, 1e4)));
    assertEquals(
        "scale_by_trust_ratio: eps is finite and not negative: -1.0; correct it",
        message(() -> Transforms.scaleByTrustRatio(1, -1)));
  }

  private static float number(JsonNode text) {
    return Float.parseFloat(text.asText().replace("inf", "Infinity").replace("nan", "NaN"));
  }

  private static String message(Runnable r) {
    return assertThrows(IllegalArgumentException.class, r::run).getMessage();
  }
}
