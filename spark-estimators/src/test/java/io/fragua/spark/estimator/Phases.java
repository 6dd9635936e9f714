package io.fragua.spark.estimator;

import io.fragua.spark.train.TrainListener;
import java.util.ArrayList;
import java.util.List;

/** Hears how far a fit has come. */
class Phases implements TrainListener {
  final List<String> heard = new ArrayList<>();

  @Override
  public void phase(String name) {
    heard.add(name);
  }
}
