package io.fragua.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.CompileOptions;
import io.fragua.exec.Profile;
import io.fragua.nn.Activations;
import io.fragua.nn.BatchNorm;
import io.fragua.nn.Dense;
import io.fragua.nn.Dropout;
import io.fragua.nn.Losses;
import io.fragua.nn.Network;
import io.fragua.nn.ParamTree;
import io.fragua.nn.Sequential;
import io.fragua.random.Key;
import io.fragua.tensor.ShapeException;
import io.fragua.tensor.Tensor;
import io.fragua.transform.Grad;
import java.util.List;
import org.junit.jupiter.api.Test;

class TrainingTest {
  private static final Tensor X = Tensor.of(new float[] {0, 0, 0, 1, 1, 0, 1, 1}, 4, 2);
  private static final Tensor Y = Tensor.of(new float[] {0, 1, 1, 0}, 4);

  private static Training training(Network.Body body, GradientTransform optimizer) {
    return new Training(
        body,
        (logits, targets) ->
            Losses.binaryCrossEntropyWithLogits(logits.reshape(4), targets.get(0)).mean(),
        optimizer);
  }

  private static Training.Run start(Training t, Network.Variables v) {
    return t.start(v, List.of(X.type()), List.of(Y.type()), Key.of(7), CompileOptions.DEFAULT);
  }

  private static Network.Body network(boolean random) {
    return Network.of(
        random
            ? new Sequential(
                new Dense(8),
                new BatchNorm(),
                Activations.get("tanh"),
                new Dropout(0.5),
                new Dense(1))
            : new Sequential(new Dense(8), Activations.get("tanh"), new Dense(1)));
  }

  @Test
  void aStepIsGradientAndUpdate() {
    Network.Body body = network(false);
    Network.Variables v = Network.init(body, List.of(X.type()), Key.of(0));
    GradientTransform adam = Optimizers.adam(Schedules.constant(0.05));
    ParamTree params = v.params();
    ParamTree state = adam.init(params);
    double[] losses = new double[3];
    for (int i = 0; i < 3; i++) {
      List<Tensor> r =
          Grad.valueAndGrad(
                  leaves -> {
                    Network.Variables now =
                        new Network.Variables(v.params().withLeaves(leaves), v.state());
                    Tensor y = Network.apply(body, now, List.of(X), false, null, null).output();
                    return List.of(Losses.binaryCrossEntropyWithLogits(y.reshape(4), Y).mean());
                  })
              .apply(params.leaves());
      losses[i] = r.get(0).item();
      GradientTransform.Update u =
          adam.update(params.withLeaves(r.subList(1, r.size())), state, params);
      params = Optimizers.applyUpdates(params, u.updates());
      state = u.state();
    }
    try (Training.Run run = start(training(body, adam), v)) {
      for (double loss : losses) {
        assertEquals(loss, run.step(X, Y), 1e-6);
      }
      assertEquals(3, run.steps());
      assertEquals(params.names(), run.variables().params().names());
      for (String name : params.names()) {
        assertArrayEquals(
            params.get(name).toFloats(),
            run.variables().params().get(name).toFloats(),
            1e-5f,
            name);
      }
    }
  }

