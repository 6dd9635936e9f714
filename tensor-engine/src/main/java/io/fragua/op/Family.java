package io.fragua.op;

/** What rows of the op table have in common: the type rule, and how a backend lowers them. */
public enum Family {
  /** One operand, element by element. */
  UNARY,
  /** Two operands of one type, element by element. */
  BINARY,
  /** Two operands of one type, bool result. */
  COMPARE,
  /** Element by element, with operands of several types. */
  ELEMENTWISE,
  /** Folds axes away. */
  REDUCE,
  /** Each element from those before it on an axis. */
  CUMULATIVE,
  /** Moves elements without computing. */
  MOVEMENT,
  /** Products summed over an axis. */
  CONTRACTION,
  /** Reads or writes by index. */
  INDEX,
  /** Applies functions that are its settings. */
  CONTROL,
  /** Orders elements. */
  SORT,
  /** Over windows that move along spatial axes. */
  WINDOW,
  /** Factors matrices and solves systems. */
  LINALG,
  /** Fourier transforms of an axis. */
  FFT;

  /** True if the result at an index depends on the operands at that index alone. */
  public boolean isElementwise() {
    return this == UNARY || this == BINARY || this == COMPARE || this == ELEMENTWISE;
  }
}
