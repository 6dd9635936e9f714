package io.fragua.arrow;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.io.InputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.OutputStream;
import java.io.Serializable;
import org.apache.hadoop.io.Writable;
import org.apache.spark.SerializableWritable;

/**
 * A value on its way between driver and tasks, written by Java's serialisation whatever {@code
 * spark.serializer} is. Kryo cannot write records, and refuses classes that nobody has registered
 * where {@code spark.kryo.registrationRequired} is set; {@link SerializableWritable} is registered
 * in every Spark and streams what it holds, so that nothing large is copied once more.
 *
 * @param <T> what is carried
 */
public final class Parcel<T extends Serializable> implements Writable {
  private T value;

  private Parcel() {} // for who reads one

  /** The value, packed. */
  public static <T extends Serializable> SerializableWritable<Parcel<T>> of(T value) {
    Parcel<T> p = new Parcel<>();
    p.value = value;
    return new SerializableWritable<>(p);
  }

  /** The value of a packed one. */
  public static <T extends Serializable> T open(SerializableWritable<Parcel<T>> packed) {
    return packed.value().value;
  }

  @Override
  public void write(DataOutput out) throws IOException {
    ObjectOutputStream objects = new ObjectOutputStream((OutputStream) out); // Java's, from Spark
    objects.writeObject(value);
    objects.flush();
  }

  @Override
  @SuppressWarnings("unchecked") // written by write
  public void readFields(DataInput in) throws IOException {
    try {
      value = (T) new ObjectInputStream((InputStream) in).readObject();
    } catch (ClassNotFoundException e) {
      throw new IOException(
          "parcel: driver and executors must have the same jar of Fragua: no class "
              + e.getMessage()
              + " here; submit it to both",
          e);
    }
  }
}
