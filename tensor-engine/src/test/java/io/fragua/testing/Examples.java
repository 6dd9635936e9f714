package io.fragua.testing;

import io.fragua.tensor.Buffer;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.transform.Fn;
import java.util.ArrayList;
import java.util.List;

/** The loop that {@code vmap} replaces, byte by byte and without any operation. */
public final class Examples {
  private Examples() {}

  /** One example: the tensor at an index of an axis, which may be negative. */
  public static Tensor take(Tensor t, int axis, int index) {
    int a = t.shape().axis(axis);
    TensorType type = t.type().with(t.shape().without(a));
    Buffer b = Buffer.collected(type.byteSize());
    copy(t, b, a, index, true);
    return Tensor.of(type, b);
  }

  /** All examples, with the axis at this place of the result. */
  public static Tensor stack(List<Tensor> examples, TensorType one, int axis) {
    Shape s = one.shape();
    int a = axis < 0 ? axis + s.rank() + 1 : axis;
    Shape to = s.slice(0, a).concat(Shape.of(examples.size())).concat(s.slice(a, s.rank()));
    Tensor all = Tensor.of(one.with(to), Buffer.collected(one.with(to).byteSize()));
    for (int i = 0; i < examples.size(); i++) {
      copy(all, examples.get(i).buffer(), a, i, false);
    }
    return all;
  }

  private static void copy(Tensor all, Buffer one, int axis, int index, boolean out) {
    Shape s = all.shape();
    int width = all.dtype().bytes() * (int) s.slice(axis + 1, s.rank()).size();
    int outer = (int) s.slice(0, axis).size();
    for (int o = 0; o < outer; o++) {
      for (int k = 0; k < width; k++) {
        int there = (o * s.dim(axis) + index) * width + k;
        int here = o * width + k;
        if (out) {
          one.bytes().put(here, all.buffer().bytes().get(there));
        } else {
          all.buffer().bytes().put(there, one.bytes().get(here));
        }
      }
    }
  }

  /**
   * What {@code vmap(f, inAxes, outAxes)} of concrete operands must be: f on each example.
   *
   * @param types of the results of one example
   */
  public static List<Tensor> loop(
      Fn f,
      List<Tensor> in,
      List<Integer> inAxes,
      List<Integer> outAxes,
      int n,
      List<TensorType> types) {
    List<List<Tensor>> each = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      List<Tensor> one = new ArrayList<>();
      for (int k = 0; k < in.size(); k++) {
        one.add(inAxes.get(k) == null ? in.get(k) : take(in.get(k), inAxes.get(k), i));
      }
      each.add(f.apply(one));
    }
    List<Tensor> results = new ArrayList<>();
    for (int k = 0; k < types.size(); k++) {
      int result = k;
      results.add(
          stack(each.stream().map(r -> r.get(result)).toList(), types.get(k), outAxes.get(k)));
    }
    return results;
  }
}
