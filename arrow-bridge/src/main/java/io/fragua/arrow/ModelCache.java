package io.fragua.arrow;

import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The compiled models of this process, counted by the tasks that use them. The only static state of
 * the module: tasks of one executor share nothing else. A model that no task uses stays for the
 * next task or query, but at most {@value #MAX_IDLE} such models and none for longer than ten
 * minutes (looked at when a task begins or ends); their programs are then closed, and what was made
 * of their weights is freed.
 */
final class ModelCache {
  static final int MAX_IDLE = 4;
  private static final long MAX_IDLE_NANOS = 600_000_000_000L;

  private static final Map<ModelKey, Entry> ENTRIES = new HashMap<>();

  private ModelCache() {}

  private static final class Entry {
    private LoadedModel model;
    private int users;
    private long idleSince;

    /** Loads at the first use; other tasks that want the same model wait here for it. */
    synchronized LoadedModel get(ScoreModel m, ModelKey key) {
      if (model == null) {
        model = new LoadedModel(m, key);
      }
      return model;
    }

    synchronized void close() {
      if (model != null) {
        model.close();
        model = null;
      }
    }
  }

  /** The model, for a task that calls {@link #release} when it ends. */
  static LoadedModel acquire(ScoreModel m, ModelKey key) {
    Entry e;
    synchronized (ENTRIES) {
      e = ENTRIES.computeIfAbsent(key, k -> new Entry());
      e.users++;
      evict();
    }
    try {
      return e.get(m, key);
    } catch (RuntimeException | Error failure) {
      release(key);
      throw failure;
    }
  }

  /** Gives up one use. */
  static void release(ModelKey key) {
    synchronized (ENTRIES) {
      Entry e = ENTRIES.get(key);
      if (--e.users == 0) {
        e.idleSince = System.nanoTime();
      }
      evict();
    }
  }

  /** Closes the models that no task uses; for tests. */
  static void clear() {
    synchronized (ENTRIES) {
      evict(0);
    }
  }

  private static void evict() {
    evict(MAX_IDLE);
  }

  private static void evict(int most) {
    long now = System.nanoTime();
    while (true) {
      long idle = ENTRIES.values().stream().filter(e -> e.users == 0).count();
      Optional<Map.Entry<ModelKey, Entry>> oldest =
          ENTRIES.entrySet().stream()
              .filter(e -> e.getValue().users == 0)
              .min(Comparator.comparingLong(e -> e.getValue().idleSince - now));
      if (oldest.isEmpty()
          || idle <= most && now - oldest.get().getValue().idleSince < MAX_IDLE_NANOS) {
        return;
      }
      ENTRIES.remove(oldest.get().getKey()).close();
    }
  }

  /** How many models are loaded, and how many tasks use one; for tests. */
  static int[] counts() {
    synchronized (ENTRIES) {
      return new int[] {ENTRIES.size(), ENTRIES.values().stream().mapToInt(e -> e.users).sum()};
    }
  }
}
