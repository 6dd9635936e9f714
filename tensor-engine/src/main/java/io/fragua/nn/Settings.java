package io.fragua.nn;

import io.fragua.tensor.Check;

/** Checks of settings that several layers have. */
final class Settings {
  private Settings() {}

  /** What is added to a variance or a squared length. */
  static void epsilon(String who, double e) {
    Check.that(
        e >= 0 && e < Double.POSITIVE_INFINITY,
        "%s: epsilon is finite and not negative: %s; correct it",
        who,
        e);
  }

  /** Something that has no default, for instance "a layer". */
  static void given(String who, String what, Object value) {
    Check.that(value != null, "%s: needs %s: null; pass one", who, what);
  }
}
