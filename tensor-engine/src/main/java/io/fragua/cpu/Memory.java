package io.fragua.cpu;

import io.fragua.tensor.DType;

/** How generated code reads and writes memory: through a ByteBuffer, or a MemorySegment. */
final class Memory {
  /** The Java type of a kernel's operands. */
  static final String TYPE = VectorRuntime.SEGMENTS ? "MemorySegment" : "ByteBuffer";

  /** Imports and constants of every generated class. */
  static final String PRELUDE = prelude();

  private Memory() {}

  private static String prelude() {
    if (!VectorRuntime.SEGMENTS) {
      return "";
    }
    StringBuilder s = new StringBuilder();
    for (String[] t :
        new String[][] {
          {"Byte", "BYTE", ""},
          {"Short", "SHORT", "_UNALIGNED"},
          {"Int", "INT", "_UNALIGNED"},
          {"Long", "LONG", "_UNALIGNED"},
          {"Float", "FLOAT", "_UNALIGNED"},
          {"Double", "DOUBLE", "_UNALIGNED"}
        }) {
      s.append(
          "  static final ValueLayout.Of"
              + t[0]
              + " T"
              + t[0]
              + " = ValueLayout.JAVA_"
              + t[1]
              + t[2]
              + ";\n");
    }
    return s.toString();
  }

  private static String java(DType t) {
    return switch (t) {
      case F32 -> "Float";
      case F64 -> "Double";
      case F16, BF16, I16 -> "Short";
      case I32 -> "Int";
      case I64 -> "Long";
      default -> "Byte";
    };
  }

  private static String raw(DType t, String memory, String offset) {
    String j = java(t);
    if (VectorRuntime.SEGMENTS) {
      return memory + ".get(T" + j + ", (long) (" + offset + "))";
    }
    return memory + ".get" + (j.equals("Byte") ? "" : j) + "(" + offset + ")";
  }

  /** An expression for the element at a byte offset, of {@link ScalarText#type}. */
  static String get(DType t, String memory, String offset) {
    String r = raw(t, memory, offset);
    return switch (t) {
      case F16 -> "io.fragua.tensor.Float16.fromF16(" + r + ")";
      case BF16 -> "io.fragua.tensor.Float16.fromBf16(" + r + ")";
      case U8 -> "(" + r + " & 0xff)";
      case BOOL -> "(" + r + " != 0)";
      default -> r;
    };
  }

  /** A statement that stores an element. */
  static String put(DType t, String memory, String offset, String value) {
    String v =
        switch (t) {
          case F16 -> "io.fragua.tensor.Float16.toF16(" + value + ")";
          case BF16 -> "io.fragua.tensor.Float16.toBf16(" + value + ")";
          case I8, U8 -> "(byte) " + value;
          case I16 -> "(short) " + value;
          case BOOL -> "(byte) (" + value + " ? 1 : 0)";
          default -> value;
        };
    String j = java(t);
    if (VectorRuntime.SEGMENTS) {
      return memory + ".set(T" + j + ", (long) (" + offset + "), " + v + ");";
    }
    return memory + ".put" + (j.equals("Byte") ? "" : j) + "(" + offset + ", " + v + ");";
  }

  /** An expression for a vector at a byte offset. */
  static String load(String vector, String species, String memory, String offset) {
    return VectorRuntime.SEGMENTS
        ? vector + ".fromMemorySegment(" + species + ", " + memory + ", (long) (" + offset + "), O)"
        : vector + ".fromByteBuffer(" + species + ", " + memory + ", " + offset + ", O)";
  }

  /** A statement that stores a vector. */
  static String store(String value, String memory, String offset) {
    return VectorRuntime.SEGMENTS
        ? value + ".intoMemorySegment(" + memory + ", (long) (" + offset + "), O);"
        : value + ".intoByteBuffer(" + memory + ", " + offset + ", O);";
  }
}
