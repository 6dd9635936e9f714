package io.fragua.tensor;

import io.fragua.op.Op;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * What a concrete tensor that requires a gradient remembers: that it is one of the results of a use
 * of a row, or, without a use, a place for a gradient. References go from results to operands
 * alone, so the garbage collector frees what no result needs any more.
 */
final class Tape {
  /** A use of a row, with its values, none of which is tracked by itself. */
  private static final class Use {
    final Op op;
    final Attrs attrs;
    private List<Tensor> inputs;
    private List<Tensor> results;

    Use(Op op, Attrs attrs, List<Tensor> inputs, List<Tensor> results) {
      this.op = op;
      this.attrs = attrs;
      this.inputs = inputs;
      this.results = results;
    }

    synchronized void forget() {
      inputs = null;
      results = null;
    }

    /** Its operands and results. */
    synchronized Saved saved() {
      Check.that(
          inputs != null,
          "backward: what was computed can be gone back once: %s was gone back already; pass"
              + " retain = true before, or compute it again",
          op);
      return new Saved(inputs, results);
    }
  }

  private record Saved(List<Tensor> inputs, List<Tensor> results) {}

  private final Use use;
  private final int result;
  private Tensor grad;

  private Tape(Use use, int result) {
    this.use = use;
    this.result = result;
  }

  static Tensor leaf(Tensor t) {
    Check.that(
        !t.isTraced(),
        "requires_grad: is for values, not for a trace: a %s; use Grad.grad of the function",
        t);
    Check.that(
        t.dtype().isFloating(),
        "requires_grad: a gradient needs a floating tensor: %s; cast it",
        t.type());
    return t.tape() != null ? t : t.withTape(new Tape(null, 0));
  }

  /** The place for a gradient of a tensor. */
  static Tape of(String who, Tensor t) {
    Check.that(
        t.tape() != null && t.tape().use == null,
        "%s: only a tensor made by requiresGrad keeps a gradient: %s %s; ask that one",
        who,
        t.tape() == null ? "a plain" : "a computed",
        t.isTraced() ? t : t.type());
    return t.tape();
  }

  synchronized Tensor grad() {
    return grad;
  }

  synchronized void zeroGrad() {
    grad = null;
  }

  private synchronized void add(Tensor g) {
    grad = grad == null ? g : grad.add(g);
  }

  /** True if operations on these are to be remembered. */
  static boolean wanted(List<Tensor> inputs) {
    return inputs.stream().anyMatch(t -> t.tape() != null) && Autograd.isOn();
  }

  /** The results, remembering how they were computed. */
  static List<Tensor> remember(Op op, Attrs attrs, List<Tensor> inputs, List<Tensor> results) {
    if (op.vjp() == null) {
      return results; // constant almost everywhere
    }
    Use use = new Use(op, attrs, List.copyOf(inputs), List.copyOf(results));
    List<Tensor> tracked = new ArrayList<>();
    for (int i = 0; i < results.size(); i++) {
      Tensor r = results.get(i);
      tracked.add(r.dtype().isFloating() ? r.withTape(new Tape(use, i)) : r);
    }
    return tracked;
  }

  /** Refuses tensors that a trace would silently take for constants. */
  static void refuse(List<Tensor> inputs) {
    if (wanted(inputs) && !Autograd.mayCapture()) {
      throw new IllegalArgumentException(
          "autograd: a traced function must not capture a tensor that requires a gradient, which"
              + " would have none: "
              + inputs.stream().map(t -> t.isTraced() ? t.toString() : "" + t.type()).toList()
              + "; pass it as an operand, detach it, or stay eager");
    }
  }

