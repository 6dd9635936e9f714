package io.fragua.examples.engine;

import io.fragua.nn.Losses;
import io.fragua.random.Key;
import io.fragua.random.Random;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.transform.Fn;
import io.fragua.transform.Grad;
import io.fragua.transform.Jit;
import io.fragua.transform.Vmap;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/**
 * The gradient of each example by itself: which examples pull hardest, and which are mislabelled.
 */
@Command(
    name = "per-example-gradients",
    description = "Find wrong labels by the gradient of each example: jit(vmap(grad(f))).",
    mixinStandardHelpOptions = true)
public final class PerExampleGradients implements Runnable {
  private static final int EXAMPLES = 200;
  private static final int WRONG = 5;
  private static final int LOOKED_AT = 8;

  @Spec private CommandSpec spec;

  /** Made by picocli. */
  public PerExampleGradients() {}

  @Override
  public void run() {
    find(spec.commandLine().getOut());
  }

  /** Gives how many of the wrong labels are among the examples with the longest gradients. */
  static int find(PrintWriter out) {
    List<Key> keys = Key.of(1).split(2);
    Tensor x = Random.normal(keys.get(0), Shape.of(EXAMPLES, 4));
    Tensor truth = Random.normal(keys.get(1), Shape.of(4, 1)).mul(3);
    Tensor labels = x.matmul(truth).reshape(EXAMPLES).greater(0).cast(DType.F32);
    // The first few labels are turned round.
    Tensor wrong =
        Tensor.scalar(DType.I32, WRONG).greater(labels.iotaLike(DType.I32, labels.shape(), 0));
    Tensor given = wrong.select(Tensor.scalar(DType.F32, 1).sub(labels), labels);

    // The loss of one example; nothing in it knows of many.
    Fn loss =
        args -> {
          Tensor logit = args.get(1).reshape(1, 4).matmul(args.get(0)).reshape();
          return List.of(Losses.binaryCrossEntropyWithLogits(logit, args.get(2)));
        };
    // Weights are shared by all examples (null), rows and labels are mapped along their axis 0.
    List<Integer> axes = Arrays.asList(null, 0, 0);
    Fn each = Jit.jit(Vmap.vmap(Grad.grad(loss, 0), axes));

    Tensor weights = Tensor.full(truth.type(), 0);
    for (int step = 0; step < 100; step++) { // the mean of all examples' gradients trains
      Tensor g = each.apply(List.of(weights, x, given)).get(0).mean(0);
      weights = weights.sub(g.mul(1.0));
    }
    float[] norms =
        each.apply(List.of(weights, x, given)).get(0).square().sum(1, 2).sqrt().toFloats();
    Integer[] order = new Integer[EXAMPLES];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, (a, b) -> Float.compare(norms[b], norms[a]));
    int found = 0;
    out.println("longest gradients:");
    for (int i = 0; i < LOOKED_AT; i++) {
      boolean turned = order[i] < WRONG;
      found += turned ? 1 : 0;
      out.printf(
          "  example %3d  %.3f%s%n", order[i], norms[order[i]], turned ? "  wrong label" : "");
    }
    out.printf("%d of %d wrong labels found%n", found, WRONG);
    return found;
  }
}
