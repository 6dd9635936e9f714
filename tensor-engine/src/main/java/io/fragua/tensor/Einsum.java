package io.fragua.tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * One use of {@link Contractions#einsum}. Axes behind {@code ...} get labels of their own that no
 * letter has; an axis of size 1 that broadcasts is dropped, so that afterwards equal labels have
 * equal sizes. Labels of one term alone are summed first; then pairs of terms become matrix
 * products with the shared labels that stay as leading axis.
 */
final class Einsum {
  /** Labels of the axes behind an ellipsis, from the last axis backwards. */
  private static final char DOTS = '\u0400';

  /** A tensor and the label of each of its axes. */
  private record Term(Tensor tensor, String labels) {}

  private final String equation;
  private final List<Tensor> operands;
  private final Map<Character, Integer> sizes = new LinkedHashMap<>();
  private final List<Term> terms = new ArrayList<>();
  private String result;

  Einsum(String equation, List<Tensor> operands) {
    this.equation = equation;
    this.operands = operands;
    String text = equation.replace(" ", "");
    int arrow = text.indexOf("->");
    String left = arrow < 0 ? text : text.substring(0, arrow);
    String[] parts = left.split(",", -1);
    check(
        !operands.isEmpty() && parts.length == operands.size(),
        "there must be a term for each operand",
        "add or remove a term");
    int dots = 0;
    List<String> labels = new ArrayList<>();
    for (int i = 0; i < parts.length; i++) {
      int hidden = hidden(parts[i], operands.get(i).shape().rank());
      dots = Math.max(dots, hidden);
      labels.add(expand(parts[i], hidden));
    }
    for (int i = 0; i < parts.length; i++) {
      sizes(labels.get(i), operands.get(i).shape());
    }
    for (int i = 0; i < parts.length; i++) {
      terms.add(diagonals(narrow(new Term(operands.get(i), labels.get(i)))));
    }
    result = arrow < 0 ? implicit(labels, dots) : explicit(text.substring(arrow + 2), dots);
  }

  /** Distinct letters for axes, from the {@code from}-th on. */
  static char[] letters(int from, int n) {
    char[] c = new char[n];
    for (int i = 0; i < n; i++) {
      int k = from + i;
      Check.shape(
          k < 52, "tensordot: operands must have at most 52 axes: %d more; reshape them", k);
      c[i] = (char) (k < 26 ? 'a' + k : 'A' + k - 26);
    }
    return c;
  }

  /** The last axis, of size 3, turned: element i is element i + n of {@code t}. */
  static Tensor turn(Tensor t, int n) {
    return Movement.concat(-1, List.of(t.slice(-1, n, 3), t.slice(-1, 0, n)));
  }

  private void check(boolean ok, String rule, String advice) {
    Check.shape(
        ok,
        "einsum: %s: \"%s\" on %s; %s",
        rule,
        equation,
        operands.stream().map(t -> t.type().toString()).collect(Collectors.joining(", ")),
        advice);
  }

  /** Number of axes behind the ellipsis of a term. */
  private int hidden(String term, int rank) {
    String rest = term.replaceFirst("\\.\\.\\.", "");
    check(
        rest.chars().allMatch(Einsum::isLetter),
        "a term holds letters and at most one \"...\", not \"" + term + "\"",
        "correct the term");
    boolean open = rest.length() < term.length();
    check(
        open ? rest.length() <= rank : rest.length() == rank,
        "a term names each axis of its operand: \"" + term + "\" for " + rank + " axes",
        "add or remove letters, or write ... for further axes");
    return rank - rest.length();
  }

  private static boolean isLetter(int c) {
    return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z';
  }

  private static String expand(String term, int hidden) {
    return term.replace("...", dots(hidden));
  }

  private static String dots(int n) {
    StringBuilder s = new StringBuilder();
    for (int i = n; i > 0; i--) {
      s.append((char) (DOTS + i));
    }
    return s.toString();
  }

  private void sizes(String labels, Shape s) {
    for (int i = 0; i < labels.length(); i++) {
      char c = labels.charAt(i);
      int n = s.dim(i);
      int known = sizes.getOrDefault(c, n);
      boolean wide = c > DOTS && (n == 1 || known == 1);
      check(
          known == n || wide,
          (c > DOTS ? "axes behind \"...\"" : "axes of label '" + c + "'")
              + " must have one size, not "
              + known
              + " and "
              + n,
          "correct the equation or reshape an operand");
      sizes.put(c, known == 1 ? n : known);
    }
  }

  private String implicit(List<String> labels, int dots) {
    String all = String.join("", labels);
    return dots(dots)
        + all.chars()
            .filter(c -> c < DOTS && all.indexOf(c) == all.lastIndexOf(c))
            .sorted()
            .mapToObj(c -> String.valueOf((char) c))
            .collect(Collectors.joining());
  }

  private String explicit(String text, int dots) {
    String rest = text.replaceFirst("\\.\\.\\.", "");
    check(
        rest.chars().allMatch(Einsum::isLetter) && rest.chars().distinct().count() == rest.length(),
        "the result names each of its axes once, not \"" + text + "\"",
        "correct what follows ->");
    check(
        dots == 0 || rest.length() < text.length(),
        "the result must have \"...\" when an operand does",
        "write ... in the result, or sum the axes beforehand");
    rest.chars()
        .forEach(
            c ->
                check(
                    sizes.containsKey((char) c),
                    "label '" + (char) c + "' of the result must be one of an operand",
                    "remove it"));
    return text.replace("...", dots(dots));
  }

  /** Drops axes of size 1 that broadcast to more. */
  private Term narrow(Term t) {
    int[] kept =
        IntStream.range(0, t.labels.length())
            .filter(i -> t.tensor.shape().dim(i) == sizes.get(t.labels.charAt(i)))
            .toArray();
    return kept.length == t.labels.length()
        ? t
        : new Term(
            t.tensor.reshape(IntStream.of(kept).map(t.tensor.shape()::dim).toArray()),
            pick(t.labels, kept));
  }

  private static String pick(String labels, int[] at) {
    return IntStream.of(at)
        .mapToObj(i -> String.valueOf(labels.charAt(i)))
        .collect(Collectors.joining());
  }

  /** Takes the diagonal of axes with one label until each label is there once. */
  private static Term diagonals(Term t) {
    Term now = t;
    for (int i = 0; i < now.labels.length(); i++) {
      char c = now.labels.charAt(i);
      int j = now.labels.lastIndexOf(c);
      if (j > i) {
        String others = now.labels.substring(0, i) + now.labels.substring(i + 1, j);
        others += now.labels.substring(j + 1);
        int[] perm = new int[now.labels.length()];
        int first = i;
        int[] rest = IntStream.range(0, perm.length).filter(k -> k != first && k != j).toArray();
        System.arraycopy(rest, 0, perm, 0, rest.length);
        perm[perm.length - 2] = i;
        perm[perm.length - 1] = j;
        now = new Term(now.tensor.transpose(perm).diagonal(), others + c);
        i = -1;
      }
    }
    return now;
  }

  Tensor compute() {
    sumAlone();
    while (terms.size() > 1) {
      int[] next = cheapest();
      Term b = terms.remove(next[1]);
      Term a = terms.remove(next[0]);
      terms.add(product(a, b));
      sumAlone();
    }
    return ordered(terms.get(0), result);
  }

  /** Sums labels that neither the result nor another term has. */
  private void sumAlone() {
    for (int i = 0; i < terms.size(); i++) {
      Term t = terms.get(i);
      int[] axes =
          IntStream.range(0, t.labels.length())
              .filter(k -> !needed(t.labels.charAt(k), List.of(t)))
              .toArray();
      if (axes.length > 0) {
        int[] kept =
            IntStream.range(0, t.labels.length())
                .filter(k -> IntStream.of(axes).noneMatch(x -> x == k))
                .toArray();
        terms.set(i, new Term(t.tensor.sum(axes), pick(t.labels, kept)));
      }
    }
  }

  /** True if the result has the label, or a term that is none of these. */
  private boolean needed(char label, List<Term> but) {
    return result.indexOf(label) >= 0
        || terms.stream()
            .filter(t -> but.stream().noneMatch(b -> b == t))
            .anyMatch(t -> t.labels.indexOf(label) >= 0);
  }

  /** The pair whose product has the least elements more than its operands. */
  private int[] cheapest() {
    int[] best = null;
    double least = Double.POSITIVE_INFINITY;
    for (int i = 0; i < terms.size(); i++) {
      for (int j = i + 1; j < terms.size(); j++) {
        Term a = terms.get(i);
        Term b = terms.get(j);
        String both = distinct(a.labels + b.labels);
        String kept = filter(both, c -> needed(c, List.of(a, b)));
        double cost = elements(kept) - elements(a.labels) - elements(b.labels);
        if (cost < least) {
          least = cost;
          best = new int[] {i, j};
        }
      }
    }
    return best;
  }

  private interface Test {
    boolean of(char c);
  }

  private static String filter(String labels, Test test) {
    StringBuilder s = new StringBuilder();
    for (char c : labels.toCharArray()) {
      if (test.of(c)) {
        s.append(c);
      }
    }
    return s.toString();
  }

  private static String distinct(String labels) {
    return labels
        .chars()
        .distinct()
        .mapToObj(c -> String.valueOf((char) c))
        .collect(Collectors.joining());
  }

  private double elements(String labels) {
    return labels.chars().mapToDouble(c -> sizes.get((char) c)).reduce(1, (x, y) -> x * y);
  }

  /** Both terms, already removed, as one product of matrices. */
  private Term product(Term a, Term b) {
    String batch = filter(a.labels, c -> b.labels.indexOf(c) >= 0 && needed(c, List.of()));
    String inner = filter(a.labels, c -> b.labels.indexOf(c) >= 0 && !needed(c, List.of()));
    String rows = filter(a.labels, c -> b.labels.indexOf(c) < 0);
    String columns = filter(b.labels, c -> a.labels.indexOf(c) < 0);
    Tensor x = matrices(a, batch, rows, inner);
    Tensor y = matrices(b, batch, inner, columns);
    String labels = batch + rows + columns;
    return new Term(x.matmul(y).reshape(dims(labels)), labels);
  }

  private Tensor matrices(Term t, String batch, String rows, String columns) {
    Tensor ordered = ordered(t, batch + rows + columns);
    int m = size(rows);
    int n = size(columns);
    return batch.isEmpty() ? ordered.reshape(m, n) : ordered.reshape(size(batch), m, n);
  }

  private int size(String labels) {
    double n = elements(labels);
    check(
        n <= Integer.MAX_VALUE,
        "axes that are joined must have less than 2^31 elements",
        "split it");
    return (int) n;
  }

  private int[] dims(String labels) {
    return labels.chars().map(c -> sizes.get((char) c)).toArray();
  }

  private static Tensor ordered(Term t, String labels) {
    int[] perm = labels.chars().map(t.labels::indexOf).toArray();
    return Arrays.equals(perm, IntStream.range(0, perm.length).toArray())
        ? t.tensor
        : t.tensor.transpose(perm);
  }
}
