package io.fragua.spark.train;

import java.util.Map;
import java.util.TreeMap;

/**
 * A worker's proven connections.
 *
 * @param data by the partner's rank: what is summed
 * @param life by the other's rank: signs of life
 */
record Links(Map<Integer, Link> data, Map<Integer, Link> life) implements AutoCloseable {
  Links() {
    this(new TreeMap<>(), new TreeMap<>());
  }

  @Override
  public void close() {
    data.values().forEach(Link::close);
    life.values().forEach(Link::close);
  }
}
