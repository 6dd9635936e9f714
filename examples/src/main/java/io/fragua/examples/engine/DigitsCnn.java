package io.fragua.examples.engine;

import io.fragua.exec.CompileOptions;
import io.fragua.metrics.Accuracy;
import io.fragua.nn.Activations;
import io.fragua.nn.Conv;
import io.fragua.nn.Dense;
import io.fragua.nn.Dropout;
import io.fragua.nn.Flatten;
import io.fragua.nn.Losses;
import io.fragua.nn.MaxPool;
import io.fragua.nn.Network;
import io.fragua.nn.Sequential;
import io.fragua.optim.Optimizers;
import io.fragua.optim.Schedules;
import io.fragua.optim.Training;
import io.fragua.random.Key;
import io.fragua.random.Sampling;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.transform.Fn;
import io.fragua.transform.Jit;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPInputStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** A convolutional network that reads handwritten digits of 8 x 8 points. */
@Command(
    name = "digits-cnn",
    description = "Teach a convolutional network to read handwritten digits.",
    mixinStandardHelpOptions = true)
public final class DigitsCnn implements Runnable {
  private static final int SIDE = 8;
  private static final int BATCH = 64;

  /** Of 1,797 digits; the others test. The file has the hands of several people in turn. */
  private static final int TRAINED = 1408;

  @Option(
      names = "--epochs",
      paramLabel = "N",
      description = "Passes over the digits (default: ${DEFAULT-VALUE}).")
  private int epochs = 20;

  @Spec private CommandSpec spec;

  /** Made by picocli. */
  public DigitsCnn() {}

  @Override
  public void run() {
    learn(spec.commandLine().getOut(), epochs);
  }

  /** Images [N, 8, 8, 1] from 0 to 1, and what they show. */
  private record Digits(Tensor images, Tensor labels) {
    /** Those at these places, i32 [n]. */
    Digits at(Tensor places) {
      return new Digits(images.gather(places), labels.gather(places));
    }

    Digits slice(int from, int to) {
      return new Digits(images.slice(0, from, to), labels.slice(0, from, to));
    }
  }

  /** Gives the share of test digits that are read correctly. */
  static double learn(PrintWriter out, int epochs) {
    Check.that(epochs >= 1, "digits-cnn --epochs: must be at least 1: %d; leave it out", epochs);
    Digits all = load();
    Digits train = all.slice(0, TRAINED);
    Digits test = all.slice(TRAINED, all.labels().shape().dim(0));
    Network.Body body =
        Network.of(
            new Sequential(
                new Conv(16, 3, 3),
                Activations.get("relu"),
                new Conv(32, 3, 3),
                Activations.get("relu"),
                new MaxPool(2, 2),
                new Flatten(),
                new Dropout(0.25),
                new Dense(64),
                Activations.get("relu"),
                new Dense(10)));
    TensorType images = TensorType.of(DType.F32, BATCH, SIDE, SIDE, 1);
    TensorType labels = TensorType.of(DType.I32, BATCH);
    out.println(Network.table(body, List.of(images)));

    int steps = TRAINED / BATCH;
    Training training =
        new Training(
            body,
            (logits, digit) -> Losses.crossEntropyWithLogits(logits, digit.get(0)).mean(),
            Optimizers.adam(Schedules.cosineDecay(2e-3, steps, steps * epochs, 0)));
    Network.Variables trained;
    try (Training.Run run =
        training.start(
            Network.init(body, List.of(images), Key.of(0)),
            List.of(images),
            List.of(labels),
            Key.of(1),
            CompileOptions.DEFAULT)) {
      for (int epoch = 0; epoch < epochs; epoch++) {
        Tensor order = Sampling.permutation(Key.of(2).foldIn(epoch), TRAINED);
        double loss = 0;
        for (int i = 0; i < steps; i++) {
          Digits batch = train.at(order.slice(0, i * BATCH, (i + 1) * BATCH));
          loss += run.step(batch.images(), batch.labels()) / steps;
        }
        out.printf("epoch %2d  loss %.4f%n", epoch + 1, loss);
      }
      trained = run.variables();
    }
    Fn read =
        Jit.jit(
            Fn.of(
                x ->
                    Network.apply(body, trained, List.of(x), false, null, null)
                        .output()
                        .argmax(1)));
    Accuracy accuracy = new Accuracy();
    accuracy.update(read.call(test.images()), test.labels());
    out.printf("test accuracy %.4f%n", accuracy.value());
    return accuracy.value();
  }

  private static Digits load() {
    try (BufferedReader in =
        new BufferedReader(
            new InputStreamReader(
                new GZIPInputStream(DigitsCnn.class.getResourceAsStream("digits.csv.gz")),
                StandardCharsets.US_ASCII))) {
      int[][] rows =
          in.lines()
              .map(l -> Arrays.stream(l.split(",")).mapToInt(Integer::parseInt).toArray())
              .toArray(int[][]::new);
      int points = SIDE * SIDE;
      float[] images = new float[rows.length * points];
      int[] labels = new int[rows.length];
      for (int i = 0; i < rows.length; i++) {
        labels[i] = rows[i][points];
        for (int k = 0; k < points; k++) {
          images[i * points + k] = rows[i][k] / 16f;
        }
      }
      return new Digits(
          Tensor.of(images, rows.length, SIDE, SIDE, 1), Tensor.of(labels, rows.length));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
