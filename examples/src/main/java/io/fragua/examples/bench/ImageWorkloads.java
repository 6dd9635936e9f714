package io.fragua.examples.bench;

import io.fragua.examples.bench.Workload.Against;
import io.fragua.examples.bench.Workload.Measured;
import io.fragua.exec.Precision;
import io.fragua.nn.Layer;
import io.fragua.nn.Losses;
import io.fragua.nn.Network;
import io.fragua.nn.ParamTree;
import io.fragua.optim.GradientTransform;
import io.fragua.optim.Optimizers;
import io.fragua.optim.Schedules;
import io.fragua.optim.Training;
import io.fragua.random.Key;
import io.fragua.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Networks over images. Channels are last, as peers have them in memory too. */
final class ImageWorkloads {
  private static final int BATCH = 16;
  private static final int CLASSES = 1000;

  /** Biases begin at 0, so they are made of gradients alone. */
  private static final double GRADIENTS = 5e-2;

  private static final Map<String, Object> SETTINGS = Map.of("steps", TrainingRun.STEPS);

  private ImageWorkloads() {}

  private static Tensor images() {
    return Workloads.numbers(12, BATCH, 224, 224, 3);
  }

  /** ResNet-50 with fixed weights and running statistics. */
  static Workload resNetForward(Precision precision, double tolerance, Against... against) {
    return Workload.milliseconds(
        "ResNet-50 forward, " + precision,
        "resnet",
        SETTINGS,
        tolerance,
        List.of(against),
        threads -> {
          Tensor x = images();
          Network.Body body = Network.of(ImageNetworks.resNet50(CLASSES));
          Network.Variables v = Network.init(body, List.of(x.type()), Key.of(7));
          return ProgramRun.inference(
              body,
              new Network.Variables(v.params(), statistics(v.state())),
              x,
              Workloads.on(threads).withPrecision(precision));
        });
  }

  /** Other than the initial ones, so that it shows where they are used wrongly. */
  private static ParamTree statistics(ParamTree initial) {
    Map<String, Tensor> s = new LinkedHashMap<>();
    initial
        .asMap()
        .forEach(
            (name, t) -> {
              Tensor n = Workloads.numbers(s.size(), t.shape().dim(0));
              s.put(name, name.endsWith("var") ? n.abs().add(1).mul(0.1) : n.mul(0.1));
            });
    return ParamTree.of(s);
  }

  private static Training classify(Layer network, GradientTransform optimizer) {
    return new Training(
        Network.of(network),
        (out, labels) -> Losses.crossEntropyWithLogits(out, labels.get(0)).mean(),
        optimizer);
  }

  /** A step of ResNet-50 with momentum. */
  static Training resNetTraining() {
    return classify(
        ImageNetworks.resNet50(CLASSES), Optimizers.sgd(Schedules.constant(0.01), 0.9, false));
  }

  /**
   * Initial values with most of a block's result coming around it. Otherwise the gradients of 50
   * layers of noise depend on how sums are rounded: those of PyTorch and JAX are 5% apart.
   */
  private static Network.Variables initial(Tensor x) {
    Network.Variables v = Network.init(resNetTraining().body(), List.of(x.type()), Key.of(7));
    Map<String, Tensor> params = new LinkedHashMap<>(v.params().asMap());
    params.replaceAll((name, t) -> name.endsWith("expand.norm.scale") ? t.mul(0.2) : t);
    return new Network.Variables(ParamTree.of(params), v.state());
  }

  private static class ResNetStep extends TrainingRun {
    ResNetStep(int threads) {
      super(
          resNetTraining(),
          initial(images()),
          images(),
          Workloads.labels(13, CLASSES, BATCH),
          Workloads.on(threads));
    }
  }

  /** What a new process needs before the first step of ResNet-50 can run. */
  static Workload resNetCompile() {
    return new Workload(
        "ResNet-50 training step, compile",
        "resnet_compile",
        SETTINGS,
        0,
        GRADIENTS,
        "s",
        1,
        List.of(new Against("jax", 1)),
        threads -> {
          class Cold extends ResNetStep implements Measured {
            Cold() {
              super(threads);
            }

            @Override
            public double figure() {
              return ColdCompile.seconds(
                  variables(), inputs().get("x"), inputs().get("y"), threads);
            }
          }

          return new Cold();
        });
  }

  /** The most memory in a step of ResNet-50, beside parameters, momentum and batch. */
  static Workload resNetMemory() {
    return new Workload(
        "ResNet-50 training step, workspace",
        "resnet_memory",
        SETTINGS,
        0,
        GRADIENTS,
        "MB",
        1e-6,
        List.of(new Against("torch", 1)),
        threads -> {
          class Planned extends ResNetStep implements Measured {
            Planned() {
              super(threads);
            }

            @Override
            public double figure() {
              return workspaceBytes();
            }
          }

          return new Planned();
        });
  }

  /** Two convolutions, a pool and two products on digits, with Adam. */
  static Workload cnn() {
    return Workload.milliseconds(
        "small CNN training step, B=128",
        "cnn_training",
        SETTINGS,
        2e-4,
        List.of(new Against("torch", 1.5)),
        threads ->
            new TrainingRun(
                classify(ImageNetworks.smallCnn(), Optimizers.adam(Schedules.constant(1e-3))),
                Workloads.numbers(14, 128, 28, 28, 1),
                Workloads.labels(15, 10, 128),
                Workloads.on(threads)));
  }
}
