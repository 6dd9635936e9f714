package io.fragua.tensor;

import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The settings of one use of an op, by name: int, double, String, DType, int[] or {@link Body}, a
 * function. Immutable, ordered by name, compared by value, so that it prints and keys caches
 * stably.
 */
public final class Attrs {
  /** No settings. */
  public static final Attrs NONE = new Attrs(new TreeMap<>());

  private final TreeMap<String, Object> values;

  private Attrs(TreeMap<String, Object> values) {
    this.values = values;
  }

  /** One setting. */
  public static Attrs of(String name, Object value) {
    return NONE.with(name, value);
  }

  /** These settings and one more. */
  public Attrs with(String name, Object value) {
    Object v = value;
    if (v instanceof Shape s) {
      v = s.dims();
    } else if (v instanceof int[] a) {
      v = a.clone();
    } else if (v instanceof DType d) {
      v = d.toString();
    }
    Check.that(
        v instanceof Integer
            || v instanceof Double
            || v instanceof String
            || v instanceof int[]
            || v instanceof Body,
        "attrs: %s must be an int, double, String, DType, Shape, int[] or Body: %s; convert it",
        name,
        v);
    TreeMap<String, Object> m = new TreeMap<>(values);
    m.put(name, v);
    return new Attrs(m);
  }

  /**
   * The settings, ordered by name; values are Integer, Double, String, int[] or Body. Unmodifiable.
   */
  public Map<String, Object> asMap() {
    return Collections.unmodifiableMap(values);
  }

  /** True if there is a setting of this name. */
  public boolean has(String name) {
    return values.containsKey(name);
  }

  /** An int setting. */
  public int integer(String name) {
    return get(name, Integer.class);
  }

  /** A double setting. */
  public double real(String name) {
    return get(name, Double.class);
  }

  /** A text setting. */
  public String text(String name) {
    return get(name, String.class);
  }

  /** A dtype setting. */
  public DType dtype(String name) {
    return DType.parse(text(name));
  }

  /** A list setting, a copy. */
  public int[] ints(String name) {
    return get(name, int[].class).clone();
  }

  /** A function. */
  public Body body(String name) {
    return get(name, Body.class);
  }

  /** A shape setting. */
  public Shape shape(String name) {
    return Shape.of(ints(name));
  }

  private <T> T get(String name, Class<T> type) {
    Object v = values.get(name);
    Check.that(
        type.isInstance(v),
        "attrs: setting \"%s\" must be of type %s: %s in {%s}; the graph was not made by this"
            + " library or is damaged",
        name,
        type.getSimpleName(),
        v,
        this);
    return type.cast(v);
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Attrs a
        && values.keySet().equals(a.values.keySet())
        && values.keySet().stream()
            .allMatch(k -> Objects.deepEquals(values.get(k), a.values.get(k)));
  }

  @Override
  public int hashCode() {
    int h = 0;
    for (Map.Entry<String, Object> e : values.entrySet()) {
      Object v = e.getValue();
      h = 31 * h + e.getKey().hashCode();
      h = 31 * h + (v instanceof int[] a ? Arrays.hashCode(a) : v.hashCode());
    }
    return h;
  }

  /** For instance {@code axes=[0, 1], keep=1}; a function takes several lines. */
  @Override
  public String toString() {
    return values.entrySet().stream()
        .map(
            e ->
                e.getKey()
                    + "="
                    + (e.getValue() instanceof int[] a ? Arrays.toString(a) : e.getValue()))
        .collect(Collectors.joining(", "));
  }
}
