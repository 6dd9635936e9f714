package io.fragua.exec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.testing.RandomProgram;
import io.fragua.testing.Runs;
import io.fragua.testing.Tolerance;
import io.fragua.transform.Jit;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Thousands of random programs, compiled whole or step by step, give what the reference gives. */
class RandomProgramsTest {
  /** More are tried with {@code -Dfragua.fuzz=100000}, others with {@code -Dfragua.fuzz.first}. */
  private static final int PROGRAMS = Integer.getInteger("fragua.fuzz", 3000);

  private static final int FIRST = Integer.getInteger("fragua.fuzz.first", 0);

  @Test
  void programsAgreeWithTheReference() {
    List<String> wrong = new ArrayList<>();
    for (int seed = FIRST; seed < FIRST + PROGRAMS && wrong.size() < 5; seed++) {
      RandomProgram p = new RandomProgram(seed);
      String d = difference(p, seed, Backends.cpu());
      if (d == null && seed % 4 == 0) {
        d = rounded(p, seed % 8 == 0 ? Precision.BF16 : Precision.BF16_MATH);
      }
      if (d != null) {
        wrong.add("seed " + seed + ": " + d + "\n" + p.graph());
      }
    }
    assertEquals("", String.join("\n", wrong));
  }

  @Test
  void programsUseMostRowsAndManyResultsAreFinite() {
    Set<String> used = new TreeSet<>();
    int results = 0;
    int finite = 0;
    for (int seed = 0; seed < 500; seed++) {
      RandomProgram p = new RandomProgram(seed);
      p.graph().equations().forEach(e -> used.add(e.op().name()));
      for (Tensor t : Runs.on(Backends.reference(), p.graph(), p.inputs())) {
        for (double v : t.toDoubles()) {
          results++;
          finite += Double.isNaN(v) || Double.isInfinite(v) ? 0 : 1;
        }
      }
    }
    assertTrue(used.size() >= 45, used.size() + " rows: " + used);
    assertEquals(results, finite, "the bounds promise finite values");
  }

  /** Some of the operands. */
  private static Set<Integer> some(int seed, int operands) {
    SplittableRandom r = new SplittableRandom(seed);
    return IntStream.range(0, operands)
        .filter(i -> r.nextInt(3) > 0)
        .boxed()
        .collect(Collectors.toSet());
  }

  private static String difference(RandomProgram p, int seed, Backend backend) {
    List<Tensor> in = p.inputs();
    List<Tensor> expected = Runs.on(Backends.reference(), p.graph(), in);
    List<Tensor> actual;
    try {
      actual =
          switch (seed % 3) {
            case 0 -> Runs.on(backend, p.graph(), in);
            case 1 -> Runs.bound(backend, p.graph(), in, some(seed, in.size()));
            default -> p.eager();
          };
    } catch (RuntimeException | LinkageError e) {
      return e.toString();
    }
    for (int i = 0; i < expected.size(); i++) {
      String d = p.tolerances().get(i).difference(expected.get(i), actual.get(i));
      if (d != null) {
        return "result " + i + ", " + p.tolerances().get(i) + ": " + d;
      }
    }
    return null;
  }

  /** With products rounded to bf16: the same errors, in units of its spacing. */
  private static String rounded(RandomProgram p, Precision precision) {
    List<Tensor> expected = Runs.on(Backends.reference(), p.graph(), p.inputs());
    List<Tensor> actual;
    try (Program c =
        Backends.cpu().compile(p.graph(), CompileOptions.DEFAULT.withPrecision(precision))) {
      actual = Jit.run(c, p.inputs());
    } catch (RuntimeException | LinkageError e) {
      return precision + ": " + e;
    }
    double unit = Tolerance.eps(DType.BF16) / Tolerance.eps(DType.F32);
    for (int i = 0; i < expected.size(); i++) {
      Tolerance t = p.tolerances().get(i);
      double absolute = t.absolute() * unit;
      // what a product reads is rounded for all who read it, also for an exact function of it
      boolean readers = precision == Precision.BF16;
      // larger errors no longer grow as the bounds, which are linear, say
      if (absolute * Tolerance.eps(DType.F32) < 0.5 && !(readers && absolute == 0)) {
        String d =
            new Tolerance(readers ? unit : 0, absolute).difference(expected.get(i), actual.get(i));
        if (d != null) {
          return precision + ", result " + i + ", " + absolute + ": " + d;
        }
      }
    }
    return null;
  }
}
