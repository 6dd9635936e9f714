package io.fragua.nn;

import io.fragua.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Layers one after the other. The parameters of each live under its kind and its number among those
 * of its kind: {@code dense_0}, {@code batch_norm_0}, {@code dense_1}.
 *
 * @param layers in order
 */
public record Sequential(List<Layer> layers) implements Layer {
  /** Copies the list. */
  public Sequential {
    Settings.given("sequential", "layers", layers);
    layers = new ArrayList<>(layers); // which, unlike List.copyOf, takes a null to be told of
    layers.forEach(layer -> Settings.given("sequential", "a layer at each place", layer));
    layers = List.copyOf(layers);
  }

  /** These layers, in order. */
  public Sequential(Layer... layers) {
    this(Arrays.asList(layers));
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    Map<String, Integer> seen = new HashMap<>();
    Tensor y = x;
    for (Layer layer : layers) {
      String kind = kind(layer);
      y = s.apply(kind + "_" + (seen.merge(kind, 1, Integer::sum) - 1), layer, y);
    }
    return y;
  }

  /** The class's name in lower_snake; "layer" for a lambda or an anonymous class. */
  static String kind(Layer layer) {
    return nameless(layer)
        ? "layer"
        : layer
            .getClass()
            .getSimpleName()
            .replaceAll("(?<=[a-z0-9])(?=[A-Z])", "_")
            .toLowerCase(Locale.ROOT);
  }

  /** What a layer prints, if that is one line; else its class. */
  static String text(Layer layer) {
    String text = nameless(layer) ? "function" : layer.toString();
    return text.indexOf('\n') < 0 ? text : layer.getClass().getSimpleName();
  }

  private static boolean nameless(Layer layer) {
    Class<?> c = layer.getClass();
    return c.isSynthetic() || c.isHidden() || c.isAnonymousClass();
  }

  /** One layer a line, as it is constructed. */
  @Override
  public String toString() {
    return layers.stream()
        .map(l -> l.toString().indent(2).stripTrailing())
        .collect(Collectors.joining(",\n", "Sequential(\n", ")"));
  }
}
