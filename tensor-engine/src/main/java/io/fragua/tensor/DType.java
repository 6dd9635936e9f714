package io.fragua.tensor;

import java.util.Locale;

/**
 * Element types of a {@link Tensor}. The text form is the lower-case name ({@code f32}), as in
 * StableHLO and safetensors (which writes it in upper case).
 */
public enum DType {
  /** IEEE 754 binary32. */
  F32(4, true),
  /** IEEE 754 binary64. */
  F64(8, true),
  /** IEEE 754 binary16. */
  F16(2, true),
  /** bfloat16: the upper half of a binary32. */
  BF16(2, true),
  /** Signed 8-bit integer. */
  I8(1, false),
  /** Unsigned 8-bit integer. */
  U8(1, false),
  /** Signed 16-bit integer. */
  I16(2, false),
  /** Signed 32-bit integer. */
  I32(4, false),
  /** Signed 64-bit integer. */
  I64(8, false),
  /** Truth value, one byte, 0 or 1. */
  BOOL(1, false);

  private final int bytes;
  private final boolean floating;

  DType(int bytes, boolean floating) {
    this.bytes = bytes;
    this.floating = floating;
  }

  /** Size of one element in bytes. */
  public int bytes() {
    return bytes;
  }

  /** True for the floating types. */
  public boolean isFloating() {
    return floating;
  }

  /** True for the integer types; {@link #BOOL} is not one. */
  public boolean isInteger() {
    return !floating && this != BOOL;
  }

  /** The least integer of an integer type; 0 of {@link #BOOL}. */
  public long least() {
    return this == U8 || this == BOOL ? 0 : -1L << (8 * bytes - 1);
  }

  /** The greatest integer of an integer type; 1 of {@link #BOOL}. */
  public long greatest() {
    return this == U8 ? 255 : this == BOOL ? 1 : ~(-1L << (8 * bytes - 1));
  }

  /**
   * True if a number can stand for an element of this type: an integer type takes whole numbers of
   * its range; the floating types round, and {@link #BOOL} takes what is not 0 as true, so they
   * take all. 2^63, which {@code Long.MAX_VALUE} becomes as a double, is taken as i64's greatest.
   */
  public boolean holds(double value) {
    return !isInteger() || value == Math.rint(value) && value >= least() && value <= greatest();
  }

  /** The type in which functions of several steps compute on this one. */
  DType precise() {
    return this == F64 ? F64 : F32;
  }

  /**
   * The type for steps on the way to a result of this type: f32 for f16 and bf16, whose squares
   * overflow and whose sums stand still, i32 for integers of less than 32 bits, otherwise the type
   * itself.
   */
  public DType wide() {
    return this == BOOL || bytes >= 4 ? this : floating ? F32 : I32;
  }

  /**
   * The type with this text form, in either case.
   *
   * @throws IllegalArgumentException if no type has this name
   */
  public static DType parse(String name) {
    for (DType t : values()) {
      if (t.name().equalsIgnoreCase(name)) {
        return t;
      }
    }
    throw new IllegalArgumentException(
        "dtype: the name must be one of f32 f64 f16 bf16 i8 u8 i16 i32 i64 bool: \""
            + name
            + "\"; correct the name");
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