  static void backward(Tensor from, Tensor gradient, boolean retain) {
    Check.that(
        !from.isTraced(),
        "backward: is for values, not for a trace: a %s; use Grad.grad of the function",
        from);
    Check.that(
        from.tape() != null,
        "backward: the tensor must require a gradient: %s does not; compute it, outside noGrad,"
            + " from one made by requiresGrad",
        from.type());
    Check.shape(
        gradient != null || from.shape().size() == 1,
        "backward: goes from one number: %s; reduce it, for instance with mean(), or pass its"
            + " gradient",
        from.type());
    Check.shape(
        gradient == null || gradient.type().equals(from.type()),
        "backward: a gradient has its tensor's type: %s for %s; reshape or cast it",
        gradient == null ? null : gradient.type(),
        from.type());
    Tensor g = gradient == null ? Tensor.full(from.type(), 1) : gradient.detach();
    Autograd.noGrad(() -> walk(from.tape(), g, retain));
  }

  private static void walk(Tape from, Tensor gradient, boolean retain) {
    if (from.use == null) {
      from.add(gradient);
      return;
    }
    Map<Use, Saved> saved = new IdentityHashMap<>();
    List<Use> order = order(from.use, saved);
    Gradients grads = new Gradients(order, saved);
    Map<Tape, Tensor> leaves = new IdentityHashMap<>();
    grads.add(from, gradient);
    for (int i = order.size() - 1; i >= 0; i--) {
      Use use = order.get(i);
      Tensor[] of = grads.of.remove(use);
      if (of == null) {
        continue; // a derivative on the way was none
      }
      Saved s = saved.get(use);
      List<Tensor> in = s.inputs().stream().map(Tensor::detach).toList();
      List<Tensor> back = use.op.vjp().applyAll(Arrays.asList(of), in, s.results(), use.attrs);
      for (int k = 0; k < in.size(); k++) {
        Tape t = s.inputs().get(k).tape();
        Tensor b = back.get(k);
        if (t == null || b == null) {
          continue;
        }
        if (t.use == null) {
          leaves.merge(t, b, Elementwise::add);
        } else {
          grads.add(t, b);
        }
      }
    }
    leaves.forEach((t, g) -> t.add(g.detach()));
    if (!retain) {
      order.forEach(Use::forget);
    }
  }

  /** The gradients of the results of uses that have not been gone back from. */
  private static final class Gradients {
    final Map<Use, Tensor[]> of = new IdentityHashMap<>();
    private final Map<Use, Saved> saved;

    /** For uses that give results of one function, the first of them: what uses those is later. */
    private final Map<Use, Use> firsts = new IdentityHashMap<>();

    Gradients(List<Use> order, Map<Use, Saved> saved) {
      this.saved = saved;
      Map<Object, Use> byFunction = new HashMap<>();
      for (Use u : order) {
        if (u.op.vjp() instanceof Op.Vjp.Part p) {
          firsts.put(u, byFunction.computeIfAbsent(p.key(saved.get(u).inputs()), k -> u));
        }
      }
    }

    void add(Tape to, Tensor g) {
      Use use = firsts.getOrDefault(to.use, to.use);
      Tensor[] all = of.computeIfAbsent(use, u -> new Tensor[results(u)]);
      int i = to.use.op.vjp() instanceof Op.Vjp.Part p ? p.result() : to.result;
      all[i] = all[i] == null ? g : all[i].add(g);
    }

    private int results(Use use) {
      return use.op.vjp() instanceof Op.Vjp.Part p ? p.results() : saved.get(use).results().size();
    }
  }

  /** All uses on the way back, operands before users; without recursion, as they may be many. */
  private static List<Use> order(Use from, Map<Use, Saved> saved) {
    List<Use> order = new ArrayList<>();
    Set<Use> done = Collections.newSetFromMap(new IdentityHashMap<>());
    Deque<Use> stack = new ArrayDeque<>(List.of(from));
    while (!stack.isEmpty()) {
      Use use = stack.peek();
      if (saved.containsKey(use)) { // its operands are done
        stack.pop();
        if (done.add(use)) {
          order.add(use);
        }
        continue;
      }
      saved.put(use, use.saved());
      saved.get(use).inputs().stream()
          .map(Tensor::tape)
          .filter(Objects::nonNull)
          .map(t -> t.use)
          .filter(u -> u != null && !saved.containsKey(u))
          .forEach(stack::push);
    }
    return order;
  }
}
