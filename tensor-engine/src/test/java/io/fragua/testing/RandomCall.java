package io.fragua.testing;

import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.Window;
import io.fragua.transform.Fn;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;

/** A call of some public function of tensors with random operands, right or wrong, by number. */
public final class RandomCall implements Fn {
  /** Those that are no functions of tensors alone, or compute at once whatever they are given. */
  private static final Set<String> OTHER =
      Set.of(
          "backward zeroGrad requiresGrad grad detach isTracked remember self node buffer input"
              .split(" "));

  private static final Set<String> MORE =
      Set.of(
          "toDoubles toFloats toInts toLongs toBytes item apply applyAll record recordAll binary"
              .split(" "));

  /** Numbers that are seldom right. */
  private static final int[] ODD = {
    -1, 0, 1, 2, 3, 7, -2, -3, 1000, Integer.MAX_VALUE, Integer.MIN_VALUE, 1 << 30
  };

  private static final double[] REALS = {
    0, 1, -1, 0.5, 2, 3, Double.NaN, Double.POSITIVE_INFINITY, -1e300, 0.3
  };

  private static final String[] TEXTS = {
    "1:, ::2, -1", "...", "newaxis", "0", "::-1", "1:a", "", ":,:,:,:"
  };

  private static final List<Method> METHODS = methods();

  private final Random random;
  private final Method method;
  private final Tensor self;
  private final Object[] args;

  /** The call of this number. */
  public RandomCall(int seed) {
    random = new Random(seed * 7919L + 5);
    method = METHODS.get(random.nextInt(METHODS.size()));
    self = tensor(dtype(), random.nextInt(5));
    Class<?>[] types = method.getParameterTypes();
    Type[] generic = method.getGenericParameterTypes();
    args = new Object[types.length];
    for (int i = 0; i < args.length; i++) {
      args[i] = argument(types[i], generic[i]);
    }
  }

  private static List<Method> methods() {
    List<Class<?>> classes = new ArrayList<>(List.of(Tensor.class));
    Set<Class<?>> seen = new LinkedHashSet<>();
    for (int i = 0; i < classes.size(); i++) {
      if (seen.add(classes.get(i))) {
        classes.addAll(List.of(classes.get(i).getInterfaces()));
      }
    }
    List<Method> all = new ArrayList<>();
    for (Class<?> c : seen) {
      for (Method m : c.getDeclaredMethods()) {
        boolean gives =
            m.getReturnType() == Tensor.class
                || m.getReturnType() == List.class
                || m.getReturnType().isRecord();
        if (Modifier.isPublic(m.getModifiers())
            && !m.isSynthetic()
            && gives
            && !OTHER.contains(m.getName())
            && !MORE.contains(m.getName())
            && IntStream.range(0, m.getParameterCount()).allMatch(i -> isKnown(m, i))) {
          all.add(m);
        }
      }
    }
    all.sort(Comparator.comparing(Method::toString));
    return all;
  }

  /** How many functions there are. */
  public static int functions() {
    return METHODS.size();
  }

  /** The function's name. */
  public String name() {
    return method.getName();
  }

  /** All tensors that it is given. */
  public List<Tensor> operands() {
    List<Tensor> all = new ArrayList<>(List.of(self));
    for (Object a : args) {
      if (a instanceof Tensor t) {
        all.add(t);
      } else if (a instanceof List<?> l) {
        l.forEach(t -> all.add((Tensor) t));
      }
    }
    return all;
  }

  /** The results for other operands of the same types. */
  @Override
  public List<Tensor> apply(List<Tensor> operands) {
    Iterator<Tensor> next = operands.iterator();
    Tensor me = next.next();
    Object[] given = args.clone();
    for (int i = 0; i < given.length; i++) {
      if (given[i] instanceof Tensor) {
        given[i] = next.next();
      } else if (given[i] instanceof List<?> l) {
        given[i] = l.stream().map(t -> next.next()).toList();
      }
    }
    try {
      boolean isStatic = Modifier.isStatic(method.getModifiers());
      return flat(method.invoke(isStatic ? null : me, given));
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw (Error) e.getCause();
    } catch (IllegalAccessException e) {
      throw new AssertionError(e);
    }
  }

