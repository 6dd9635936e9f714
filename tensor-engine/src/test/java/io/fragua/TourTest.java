package io.fragua;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.io.Safetensors;
import io.fragua.nn.Activations;
import io.fragua.nn.Dense;
import io.fragua.nn.Layer;
import io.fragua.nn.Losses;
import io.fragua.nn.Network;
import io.fragua.nn.ParamTree;
import io.fragua.nn.Sequential;
import io.fragua.optim.GradientTransform;
import io.fragua.optim.Optimizers;
import io.fragua.optim.Schedules;
import io.fragua.random.Key;
import io.fragua.tensor.Tensor;
import io.fragua.transform.CustomVjp;
import io.fragua.transform.Fn;
import io.fragua.transform.Grad;
import io.fragua.transform.Jacobian;
import io.fragua.transform.Jit;
import io.fragua.transform.Jvp;
import io.fragua.transform.Vmap;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The tour of README.md, run; and a check that the README shows just this. */
class TourTest {
  @Test
  void gradients() {
    // tour 1
    Tensor x = Tensor.of(new float[] {1, 2, 3}, 3);
    Fn f = Fn.of(t -> t.square().sum());
    Tensor slope = Grad.grad(f).call(x); // [2, 4, 6]
    Tensor fast = Jit.jit(Grad.grad(f)).call(x); // the same, compiled
    // end
    assertArrayEquals(new float[] {2, 4, 6}, slope.toFloats());
    assertArrayEquals(new float[] {2, 4, 6}, fast.toFloats());
  }

  @Test
  void training() throws IOException {
    // tour 2
    Tensor x = Tensor.of(new float[] {0, 0, 0, 1, 1, 0, 1, 1}, 4, 2);
    Tensor y = Tensor.of(new float[] {0, 1, 1, 0}, 4); // exclusive or

    Layer layer = new Sequential(new Dense(8), Activations.get("tanh"), new Dense(1));
    Network.Body body = (s, in) -> layer.apply(s, in.get(0)).reshape(4);
    Network.Variables start = Network.init(body, List.of(x.type()), Key.of(0));
    GradientTransform adam = Optimizers.adam(Schedules.constant(0.05));

    // One step as a pure function of parameters and optimizer state, compiled as one program.
    ParamTree params = start.params();
    ParamTree state = adam.init(params);
    int n = params.size();
    Fn loss =
        leaves -> {
          Network.Variables v = new Network.Variables(params.withLeaves(leaves), start.state());
          Tensor logits = Network.apply(body, v, List.of(x), false, null, null).output();
          return List.of(Losses.binaryCrossEntropyWithLogits(logits, y).mean());
        };
    Fn step =
        Jit.jit(
            leaves -> {
              ParamTree p = params.withLeaves(leaves.subList(0, n));
              ParamTree old = state.withLeaves(leaves.subList(n, leaves.size()));
              ParamTree g = params.withLeaves(Grad.grad(loss).apply(p.leaves()));
              GradientTransform.Update u = adam.update(g, old, p);
              List<Tensor> next = new ArrayList<>(Optimizers.applyUpdates(p, u.updates()).leaves());
              next.addAll(u.state().leaves());
              return next;
            });

    List<Tensor> now = new ArrayList<>(params.leaves());
    now.addAll(state.leaves());
    for (int i = 0; i < 200; i++) {
      now = step.apply(now);
    }
    ParamTree trained = params.withLeaves(now.subList(0, n));

    ByteArrayOutputStream file = new ByteArrayOutputStream();
    Safetensors.write(file, trained.asMap(), Map.of("task", "xor"));
    // end
    double before = loss.apply(params.leaves()).get(0).item();
    double after = loss.apply(trained.leaves()).get(0).item();
    assertTrue(before > 0.5 && after < 0.05, before + " to " + after);
    Safetensors read = Safetensors.read(file.toByteArray(), "xor");
    assertEquals(after, loss.apply(params.fill(read.tensors(), "xor").leaves()).get(0).item());
    assertEquals(
        """
        parameter       shape   elements
        dense_0.kernel  [2, 8]        16
        dense_0.bias    [8]            8
        dense_1.kernel  [8, 1]         8
        dense_1.bias    [1]            1
        trained                       33
        """,
        Network.summary(body, List.of(x.type())));
  }

  @Test
  void transforms() {
    // tour 3
    // The loss of one example, (w . x)^2, for parameters w and features x.
    Fn loss = Fn.of((w, x) -> w.mul(x).sum().square());
    Tensor w = Tensor.of(new float[] {0.5f, -1}, 2);
    Tensor xs = Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 3, 2); // three examples

    // The gradient of each example: w is shared by all (null), xs is mapped along its axis 0.
    Fn each = Vmap.vmap(Grad.grad(loss, 0), Arrays.asList(null, 0));
    Tensor perExample = Jit.jit(each).call(w, xs); // [3, 2]

    Fn total = Fn.of(v -> Vmap.vmap(loss, Arrays.asList(null, 0)).call(v, xs).mean());
    Tensor curvature = Jacobian.hessian(total).call(w); // [2, 2]
    Jvp along = Jvp.jvp(total, List.of(w), List.of(w)); // value and slope in the direction of w

    // A step that rounds, with the derivative of one that does not.
    Fn rounded = CustomVjp.customVjp(Fn.of(v -> v.round()), (operands, g) -> g);
    Tensor straight = Grad.grad(Fn.of(v -> rounded.call(v).square().sum())).call(w);
    // end
    assertArrayEquals(new float[] {-3, -6, -15, -20, -35, -42}, perExample.toFloats());
    assertArrayEquals(
        new float[] {70 / 3f, 88 / 3f, 88 / 3f, 112 / 3f}, curvature.toFloats(), 1e-5f);
    assertEquals((2.25 + 6.25 + 12.25) / 3, along.outputs().get(0).item(), 1e-5);
    assertEquals(2 * (2.25 + 6.25 + 12.25) / 3, along.tangents().get(0).item(), 1e-5);
    assertArrayEquals(new float[] {0, -2}, straight.toFloats()); // half rounds to even
  }

  @Test
  void theReadmeShowsThisCode() throws IOException {
    String readme = Files.readString(Path.of("README.md"));
    String source = Files.readString(Path.of("src/test/java/io/fragua/TourTest.java"));
    for (int i = 1; i <= 3; i++) {
      int from = source.indexOf("    // tour " + i + "\n");
      String code = source.substring(from, source.indexOf("    // end\n", from));
      code = code.substring(code.indexOf('\n') + 1).replaceAll("(?m)^ {4}", "");
      assertTrue(
          readme.contains("```java\n" + code + "```"),
          "tour " + i + " in README.md must be\n" + code);
    }
  }
}
