package io.fragua.spark.persist;

import io.fragua.arrow.InputColumn;
import io.fragua.arrow.Vocabulary;
import io.fragua.tensor.Check;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;

/**
 * What {@code fit} learnt about the columns. Names are those of the training; a model may read
 * columns of other names in their place.
 *
 * @param numbers columns of the tile {@code x}, in order
 * @param categories columns of the tile {@code ids}, in order, with their vocabularies
 * @param sparse columns of pairs, in order, with the vocabularies of their keys and the number of
 *     slots of a row; tiles {@code sparse_ids} and {@code sparse_values} hold them side by side
 * @param means of each number of {@code x}: what is put in place of an invalid one and, when
 *     standardised, subtracted; without the last bits, which depend on the order of the rows
 * @param deviations what each number of {@code x} is divided by when standardised
 * @param standardized whether the network subtracts means and divides by deviations
 * @param classes number of classes; 0 for a regression
 * @param labelMean mean of a regression's label, rounded as the others, else 0
 * @param labelDeviation standard deviation of a regression's label, else 1
 */
public record DataDescription(
    List<InputColumn> numbers,
    List<InputColumn> categories,
    List<InputColumn> sparse,
    double[] means,
    double[] deviations,
    boolean standardized,
    int classes,
    double labelMean,
    double labelDeviation) {

  /** Checks the parts against each other. */
  public DataDescription {
    numbers = List.copyOf(numbers);
    categories = List.copyOf(categories);
    sparse = List.copyOf(sparse);
    means = means.clone();
    deviations = deviations.clone();
    long width = numbers.stream().mapToLong(InputColumn::width).sum();
    Check.that(
        means.length == width && deviations.length == width,
        "data: every number needs a mean and a deviation: %d numbers, %d means, %d deviations; the"
            + " description is damaged",
        width,
        means.length,
        deviations.length);
    Check.that(
        DoubleStream.of(means).allMatch(Double::isFinite)
            && DoubleStream.of(deviations).allMatch(v -> v > 0 && Double.isFinite(v))
            && Double.isFinite(labelMean)
            && labelDeviation > 0,
        "data: means must be finite and deviations more than 0: means %s, deviations %s, label %s"
            + " and %s; the description is damaged",
        Arrays.toString(means),
        Arrays.toString(deviations),
        labelMean,
        labelDeviation);
    Check.that(
        classes == 0 || classes >= 2,
        "data: a classifier has at least two classes: %d; the description is damaged",
        classes);
    checkIds(categories, InputColumn.Kind.CATEGORY);
    checkIds(sparse, InputColumn.Kind.SPARSE_IDS);
  }

  private static void checkIds(List<InputColumn> columns, InputColumn.Kind kind) {
    int next = 0;
    for (InputColumn c : columns) {
      Check.that(
          c.kind() == kind && c.vocabulary().offset() == next,
          "data: ids of a column start where the last one's end: %s starts at %s, expected %d; the"
              + " description is damaged",
          c.name(),
          c.vocabulary() == null ? "nothing" : c.vocabulary().offset(),
          next);
      next += c.vocabulary().size();
    }
  }

  /** Number of numbers in a row of {@code x}. */
  public int width() {
    return means.length;
  }

  /** Number of ids of all categorical columns together. */
  public int idCount() {
    return count(categories);
  }

  /** Number of ids of all keys of sparse columns together. */
  public int sparseIdCount() {
    return count(sparse);
  }

  /** Slots of a row of all sparse columns together. */
  public int slots() {
    return sparse.stream().mapToInt(InputColumn::width).sum();
  }

  private static int count(List<InputColumn> columns) {
    return columns.isEmpty() ? 0 : columns.get(columns.size() - 1).vocabulary().maxId() + 1;
  }

  /** Names of all columns that are read, in order. */
  public List<String> columns() {
    List<String> names = new ArrayList<>();
    numbers.forEach(c -> names.add(c.name()));
    categories.forEach(c -> names.add(c.name()));
    sparse.forEach(c -> names.add(c.name()));
    return names;
  }

  /**
   * The same description, reading these columns.
   *
   * @param read in the order of {@link #columns()}
   */
  public DataDescription withColumns(List<InputColumn> read) {
    return new DataDescription(
        read.subList(0, numbers.size()),
        read.subList(numbers.size(), numbers.size() + categories.size()),
        read.subList(numbers.size() + categories.size(), read.size()),
        means,
        deviations,
        standardized,
        classes,
        labelMean,
        labelDeviation);
  }

  /** Describes the columns, for people. */
  @Override
  public String toString() {
    List<String> parts = new ArrayList<>();
    for (InputColumn c : numbers) {
      parts.add(c.name() + (c.shape().isEmpty() ? "" : c.shape()));
    }
    for (InputColumn c : categories) {
      Vocabulary v = c.vocabulary();
      parts.add(c.name() + "(" + (v.size() - 1) + " categories)");
    }
    for (InputColumn c : sparse) {
      parts.add(c.name() + "(" + (c.vocabulary().size() - 1) + " keys)");
    }
    return String.join(", ", parts);
  }
}
