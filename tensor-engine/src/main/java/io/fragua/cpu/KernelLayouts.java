package io.fragua.cpu;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;

/**
 * The layouts in which the primitives of a convolution read its kernel, or those of a product the
 * matrix that stays, each written by one step.
 */
final class KernelLayouts {
  private final View kernel;
  private final String text;
  private final int threads;
  private final List<memory.desc> descs = new ArrayList<>();
  private final List<Value> packed = new ArrayList<>();
  private final List<Step> steps = new ArrayList<>();

  /**
   * None yet.
   *
   * @param text names the kernel in the steps
   * @param threads that may share the writing
   */
  KernelLayouts(View kernel, String text, int threads) {
    this.kernel = kernel;
    this.text = text;
    this.threads = threads;
  }

  /**
   * Gives a primitive the kernel in the layout it wants.
   *
   * @param plain how the kernel lies
   * @param more whether there may be a step for this primitive alone
   * @return false if there is no such layout and there may not be
   */
  boolean read(DnnBuilder primitive, memory.desc plain, memory.desc wanted, boolean more) {
    if (wanted.equals(plain)) {
      primitive.reads(dnnl.DNNL_ARG_WEIGHTS, kernel, plain);
      return true;
    }
    int i = 0;
    while (i < descs.size() && !descs.get(i).equals(wanted)) {
      i++;
    }
    if (i == descs.size()) {
      if (!more) {
        return false;
      }
      descs.add(wanted);
      packed.add(DnnBuilder.packed(wanted));
      steps.add(DnnBuilder.reorder(text, kernel, plain, packed.get(i), wanted, threads));
    }
    primitive.reads(dnnl.DNNL_ARG_WEIGHTS, View.of(packed.get(i)), wanted);
    return true;
  }

  /** Steps that write them. */
  List<Step> steps() {
    return steps;
  }
}