  /** The average of the parameters is read from it, and a run goes on from it. */
  @Test
  void givesOutWhatTheOptimizerRemembers() {
    Network.Body body = network(false);
    Network.Variables v = Network.init(body, List.of(X.type()), Key.of(0));
    GradientTransform adam =
        Transforms.chain(Optimizers.adam(Schedules.linear(0.1, 0.01, 4)), Wrappers.paramsEma(0.5));
    Training t = training(body, adam);
    double[] whole = new double[4];
    ParamTree last;
    try (Training.Run run = start(t, v)) {
      for (int i = 0; i < 4; i++) {
        whole[i] = run.step(X, Y);
      }
      last = run.optimizerState();
      assertEquals(adam.init(v.params()).toString(), last.toString());
      assertEquals(4, last.get("1.count").item());
    }
    try (Training.Run first = start(t, v)) {
      first.step(X, Y);
      assertEquals(
          first.variables().params().get("dense_0.kernel").toString(),
          first.optimizerState().get("1.ema.dense_0.kernel").toString());
      first.step(X, Y);
      try (Training.Run second =
          t.start(
              first.variables(),
              first.optimizerState(),
              first.steps(),
              List.of(X.type()),
              List.of(Y.type()),
              Key.of(7),
              CompileOptions.DEFAULT)) {
        assertEquals(2, second.steps());
        assertEquals(whole[2], second.step(X, Y));
        assertEquals(whole[3], second.step(X, Y));
        for (String name : last.names()) {
          assertArrayEquals(
              last.get(name).toFloats(), second.optimizerState().get(name).toFloats(), name);
        }
      }
    }
    assertEquals(
        "training: a run goes on from the state that its optimizer makes: {} for "
            + adam.init(v.params())
            + "; give optimizerState() of a run with the same optimizer",
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    t.start(
                        v,
                        ParamTree.EMPTY,
                        1,
                        List.of(X.type()),
                        List.of(Y.type()),
                        Key.of(7),
                        CompileOptions.DEFAULT))
            .getMessage());
  }

  @Test
  void learnsExclusiveOr() {
    Network.Body body = network(false);
    Network.Variables v = Network.init(body, List.of(X.type()), Key.of(0));
    try (Training.Run run = start(training(body, Optimizers.adam(Schedules.constant(0.05))), v)) {
      double loss = 1;
      for (int i = 0; i < 200; i++) {
        loss = run.step(X, Y);
      }
      assertTrue(loss < 0.05, "loss " + loss);
    }
  }

  /** Dropout differs from step to step and not from run to run; statistics move. */
  @Test
  void equalKeysGiveEqualRuns() {
    Network.Body body = network(true);
    Network.Variables v = Network.init(body, List.of(X.type()), Key.of(0));
    GradientTransform still = Optimizers.sgd(Schedules.constant(0), 0);
    double[][] losses = new double[2][6];
    for (double[] l : losses) {
      try (Training.Run run = start(training(body, still), v)) {
        for (int i = 0; i < l.length; i++) {
          l[i] = run.step(X, Y);
        }
        ParamTree state = run.variables().state();
        assertEquals(v.state().names(), state.names());
        for (String name : state.names()) {
          assertNotEquals(v.state().get(name).toString(), state.get(name).toString());
        }
      }
    }
    assertArrayEquals(losses[0], losses[1]);
    assertTrue(java.util.Arrays.stream(losses[0]).distinct().count() > 1);
  }

  /** Profiled steps are steps: the same draws, the same parameters. */
  @Test
  void aProfileTakesSteps() {
    Network.Body body = network(true);
    Network.Variables v = Network.init(body, List.of(X.type()), Key.of(0));
    GradientTransform adam = Optimizers.adam(Schedules.constant(0.05));
    try (Training.Run plain = start(training(body, adam), v);
        Training.Run profiled = start(training(body, adam), v)) {
      for (int i = 0; i < 3; i++) {
        plain.step(X, Y);
      }
      Profile p = profiled.profile(3, X, Y);
      assertEquals(3, profiled.steps());
      assertEquals(plain.step(X, Y), profiled.step(X, Y));
      assertEquals(3, p.runs());
      assertEquals(3, p.calls(p.events().get(0).step()), p.table());
      long before = 0;
      for (Profile.Event e : p.events()) {
        assertTrue(e.start() >= before, "in order, none inside another");
        before = e.start() + e.nanos();
        assertTrue(
            e.step() == p.steps().size() - 1
                || plain.explain().contains(p.steps().get(e.step()).name()));
      }
      assertEquals(
          "profile: needs at least one run: 0; correct it",
          assertThrows(IllegalArgumentException.class, () -> profiled.profile(0, X, Y))
              .getMessage());
      assertThrows(ShapeException.class, () -> profiled.profile(1, X));
    }
  }

  @Test
  void aClosedRunHasNothingToGive() {
    Network.Body body = network(false);
    Network.Variables v = Network.init(body, List.of(X.type()), Key.of(0));
    Training.Run run = start(training(body, Optimizers.sgd(Schedules.constant(0.1), 0)), v);
    run.close();
    assertThrows(IllegalStateException.class, () -> run.step(X, Y));
    String e = assertThrows(IllegalStateException.class, run::variables).getMessage();
    assertEquals("training: must be open: it is closed; start another run", e);
    assertEquals(e, assertThrows(IllegalStateException.class, run::optimizerState).getMessage());
  }

  @Test
  void refusesWhatDoesNotFit() {
    Network.Body body = network(false);
    Network.Variables v = Network.init(body, List.of(X.type()), Key.of(0));
    Training t = training(body, Optimizers.sgd(Schedules.constant(0.1), 0));
    try (Training.Run run = start(t, v)) {
      String e = assertThrows(ShapeException.class, () -> run.step(X)).getMessage();
      assertEquals(
          "training: a batch must have the types given at the start, [f32[4, 2], f32[4]]: [f32[4,"
              + " 2]]; pad it, or start another run",
          e);
    }
    Training vector = new Training(body, (y, targets) -> y, t.optimizer());
    String e = assertThrows(ShapeException.class, () -> start(vector, v)).getMessage();
    assertEquals(
        "training: a loss must be an f32 scalar: f32[4, 1]; reduce it, for instance with mean()",
        e);
  }
}
