package io.fragua.image;

import io.fragua.random.Key;
import io.fragua.tensor.DType;
import io.fragua.tensor.Elementwise;
import io.fragua.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BinaryOperator;

/** Changes in a random order for each image. */
final class Jitter {
  /** A change and its strengths [N]. */
  private record Change(BinaryOperator<Tensor> f, Tensor strength) {}

  private Jitter() {}

  static Tensor apply(
      Key key, Tensor x, double brightness, double contrast, double saturation, double hue) {
    List<Key> keys = key.split(8);
    List<Change> all = new ArrayList<>();
    add(all, x, keys.get(0), Color::brightness, 0, brightness);
    add(all, x, keys.get(1), Color::contrast, 1, contrast);
    add(all, x, keys.get(2), Color::saturation, 1, saturation);
    add(all, x, keys.get(3), Color::hue, 0, hue);
    List<Tensor> lots = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      lots.add(Draws.uniform(keys.get(4 + i), x, 0, 1));
    }
    List<Tensor> places = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      places.add(place(lots, i));
    }
    // A graph has no branches: each turn computes all changes and takes one for each image.
    Tensor y = x;
    for (int turn = 0; turn < all.size(); turn++) {
      Tensor now = y;
      for (int i = 0; i < all.size(); i++) {
        Tensor due = places.get(i).equal(Tensor.scalar(DType.I32, turn)).reshape(-1, 1, 1, 1);
        now = due.select(all.get(i).f().apply(y, all.get(i).strength()), now);
      }
      y = now;
    }
    return y;
  }

  private static void add(
      List<Change> all, Tensor x, Key key, BinaryOperator<Tensor> f, double middle, double most) {
    if (most > 0) {
      all.add(new Change(f, Draws.uniform(key, x, middle - most, middle + most)));
    }
  }

  /** i32 [N]: how many lots are before this one; of equal ones, the first. */
  private static Tensor place(List<Tensor> lots, int i) {
    List<Tensor> before = new ArrayList<>();
    for (int k = 0; k < lots.size(); k++) {
      Tensor mine = lots.get(i);
      Tensor other = lots.get(k);
      before.add((k < i ? other.lessEqual(mine) : other.less(mine)).cast(DType.I32));
    }
    return Elementwise.sum(before);
  }
}
