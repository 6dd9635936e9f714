package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;

/**
 * Named tensors in a fixed order: parameters, running statistics, gradients, optimizer state. Names
 * are dotted paths ({@code hidden_0.kernel}). Immutable and thread-safe.
 */
public final class ParamTree {
  /** No tensors. */
  public static final ParamTree EMPTY = new ParamTree(new LinkedHashMap<>());

  private final LinkedHashMap<String, Tensor> leaves;

  private ParamTree(LinkedHashMap<String, Tensor> leaves) {
    this.leaves = leaves;
  }

  /** These tensors, in the map's order. */
  public static ParamTree of(Map<String, Tensor> leaves) {
    return new ParamTree(new LinkedHashMap<>(leaves));
  }

  /** One tensor. */
  public static ParamTree of(String name, Tensor leaf) {
    return of(Map.of(name, leaf));
  }

  /** The names, in order. */
  public List<String> names() {
    return List.copyOf(leaves.keySet());
  }

  /** The tensors, in order. */
  public List<Tensor> leaves() {
    return List.copyOf(leaves.values());
  }

  /** Names and tensors, in order. Unmodifiable. */
  public Map<String, Tensor> asMap() {
    return Collections.unmodifiableMap(leaves);
  }

  /** True if there is a tensor of this name. */
  public boolean has(String name) {
    return leaves.containsKey(name);
  }

  /**
   * The tensor of this name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public Tensor get(String name) {
    Tensor t = leaves.get(name);
    Check.that(
        t != null,
        "params: no tensor of this name: \"%s\", there are %s; correct the name, or initialise the"
            + " same network that is applied",
        name,
        leaves.keySet());
    return t;
  }

  /**
   * The same names with other tensors.
   *
   * @param values in order; types may differ, for instance gradients for parameters
   */
  public ParamTree withLeaves(List<Tensor> values) {
    Check.that(
        values.size() == size(),
        "params: every name needs one tensor: %d names, %d tensors; pass them in the order of"
            + " names()",
        size(),
        values.size());
    LinkedHashMap<String, Tensor> m = new LinkedHashMap<>();
    int i = 0;
    for (String name : leaves.keySet()) {
      m.put(name, values.get(i++));
    }
    return new ParamTree(m);
  }

  /**
   * The same names and types with tensors from a map, for instance a file's. The map may hold more.
   *
   * @param who named in the error
   * @throws IllegalArgumentException if one is missing or has another type
   */
  public ParamTree fill(Map<String, Tensor> values, String who) {
    LinkedHashMap<String, Tensor> m = new LinkedHashMap<>();
    for (Map.Entry<String, Tensor> e : leaves.entrySet()) {
      Tensor t = values.get(e.getKey());
      Check.that(
          t != null && t.type().equals(e.getValue().type()),
          "%s: must hold every parameter of the network: \"%s\" is %s, wanted %s; it belongs to"
              + " another network",
          who,
          e.getKey(),
          t == null ? "missing" : t.type(),
          e.getValue().type());
      m.put(e.getKey(), t);
    }
    return new ParamTree(m);
  }

  /** The function applied to every tensor. */
  public ParamTree map(UnaryOperator<Tensor> f) {
    List<Tensor> out = new ArrayList<>();
    leaves.values().forEach(t -> out.add(f.apply(t)));
    return withLeaves(out);
  }

  /**
   * The function applied to tensors of one name, this tree's first. The result has this tree's
   * order.
   *
   * @throws IllegalArgumentException if the names differ
   */
  public ParamTree zip(ParamTree other, BinaryOperator<Tensor> f) {
    Check.that(
        leaves.keySet().equals(other.leaves.keySet()),
        "params: both trees must have the same names: %s and %s; pass trees of one network",
        leaves.keySet(),
        other.leaves.keySet());
    LinkedHashMap<String, Tensor> m = new LinkedHashMap<>();
    leaves.forEach((name, t) -> m.put(name, f.apply(t, other.leaves.get(name))));
    return new ParamTree(m);
  }

  /** The same tensors with this text before every name; {@code "mu."}, {@code "param:"}. */
  public ParamTree prefixed(String prefix) {
    LinkedHashMap<String, Tensor> m = new LinkedHashMap<>();
    leaves.forEach((name, t) -> m.put(prefix + name, t));
    return new ParamTree(m);
  }

  /** The tensors whose names start with this text, without it: undoes {@link #prefixed}. */
  public ParamTree under(String prefix) {
    LinkedHashMap<String, Tensor> m = new LinkedHashMap<>();
    leaves.forEach(
        (name, t) -> {
          if (name.startsWith(prefix)) {
            m.put(name.substring(prefix.length()), t);
          }
        });
    return new ParamTree(m);
  }

  /**
   * The tensors of both, this tree's first.
   *
   * @throws IllegalArgumentException if a name is in both
   */
  public ParamTree concat(ParamTree other) {
    LinkedHashMap<String, Tensor> m = new LinkedHashMap<>(leaves);
    other.leaves.forEach(
        (name, t) ->
            Check.that(
                m.put(name, t) == null,
                "params: names are unique: \"%s\" is in both trees; prefix one of them",
                name));
    return new ParamTree(m);
  }

  /** Number of tensors. */
  public int size() {
    return leaves.size();
  }

  /** Number of elements of all tensors together. */
  public long elements() {
    return leaves.values().stream().mapToLong(t -> t.shape().size()).sum();
  }

  /** Names and types, for instance {@code {dense_0.kernel: f32[4, 8]}}. */
  @Override
  public String toString() {
    StringBuilder s = new StringBuilder("{");
    leaves.forEach(
        (name, t) ->
            s.append(s.length() > 1 ? ", " : "").append(name).append(": ").append(t.type()));
    return s.append("}").toString();
  }
}
