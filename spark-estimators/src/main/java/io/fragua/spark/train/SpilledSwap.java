package io.fragua.spark.train;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The swap of a worker whose rows are on disk: rows that leave go to a file of their own, those
 * that stay and those that arrive to a new file, in blocks as long as a part of the swap.
 */
final class SpilledSwap implements RowSwap.Side, AutoCloseable {
  private final int rank;
  private final int rowBytes;
  private final RowSwap way;
  private final Swaps swaps;
  private final SpilledBlocks leaving;
  private final SpilledBlocks next;

  /** Blocks for each worker: of {@code leaving}, but of {@code next} for this one. */
  private final List<List<Integer>> gone = new ArrayList<>();

  /** Blocks of {@code next} by the worker they come from. */
  private final List<List<Integer>> came = new ArrayList<>();

  private final byte[][] open;
  private final int[] filled;

  SpilledSwap(SpillFiles files, int rowBytes, RowSwap way, Swaps swaps) {
    this.rowBytes = rowBytes;
    this.way = way;
    this.swaps = swaps;
    rank = way.rank();
    open = new byte[swaps.workers()][way.rows() * rowBytes];
    filled = new int[swaps.workers()];
    for (int w = 0; w < swaps.workers(); w++) {
      gone.add(new ArrayList<>());
      came.add(new ArrayList<>());
    }
    came.set(rank, gone.get(rank));
    leaving = new SpilledBlocks(files, rowBytes);
    try {
      next = new SpilledBlocks(files, rowBytes);
    } catch (Throwable t) {
      leaving.close();
      throw t;
    }
  }

  /**
   * Swaps.
   *
   * @return the rows that the worker has now, which the caller closes; their blocks, in order, are
   *     {@link #blocks}
   */
  SpilledBlocks run(ShuffledBlocks.Source rows) {
    try {
      part(rows);
      way.run(swaps, this);
      return next;
    } catch (Throwable t) {
      next.close();
      throw t;
    }
  }

  /** Puts rows that go to different workers in different blocks. */
  private void part(ShuffledBlocks.Source rows) {
    Swaps.Draw draw = swaps.draw(rank);
    for (byte[] block = rows.next(); block != null; block = rows.next()) {
      way.check();
      for (int at = 0; at < block.length; at += rowBytes) {
        int to = draw.next();
        System.arraycopy(block, at, open[to], filled[to]++ * rowBytes, rowBytes);
        if (filled[to] == way.rows()) {
          write(to);
        }
      }
    }
    for (int to = 0; to < open.length; to++) {
      if (filled[to] > 0) {
        write(to);
      }
      open[to] = null;
    }
  }

  private void write(int to) {
    gone.get(to).add((to == rank ? next : leaving).append(open[to], 0, filled[to]));
    filled[to] = 0;
  }

  @Override
  public void give(int partner, int from, int rows, ByteBuffer to) {
    to.put(leaving.read(gone.get(partner).get(from / way.rows())));
  }

  @Override
  public void take(int partner, int from, int rows, ByteBuffer rowsOfPartner) {
    byte[] bytes = new byte[rows * rowBytes];
    rowsOfPartner.get(bytes);
    came.get(partner).add(next.append(bytes, 0, rows));
  }

  /** The blocks of the rows that the worker has now, by the worker they come from. */
  List<List<Integer>> blocks() {
    return came;
  }

  @Override
  public void close() {
    leaving.close();
  }
}
