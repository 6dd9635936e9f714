package io.fragua.arrow;

import java.io.Serializable;
import org.apache.spark.SerializableWritable;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;

/**
 * A value that was sent to the executors once, by a broadcast that any {@code spark.serializer} can
 * write ({@link Parcel}).
 *
 * @param <T> what was sent
 */
public final class Sent<T extends Serializable> implements Serializable {
  private static final long serialVersionUID = 1L;

  private final Broadcast<SerializableWritable<Parcel<T>>> broadcast;

  private Sent(Broadcast<SerializableWritable<Parcel<T>>> broadcast) {
    this.broadcast = broadcast;
  }

  /** Sends a value. */
  public static <T extends Serializable> Sent<T> of(SparkContext spark, T value) {
    return new Sent<>(JavaSparkContext.fromSparkContext(spark).broadcast(Parcel.of(value)));
  }

  /** The value, here. */
  public T value() {
    return Parcel.open(broadcast.value());
  }

  /** Takes it back from everywhere; nobody may use it any more. */
  public void destroy() {
    broadcast.destroy();
  }
}
