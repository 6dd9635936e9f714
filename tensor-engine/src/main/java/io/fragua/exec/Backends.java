package io.fragua.exec;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.ServiceLoader;

/** The backends on the class path, found once by {@link ServiceLoader}. */
public final class Backends {
  private static final Map<String, Backend> ALL = load();

  private Backends() {}

  private static Map<String, Backend> load() {
    Map<String, Backend> all = new LinkedHashMap<>();
    for (Backend b : ServiceLoader.load(Backend.class, Backend.class.getClassLoader())) {
      all.put(b.name(), b);
    }
    return all;
  }

  /**
   * The backend of this name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static Backend get(String name) {
    Backend b = ALL.get(name);
    if (b == null) {
      throw new IllegalArgumentException(
          "backend: must be one of "
              + ALL.keySet()
              + ": \""
              + name
              + "\"; correct the name or put its jar on the class path");
    }
    return b;
  }

  /** The backend that programs run on unless asked otherwise. */
  public static Backend cpu() {
    return get("cpu");
  }

  /** The slow, obvious one: the definition. */
  public static Backend reference() {
    return get("reference");
  }
}
