package io.fragua.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.fragua.exec.CompileOptions;
import io.fragua.op.Family;
import io.fragua.op.Op;
import io.fragua.op.OpTable;
import io.fragua.tensor.DType;
import io.fragua.testing.OpCase;
import io.fragua.testing.OpCases;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * {@code SUPPORT.md} says what the op table and the CPU backend say: how a row is computed is read
 * from programs compiled from its cases. After a change to either, write the file anew:
 *
 * <pre>{@code mvn -q -pl tensor-engine test -Dtest=SupportTest -Dfragua.support.write=true}</pre>
 */
class SupportTest {
  private static final Path FILE = Path.of("SUPPORT.md");

  /** Elements of the largest case that is compiled. */
  private static final int LARGEST = 3000;

  /** Cases of a dtype that are looked at until one is not a view. */
  private static final int CASES = 30;

  private static final String HEAD =
      """
      # What is supported

      Written by `SupportTest` from the op table and from programs compiled for the CPU; do not edit. After a
      change, write it anew with

      ```
      mvn -q -pl tensor-engine test -Dtest=SupportTest -Dfragua.support.write=true
      ```

      Every row runs on the reference backend. On the CPU a row is *fused* into generated kernels with its
      neighbours, a *view* that costs nothing, a step of *own* code, computed by a library (named), or *interpreted*:
      by its definition, slowly. The derivative is the reverse one; the forward one follows from it. Where it is
      refused, asking for it is an error that says why.
      """;

  @Test
  void theFileIsUpToDate() throws IOException {
    String text = text();
    if (Boolean.getBoolean("fragua.support.write")) {
      Files.writeString(FILE, text);
    }
    List<String> wanted = text.lines().toList();
    List<String> found = Files.readAllLines(FILE);
    int i = 0;
    while (i < wanted.size() && i < found.size() && wanted.get(i).equals(found.get(i))) {
      i++;
    }
    assertEquals( // the first line that differs; the whole file would be no help
        i < wanted.size() ? wanted.get(i) : "the end",
        i < found.size() ? found.get(i) : "the end",
        "tensor-engine/SUPPORT.md is stale in line "
            + (i + 1)
            + "; write it anew as it says itself");
  }

  private static String text() {
    StringBuilder s = new StringBuilder(HEAD);
    for (Family f : Family.values()) {
      List<Op> rows = OpTable.rows().stream().filter(op -> op.family() == f).toList();
      if (rows.isEmpty()) {
        continue;
      }
      s.append("\n## ").append(f.name().toLowerCase(Locale.ROOT)).append("\n\n");
      s.append("| row | dtypes | derivative | batching | CPU | ONNX |\n");
      s.append("|---|---|---|---|---|---|\n");
      for (Op op : rows) {
        s.append("| ").append(String.join(" | ", cells(op))).append(" |\n");
      }
    }
    return s.toString();
  }

  private static List<String> cells(Op op) {
    return List.of(
        "`" + op.name() + "`",
        dtypes(op.dtypes()),
        op.differentiable() ? "yes" : op.vjp() == null ? "no: " + op.noGradient() : "refused",
        op.batch() != null ? "yes" : "no operand",
        lowering(op),
        op.onnx());
  }

  private static String dtypes(Set<DType> types) {
    return types.size() == DType.values().length
        ? "all"
        : new TreeSet<>(types).stream().map(DType::toString).collect(Collectors.joining(" "));
  }

  /** One way, or several with the dtypes that go it. */
  private static String lowering(Op op) {
    Map<String, Set<DType>> ways = new LinkedHashMap<>();
    for (DType t : new TreeSet<>(op.dtypes())) {
      // The largest cases: small ones may fold away.
      String way =
          OpCases.of(op.name()).stream()
              .filter(x -> x.size() <= LARGEST && of(x, t))
              .sorted(Comparator.comparingLong(OpCase::size).reversed())
              .limit(CASES)
              .map(SupportTest::way)
              .filter(w -> !w.equals("view"))
              .findFirst()
              .orElse("view");
      ways.computeIfAbsent(way, w -> new TreeSet<>()).add(t);
    }
    if (ways.size() == 2) { // all cases of some dtypes fold away; others would go the other way
      ways.remove("view");
    }
    return ways.size() == 1
        ? ways.keySet().iterator().next()
        : ways.entrySet().stream()
            .map(e -> e.getKey() + " (" + dtypes(e.getValue()) + ")")
            .collect(Collectors.joining(", "));
  }

  private static boolean of(OpCase c, DType t) {
    return c.operands().isEmpty()
        ? c.results().get(0).dtype() == t
        : c.types().stream().anyMatch(x -> x.dtype() == t);
  }

  private static String way(OpCase c) {
    try (CpuProgram p = (CpuProgram) new CpuBackend().compile(c.graph(), CompileOptions.DEFAULT)) {
      Set<String> ways = p.steps().stream().map(SupportTest::way).collect(Collectors.toSet());
      for (String strongest : List.of("interpreted", "oneDNN")) {
        if (ways.contains(strongest)) {
          return strongest;
        }
      }
      // A view is written out as the result of a program of its own; in others it costs nothing.
      ways.remove("written out");
      return ways.isEmpty() ? "view" : String.join(", ", new TreeSet<>(ways));
    }
  }

  private static String way(Step s) {
    String text = s.describe();
    if (text.endsWith(", interpreted")) {
      return "interpreted";
    }
    if (text.contains(", by ")) {
      return text.substring(text.lastIndexOf(", by ") + 5);
    }
    if (s instanceof KernelStep) {
      return "fused";
    }
    boolean oneDnn = s instanceof MatmulStep || s instanceof DnnStep;
    boolean copy = s instanceof MoveStep && s.writes().get(0).kind == Value.Kind.COPY;
    return oneDnn ? "oneDNN" : copy ? "written out" : "own";
  }
}
