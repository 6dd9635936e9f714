package io.fragua.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.fragua.op.Op;
import io.fragua.op.OpTable;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.OpCase;
import io.fragua.testing.OpCases;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** Programs and executions are kept between calls: never their operands, and never for two. */
class EagerEvaluatorTest {
  @Test
  void operandsAndResultsAreNotKept() throws InterruptedException {
    List<WeakReference<Object>> memory = new ArrayList<>();
    List<String> of = new ArrayList<>();
    for (Op op : OpTable.rows()) {
      for (OpCase c : OpCases.of(op.name())) {
        if (c.size() < 3 || c.size() > 100) {
          continue;
        }
        List<Tensor> all = new ArrayList<>(c.inputs());
        all.addAll(c.function().apply(c.inputs()));
        all.addAll(c.function().apply(all.subList(0, c.operands().size())));
        for (Tensor t : all) {
          memory.add(new WeakReference<>(t.buffer().bytes()));
          of.add(c.toString());
        }
      }
    }
    List<String> kept = List.of();
    for (int i = 0; i < 50; i++) {
      System.gc();
      kept = new ArrayList<>();
      for (int k = 0; k < memory.size(); k++) {
        if (memory.get(k).get() != null) {
          kept.add(of.get(k));
        }
      }
      if (kept.isEmpty()) {
        return;
      }
      Thread.sleep(20);
    }
    assertEquals(List.of(), kept);
  }

  @Test
  void threadsShareProgramsWhileOldOnesAreDropped() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(6);
    try {
      List<Future<?>> work = new ArrayList<>();
      for (int t = 0; t < 6; t++) {
        int thread = t;
        work.add(
            threads.submit(
                () -> {
                  for (int i = 0; i < 1500; i++) {
                    int n = 1 + (i * 7 + thread) % 700; // more shapes than are kept
                    float[] x = new float[n];
                    java.util.Arrays.fill(x, i + thread);
                    float[] two = new float[n];
                    java.util.Arrays.fill(two, 2f * (i + thread));
                    Tensor a = Tensor.of(x, n);
                    assertArrayEquals(two, a.add(a).toFloats());
                  }
                }));
      }
      for (Future<?> f : work) {
        f.get();
      }
    } finally {
      threads.shutdown();
    }
  }

  @Test
  void anErrorLeavesTheNextCallRight() {
    Tensor table = Tensor.of(new float[] {1, 2, 3, 4}, 2, 2);
    Tensor wrong = Tensor.of(new int[] {0, 5}, 2);
    for (int i = 0; i < 3; i++) {
      assertThrows(IndexOutOfBoundsException.class, () -> table.gather(wrong));
      assertArrayEquals(new float[] {3, 4}, table.gather(Tensor.of(new int[] {1}, 1)).toFloats());
    }
  }

  /** The rows whose programs are used last, which no other use has taken the place of. */
  @Test
  void whatWasUsedLastIsNotKeptEither() throws InterruptedException {
    List<WeakReference<Object>> memory = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      Tensor x = Tensor.full(TensorType.of(DType.F64, 40, 50), i);
      Tensor y = x.matmul(x.transpose());
      Tensor sorted = y.sort(1);
      for (Tensor t : List.of(x, y, sorted)) {
        memory.add(new WeakReference<>(t.buffer().bytes()));
      }
    }
    for (int i = 0; i < 50 && memory.stream().anyMatch(r -> r.get() != null); i++) {
      System.gc();
      Thread.sleep(20);
    }
    assertEquals(0, memory.stream().filter(r -> r.get() != null).count());
  }
}
