package io.fragua.cpu;

/** A step of one execution and thread, run on one tile after another. */
interface Part extends AutoCloseable {
  /** Takes the addresses anew. */
  void rebind();

  /** Computes a tile; allocates nothing. */
  void run(int tile);

  @Override
  void close();
}
