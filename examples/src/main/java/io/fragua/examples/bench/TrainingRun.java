package io.fragua.examples.bench;

import io.fragua.exec.CompileOptions;
import io.fragua.exec.Profile;
import io.fragua.nn.Network;
import io.fragua.optim.Training;
import io.fragua.random.Key;
import io.fragua.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A {@link Training} on one batch; a run is one step. */
class TrainingRun implements Workload.Ours {
  /** Steps before losses and parameters are compared. */
  static final int STEPS = 3;

  private final Map<String, Tensor> inputs = new LinkedHashMap<>();
  private final Tensor x;
  private final Tensor y;
  private final Training.Run run;

  /** Compiles the step. */
  TrainingRun(Training training, Tensor x, Tensor y, CompileOptions options) {
    this(training, Network.init(training.body(), List.of(x.type()), Key.of(7)), x, y, options);
  }

  /** Compiles the step from these values on. */
  TrainingRun(Training training, Network.Variables v, Tensor x, Tensor y, CompileOptions options) {
    this.x = x;
    this.y = y;
    inputs.put("x", x);
    inputs.put("y", y);
    inputs.putAll(v.params().asMap());
    run = training.start(v, List.of(x.type()), List.of(y.type()), Key.of(1), options);
  }

  @Override
  public Map<String, Tensor> inputs() {
    return inputs;
  }

  @Override
  public Map<String, Tensor> outputs() {
    float[] losses = new float[STEPS];
    for (int i = 0; i < STEPS; i++) {
      losses[i] = (float) run.step(x, y);
    }
    Map<String, Tensor> results = new LinkedHashMap<>(run.variables().params().asMap());
    // Softmax does not see a bias of all keys: its gradient is 0 but for rounding, of which Adam
    // makes steps as large as any.
    results.keySet().removeIf(name -> name.endsWith("key.bias"));
    results.put("losses", Tensor.of(losses, STEPS));
    return results;
  }

  @Override
  public void run() {
    run.step(x, y);
  }

  @Override
  public Profile profile(int runs) {
    return run.profile(runs, x, y);
  }

  /** Parameters and running statistics after the last step; copies. */
  Network.Variables variables() {
    return run.variables();
  }

  /** Planned memory beside parameters, state and batch. */
  long workspaceBytes() {
    return run.workspaceBytes();
  }

  @Override
  public void close() {
    run.close();
  }
}
