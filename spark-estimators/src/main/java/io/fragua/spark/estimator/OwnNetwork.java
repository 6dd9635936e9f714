package io.fragua.spark.estimator;

import io.fragua.nn.Layer;
import io.fragua.tensor.Check;
import java.io.Serializable;

/**
 * The network that a user gave, or none. A layer is code: Java's serialization leaves it behind,
 * but not that there was one. Immutable.
 */
final class OwnNetwork implements Serializable {
  private static final long serialVersionUID = 1L;

  private final transient Layer layer;
  private final boolean given;

  /**
   * What was given.
   *
   * @param layer null for nothing
   */
  OwnNetwork(Layer layer) {
    this.layer = layer;
    given = layer != null;
  }

  /** The layer, or null for the network that the parameters describe. */
  Layer layer() {
    return layer;
  }

  boolean given() {
    return given;
  }

  /**
   * Whether it is still there.
   *
   * @throws IllegalArgumentException if serialization has left it behind
   */
  void check(String stage) {
    Check.that(
        layer != null || !given,
        "%s network: a layer is code, which Java's serialization leaves behind: the network that"
            + " was set is gone; call setNetwork again, with null for one that the parameters"
            + " describe",
        stage);
  }

  /**
   * Whether its estimator can be saved.
   *
   * @throws IllegalStateException if there is one, which cannot
   */
  void checkSavable(String stage) {
    if (given) {
      throw new IllegalStateException(
          stage
              + " network: an estimator with a network of its own cannot be saved, because a layer"
              + " is code: "
              + layer
              + "; save the fitted model, or set the network again after loading");
    }
  }
}
