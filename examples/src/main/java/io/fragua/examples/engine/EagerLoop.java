package io.fragua.examples.engine;

import io.fragua.nn.Losses;
import io.fragua.random.Key;
import io.fragua.random.Random;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** A training loop line by line, as in PyTorch: no function is traced, nothing is compiled. */
@Command(
    name = "eager-loop",
    description = "Train line by line, as in PyTorch: requiresGrad, backward, grad.",
    mixinStandardHelpOptions = true)
public final class EagerLoop implements Runnable {
  @Spec private CommandSpec spec;

  /** Made by picocli. */
  public EagerLoop() {}

  @Override
  public void run() {
    train(spec.commandLine().getOut());
  }

  /** Gives the loss at the end. */
  static double train(PrintWriter out) {
    Tensor x = Tensor.of(new float[] {0, 0, 0, 1, 1, 0, 1, 1}, 4, 2);
    Tensor y = Tensor.of(new float[] {0, 1, 1, 0}, 4); // exclusive or
    List<Key> keys = Key.of(0).split(3);
    List<Tensor> params = new ArrayList<>();
    params.add(Random.normal(keys.get(0), Shape.of(2, 8)).requiresGrad());
    params.add(Random.normal(keys.get(1), Shape.of(8)).requiresGrad());
    params.add(Random.normal(keys.get(2), Shape.of(8, 1)).requiresGrad());
    double value = Double.NaN;
    for (int step = 0; step <= 200; step++) {
      Tensor hidden = x.matmul(params.get(0)).add(params.get(1)).tanh();
      Tensor logits = hidden.matmul(params.get(2)).reshape(4);
      Tensor loss = Losses.binaryCrossEntropyWithLogits(logits, y).mean();
      loss.backward(); // each parameter now has its gradient
      // New parameters rather than changed ones: tensors never change.
      params.replaceAll(p -> p.detach().sub(p.grad().mul(1.0)).requiresGrad());
      value = loss.item();
      if (step % 50 == 0) {
        out.printf("step %3d  loss %.4f%n", step, value);
      }
    }
    return value;
  }
}
