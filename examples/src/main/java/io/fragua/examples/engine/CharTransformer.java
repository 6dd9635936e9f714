package io.fragua.examples.engine;

import io.fragua.exec.CompileOptions;
import io.fragua.nn.Activations;
import io.fragua.nn.Dense;
import io.fragua.nn.Embedding;
import io.fragua.nn.Initializers;
import io.fragua.nn.LayerNorm;
import io.fragua.nn.Losses;
import io.fragua.nn.Network;
import io.fragua.nn.Scope;
import io.fragua.nn.TransformerEncoderLayer;
import io.fragua.optim.Optimizers;
import io.fragua.optim.Schedules;
import io.fragua.optim.Training;
import io.fragua.optim.Transforms;
import io.fragua.random.Key;
import io.fragua.random.Random;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.transform.Fn;
import io.fragua.transform.Jit;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * A transformer that reads a text character by character, learns which comes next, and then writes
 * one of its own: a GPT in small. The text is the Constitution of the United States.
 */
@Command(
    name = "char-transformer",
    description = "Teach a small GPT to write, character by character.",
    mixinStandardHelpOptions = true)
public final class CharTransformer implements Runnable {
  /** Characters that the network sees at once. */
  private static final int WINDOW = 64;

  private static final int WIDTH = 96;
  private static final int HEADS = 4;
  private static final int LAYERS = 3;
  private static final int BATCH = 32;

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "Training steps of " + BATCH + " pieces of text (default: ${DEFAULT-VALUE}).")
  private int steps = 600;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads to compute with (default: ${DEFAULT-VALUE}).")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Spec private CommandSpec spec;

  /** Made by picocli. */
  public CharTransformer() {}

  @Override
  public void run() {
    learn(spec.commandLine().getOut(), steps, threads, 400);
  }

  /** Gives the mean loss of the last ten steps, in nats a character. */
  static double learn(PrintWriter out, int steps, int threads, int written) {
    Check.that(steps >= 1, "char-transformer --steps: must be at least 1: %d; leave it out", steps);
    Check.that(
        threads >= 1, "char-transformer --threads: must be at least 1: %d; leave it out", threads);
    CharText text = CharText.load();
    TensorType pieces = TensorType.of(DType.I32, BATCH, WINDOW);
    Network.Body body = (s, in) -> network(s, in.get(0), text.vocabulary());
    Network.Variables start = Network.init(body, List.of(pieces), Key.of(0));
    out.printf(
        "%,d characters, %d different; %,d parameters%n",
        text.length(), text.vocabulary(), start.params().elements());

    Training training =
        new Training(
            body,
            (logits, next) -> Losses.crossEntropyWithLogits(logits, next.get(0)).mean(),
            Transforms.chain(
                Transforms.clipByGlobalNorm(1),
                Optimizers.adamw(Schedules.cosineDecay(3e-3, steps / 20, steps, 3e-4), 0.01)));
    Network.Variables trained;
    double last = 0;
    try (Training.Run run =
        training.start(
            start,
            List.of(pieces),
            List.of(pieces),
            Key.of(1),
            CompileOptions.DEFAULT.withThreads(threads))) {
      long began = System.nanoTime();
      for (int i = 0; i < steps; i++) {
        // Pieces from random places, and the same one character further on.
        int[] at =
            Random.uniform(Key.of(3).foldIn(i), Shape.of(BATCH), 0, text.length() - WINDOW)
                .cast(DType.I32)
                .toInts();
        double loss = run.step(text.pieces(at, WINDOW, 0), text.pieces(at, WINDOW, 1));
        last += i >= steps - 10 ? loss / Math.min(10, steps) : 0;
        if (i % Math.max(1, steps / 10) == 0) {
          out.printf(
              "step %4d  loss %.3f  %,.0f characters/s%n",
              i, loss, (i + 1.0) * BATCH * WINDOW / (System.nanoTime() - began) * 1e9);
          out.flush();
        }
      }
      trained = run.variables();
    }
    out.printf("step %4d  loss %.3f%n%n", steps, last);
    out.println(write(body, trained, text, written));
    return last;
  }

  /** Logits [B, T, characters] of what follows each of the characters [B, T]. */
  private static Tensor network(Scope s, Tensor ids, int characters) {
    int t = ids.shape().dim(1);
    Tensor x =
        new Embedding(characters, WIDTH, Initializers.normal(0.02))
            .apply(s.child("characters"), ids);
    Tensor places = s.param("places", Shape.of(WINDOW, WIDTH), Initializers.normal(0.02));
    x = x.add(places.slice(0, 0, t));
    // A character sees itself and those before it.
    Shape pairs = Shape.of(t, t);
    Tensor past = x.iotaLike(DType.I32, pairs, 0).greaterEqual(x.iotaLike(DType.I32, pairs, 1));
    for (int i = 0; i < LAYERS; i++) {
      TransformerEncoderLayer layer =
          new TransformerEncoderLayer(HEADS, 4 * WIDTH, Activations.get("gelu"), 0, true);
      x = layer.encode(s.child("layer_" + i), x, past);
    }
    x = new LayerNorm().apply(s.child("norm"), x);
    return new Dense(characters).apply(s.child("out"), x);
  }

  /** A text of the network's own. */
  private static String write(
      Network.Body body, Network.Variables v, CharText text, int characters) {
    // The next character, drawn by the Gumbel-max trick from logits that are a little sharpened.
    Fn next =
        Jit.jit(
            args -> {
              Network.Variables given =
                  new Network.Variables(
                      v.params().withLeaves(args.subList(3, args.size())), v.state());
              Tensor logits =
                  Network.apply(body, given, List.of(args.get(0)), false, null, null).output();
              Tensor row = logits.reshape(WINDOW, text.vocabulary()).gather(args.get(1).reshape(1));
              Tensor u = Random.uniform(new Key(args.get(2)), row.shape(), 1e-9, 1);
              return List.of(row.div(0.8).sub(u.log().neg().log()).argmax(1).reshape());
            });
    List<Tensor> args = new ArrayList<>();
    StringBuilder written = new StringBuilder("The ");
    for (int i = 0; i < characters; i++) {
      String seen = written.substring(Math.max(0, written.length() - WINDOW));
      args.clear();
      args.add(text.ids(seen, WINDOW));
      args.add(Tensor.scalar(DType.I32, seen.length() - 1));
      args.add(Key.of(2).foldIn(i).tensor());
      args.addAll(v.params().leaves());
      written.append(text.character((int) next.apply(args).get(0).item()));
    }
    return written.toString();
  }
}
