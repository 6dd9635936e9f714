package io.fragua.spark.train;

/**
 * What a worker sends to one other and receives from another, in pieces: piece i arrives as the
 * sender's piece i. Positions and counts are in floats of one vector; a count of 0 is nothing.
 */
interface Blocks {
  /** How many there are, each way. */
  int count();

  /** First float of a piece to send. */
  int sendAt(int i);

  /** Floats of a piece to send. */
  int sendCount(int i);

  /** First float of a piece to receive. */
  int receiveAt(int i);

  /** Floats of a piece to receive. */
  int receiveCount(int i);

  /** What is done with a piece that arrives. */
  Use use(int i);

  /** Pieces that may be sent beyond those received: a later one needs what arrives before. */
  int ahead();

  /** What is done with what arrives. */
  enum Use {
    /** It takes the place of what is there. */
    STORE,
    /** It is added to what is there, at once. */
    ADD,
    /** As ADD; then the sum is complete, and rounded to what others will receive of it. */
    ADD_LAST,
    /** It is added when all is sent: both parts are the same. At most Exchange.SCRATCH bytes. */
    ADD_AFTER
  }
}