  private static List<Tensor> flat(Object o) throws IllegalAccessException {
    List<Tensor> all = new ArrayList<>();
    if (o instanceof Tensor t) {
      all.add(t);
    } else if (o instanceof List<?> l) {
      for (Object x : l) {
        all.addAll(flat(x));
      }
    } else if (o instanceof Record) {
      for (RecordComponent c : o.getClass().getRecordComponents()) {
        try {
          all.addAll(flat(c.getAccessor().invoke(o)));
        } catch (InvocationTargetException e) {
          throw new AssertionError(e);
        }
      }
    }
    return all;
  }

  private DType dtype() {
    DType[] all = DType.values();
    boolean usual = random.nextInt(3) > 0;
    return usual ? List.of(DType.F32, DType.F64).get(random.nextInt(2)) : any(all);
  }

  private <T> T any(T[] all) {
    return all[random.nextInt(all.length)];
  }

  private int number() {
    return random.nextInt(3) > 0 ? random.nextInt(5) - 1 : ODD[random.nextInt(ODD.length)];
  }

  private Tensor tensor(DType t, int rank) {
    int[] dims = new int[rank];
    for (int i = 0; i < rank; i++) {
      dims[i] = random.nextInt(8) == 0 ? 0 : random.nextInt(3) == 0 ? 1 : 1 + random.nextInt(4);
    }
    return tensor(t, Shape.of(dims));
  }

  private Tensor tensor(DType t, Shape s) {
    double[] v = new double[(int) s.size()];
    for (int i = 0; i < v.length; i++) {
      v[i] =
          t.isFloating() ? Math.round((random.nextDouble() * 6 - 3) * 8) / 8.0 : random.nextInt(4);
    }
    if (t.isFloating() && v.length > 0 && random.nextInt(6) == 0) {
      double[] edges = {Double.NaN, Double.POSITIVE_INFINITY, -0.0, Double.NEGATIVE_INFINITY};
      v[random.nextInt(v.length)] = edges[random.nextInt(4)];
    }
    return Tensor.of(v, s.dims()).cast(t);
  }

  private static boolean isKnown(Method m, int i) {
    Class<?> c = m.getParameterTypes()[i];
    return c == List.class
        ? m.getGenericParameterTypes()[i].getTypeName().contains("Tensor")
        : c.isEnum()
            || Set.of(
                    Tensor.class,
                    int.class,
                    double.class,
                    boolean.class,
                    int[].class,
                    Shape.class,
                    String.class,
                    Window.class)
                .contains(c);
  }

  private Object argument(Class<?> c, Type generic) {
    if (c == Tensor.class) {
      int k = random.nextInt(10);
      return k < 3
          ? tensor(DType.I32, random.nextInt(4))
          : k < 6
              ? tensor(self.dtype(), self.shape())
              : tensor(k < 8 ? self.dtype() : dtype(), random.nextInt(4));
    }
    if (c == int.class) {
      return number();
    }
    if (c == double.class) {
      return REALS[random.nextInt(REALS.length)];
    }
    if (c == boolean.class) {
      return random.nextBoolean();
    }
    if (c == int[].class) {
      return random.ints(random.nextInt(4), 0, 1).map(i -> number()).toArray();
    }
    if (c == Shape.class) {
      return Shape.of(random.ints(random.nextInt(4), 0, 4).toArray());
    }
    if (c == String.class) {
      return any(TEXTS);
    }
    if (c.isEnum()) {
      return any(c.getEnumConstants());
    }
    if (c == Window.class) {
      int k = 1 + random.nextInt(2);
      return Window.of(small(k, 1, 4))
          .withStrides(small(k, 1, 4))
          .withPadding(small(k, 0, 3), small(k, 0, 3))
          .withDilations(small(k, 1, 3));
    }
    List<Tensor> all = new ArrayList<>();
    for (int n = random.nextInt(3); n > 0; n--) {
      DType t = random.nextBoolean() ? DType.I32 : dtype();
      all.add(random.nextBoolean() ? self : tensor(t, random.nextInt(3)));
    }
    return all;
  }

  private int[] small(int n, int from, int to) {
    return random.ints(n, from, to).toArray();
  }

  @Override
  public String toString() {
    StringBuilder s = new StringBuilder(method.getName() + " of " + self);
    for (Object a : args) {
      s.append(", ").append(a instanceof int[] i ? Arrays.toString(i) : a);
    }
    return s.toString();
  }
}
