package io.fragua.spark.persist;

/** Versions of the model folder. Adding a version: raise CURRENT, and branch in ModelReader. */
final class FormatVersion {
  /** What this version of Fragua writes; it reads this and all before. */
  static final int CURRENT = 1;

  private FormatVersion() {}
}
