package io.fragua.testing;

import io.fragua.op.Op;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A use of a row that is mostly wrong: a case of {@link OpCases} in which shapes, types, settings
 * or the number of operands were changed. The same for the same seed.
 */
public final class MutatedUse {
  private static final int[] ODD_NUMBERS = {
    -1, 0, 1, 2, 3, 7, 64, -2, -100, 1000, Integer.MAX_VALUE, Integer.MIN_VALUE, 1 << 30
  };
  private static final List<OpCase> SMALL =
      OpCases.all().stream().filter(c -> c.size() <= 200).toList();

  private final Random random;
  private final OpCase origin;
  private final List<TensorType> types = new ArrayList<>();
  private Attrs attrs;

  /** Makes the use of a seed. */
  public MutatedUse(long seed) {
    random = new Random(seed * 0x9E3779B97F4A7C15L + 3);
    // Rows have from a few to hundreds of cases: the row is drawn first.
    List<OpCase> any = SMALL;
    String op = any.get(random.nextInt(any.size())).op();
    if (random.nextBoolean()) {
      List<String> names = any.stream().map(OpCase::op).distinct().toList();
      op = names.get(random.nextInt(names.size()));
    }
    String row = op;
    List<OpCase> cases = any.stream().filter(c -> c.op().equals(row)).toList();
    origin = cases.get(random.nextInt(cases.size()));
    types.addAll(origin.types());
    attrs = origin.attrs();
    for (int i = random.nextInt(3); i >= 0; i--) {
      mutate();
    }
  }

  private void mutate() {
    switch (random.nextInt(6)) {
      case 0 -> dtype();
      case 1, 2 -> shape();
      case 3 -> operands();
      default -> setting();
    }
  }

  private void dtype() {
    if (!types.isEmpty()) {
      int i = random.nextInt(types.size());
      types.set(i, types.get(i).with(DType.values()[random.nextInt(DType.values().length)]));
    }
  }

  private void shape() {
    if (types.isEmpty()) {
      return;
    }
    int i = random.nextInt(types.size());
    Shape s = types.get(i).shape();
    int axis = s.rank() == 0 ? 0 : random.nextInt(s.rank());
    int to = random.nextInt(5);
    Shape changed =
        switch (random.nextInt(3)) {
          case 0 -> s.rank() == 0 ? Shape.of(to) : s.with(axis, to);
          case 1 -> s.concat(Shape.of(to));
          default -> s.rank() == 0 ? s : s.without(axis);
        };
    types.set(i, types.get(i).with(changed));
  }

  private void operands() {
    if (random.nextBoolean() && !types.isEmpty()) {
      types.remove(random.nextInt(types.size()));
    } else if (!types.isEmpty()) {
      types.add(types.get(random.nextInt(types.size())));
    }
  }

  private void setting() {
    List<Map.Entry<String, Object>> all = List.copyOf(attrs.asMap().entrySet());
    if (all.isEmpty()) {
      return;
    }
    Map.Entry<String, Object> e = all.get(random.nextInt(all.size()));
    Object v = e.getValue();
    if (random.nextInt(8) == 0) {
      v = random.nextBoolean() ? (Object) "f32" : Integer.valueOf(1); // of another type, perhaps
    } else if (v instanceof Integer n) {
      v = random.nextBoolean() ? n + random.nextInt(3) - 1 : odd();
    } else if (v instanceof int[] a) {
      v = list(a.clone());
    } else if (v instanceof Double) {
      v = new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY, 1e300}[random.nextInt(5)];
    } else if (v instanceof String) {
      v = random.nextBoolean() ? "" : DType.values()[random.nextInt(10)].toString();
    }
    attrs = attrs.with(e.getKey(), v);
  }

  private int[] list(int[] a) {
    if (a.length == 0 || random.nextInt(4) == 0) {
      int[] longer = java.util.Arrays.copyOf(a, a.length + 1);
      longer[a.length] = odd();
      return longer;
    }
    if (random.nextInt(4) == 0) {
      return java.util.Arrays.copyOf(a, a.length - 1);
    }
    a[random.nextInt(a.length)] = random.nextBoolean() ? odd() : random.nextInt(4);
    return a;
  }

  private int odd() {
    return ODD_NUMBERS[random.nextInt(ODD_NUMBERS.length)];
  }

  /** The row. */
  public Op row() {
    return origin.row();
  }

  /** Types of the operands. */
  public List<TensorType> types() {
    return types;
  }

  /** The settings. */
  public Attrs attrs() {
    return attrs;
  }

  /** How closely results agree in the case of this row that leaves most room: types may differ. */
  public Tolerance tolerance() {
    return OpCases.of(row().name()).stream()
        .map(OpCase::tolerance)
        .max(
            Comparator.comparingDouble(Tolerance::relative)
                .thenComparingDouble(Tolerance::absolute))
        .orElseThrow();
  }

  /** Concrete operands. */
  public List<Tensor> inputs() {
    List<Tensor> in = new ArrayList<>();
    for (int i = 0; i < types.size(); i++) {
      int like = Math.min(i, origin.operands().size() - 1);
      in.add(origin.operands().get(like).values().make(types.get(i), 100L + i));
    }
    return in;
  }

  @Override
  public String toString() {
    return row() + "(" + types + ") {" + attrs + "} from " + origin;
  }
}
