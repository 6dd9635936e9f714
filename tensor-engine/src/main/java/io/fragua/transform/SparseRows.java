package io.fragua.transform;

import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Movement;
import io.fragua.tensor.Scatter;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Sorting;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.List;

/**
 * A tensor [V, D...] that is zero but for some rows: row r is the sum of all {@code rows[i]} with
 * {@code ids[i] = r}. The gradient of a table by the rows that were read of it.
 *
 * @param ids i32 [ids...], N in all; an id may come several times
 * @param rows [ids..., D...]
 * @source PyTorch sparse_coo_tensor with one sparse dimension; TensorFlow IndexedSlices
 */
public record SparseRows(Tensor ids, Tensor rows) {
  /**
   * Checks the types.
   *
   * @throws io.fragua.tensor.ShapeException if they do not fit
   */
  public SparseRows {
    int r = ids.shape().rank();
    Check.shape(
        ids.dtype() == DType.I32
            && rows.shape().rank() >= r
            && rows.shape().slice(0, r).equals(ids.shape()),
        "sparse_rows: every row needs an i32 id: %s for %s; reshape them to [ids...] and [ids...,"
            + " D...]",
        ids.type(),
        rows.type());
  }

  /**
   * The sum of several: their rows one after another.
   *
   * @param parts at least one
   * @throws io.fragua.tensor.ShapeException if they are not of one dtype and width
   */
  public static SparseRows sum(List<SparseRows> parts) {
    if (parts.size() == 1) {
      return parts.get(0);
    }
    List<SparseRows> flat = parts.stream().map(SparseRows::flat).toList();
    return new SparseRows(
        Movement.concat(0, flat.stream().map(SparseRows::ids).toList()),
        Movement.concat(0, flat.stream().map(SparseRows::rows).toList()));
  }

  /** With ids [N] and rows [N, D...]. */
  private SparseRows flat() {
    Shape row = rows.shape().slice(ids.shape().rank(), rows.shape().rank());
    return new SparseRows(ids.reshape(size()), rows.reshape(Shape.of(size()).concat(row).dims()));
  }

  /** How many rows there are, N; those of one id are counted one by one. */
  public int size() {
    return Math.toIntExact(ids.shape().size());
  }

  /**
   * The same as a dense tensor.
   *
   * @param rows of the result, V
   * @throws IndexOutOfBoundsException when computed, if an id is not in [0, V)
   */
  public Tensor dense(int rows) {
    return this.rows.scatterAdd(rows, ids);
  }

  /**
   * The same with the rows of one id added up, in their order, and ids [N]. The size stays N, since
   * shapes are static: the distinct ids stand last and ascend, and the places before them repeat
   * the least id with a row of zeros. So who writes row after row ({@code scatter} with {@code
   * SET}) writes the right one last.
   *
   * @source PyTorch coalesce; JAX BCOO.sum_duplicates(nse=N)
   */
  public SparseRows coalesce() {
    int n = size();
    if (n < 2) {
      return flat();
    }
    Sorting.TopK all = ids.reshape(n).topK(n, 0); // sorted, the largest first
    Tensor sorted = all.values();
    Tensor begins = sorted.slice(0, 1, n).notEqual(sorted.slice(0, 0, n - 1)).cast(DType.I32);
    Tensor zero = Tensor.full(TensorType.of(DType.I32, 1), 0).lift(ids);
    Tensor place = Movement.concat(0, List.of(zero, begins)).cumsum(0).neg().add(n - 1);
    Tensor at = place.scatter(Scatter.SET, all.indices(), place);
    Tensor least = sorted.slice(0, n - 1, n).broadcastTo(Shape.of(n));
    Tensor distinct = least.scatter(Scatter.SET, place, sorted);
    return new SparseRows(
        distinct, rows.scatterAdd(n, at.reshape(ids.shape().dims()))); // rows as they lie
  }
}
