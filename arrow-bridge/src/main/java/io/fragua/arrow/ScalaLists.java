package io.fragua.arrow;

import java.util.HashMap;
import java.util.List;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.ExprId;
import scala.collection.immutable.Map;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/** Java lists to and from the immutable sequences that Catalyst takes. */
final class ScalaLists {
  private ScalaLists() {}

  static <T> Seq<T> seq(List<? extends T> list) {
    return CollectionConverters.<T>asScala(List.<T>copyOf(list)).toSeq();
  }

  static <T> List<T> list(scala.collection.Seq<T> seq) {
    return CollectionConverters.asJava(seq);
  }

  static <T> Seq<T> concat(Seq<T> a, Seq<T> b) {
    List<T> all = new java.util.ArrayList<>(list(a));
    all.addAll(list(b));
    return seq(all);
  }

  static <K, V> Map<K, V> map(java.util.Map<K, V> m) {
    return Map.from(CollectionConverters.asScala(m));
  }

  /** Where each attribute is, by its identity. */
  static java.util.Map<ExprId, Integer> positions(Seq<Attribute> attributes) {
    java.util.Map<ExprId, Integer> at = new HashMap<>();
    for (Attribute a : list(attributes)) {
      at.put(a.exprId(), at.size());
    }
    return at;
  }
}
