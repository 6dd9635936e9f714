package io.fragua.arrow;

import io.fragua.exec.Precision;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What makes two compiled models one: the same content, compiled in the same way.
 *
 * @param rows of a batch
 * @param outputs positions of the columns that are wanted among the model's
 */
record ModelKey(
    String uid,
    String content,
    String backend,
    Precision precision,
    int threads,
    int rows,
    List<Integer> outputs)
    implements Serializable {
  static ModelKey of(ScoreModel m, String backend) {
    try {
      MessageDigest d = MessageDigest.getInstance("SHA-256");
      d.update(m.graphJson().getBytes(StandardCharsets.UTF_8));
      d.update(m.nextGraphJson().getBytes(StandardCharsets.UTF_8));
      d.update(m.safetensors());
      d.update(serialized(m));
      String content = HexFormat.of().formatHex(d.digest());
      List<Integer> all = IntStream.range(0, m.outputs().size()).boxed().toList();
      return new ModelKey(
          m.uid(), content, backend, m.precision(), m.threads(), m.batchRows(), all);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // memory does not fail
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("model key: every JDK has SHA-256", e);
    }
  }

  private static byte[] serialized(ScoreModel m) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(m.tiles());
      out.writeObject(m.outputs());
      out.writeInt(m.batchRows());
    }
    return bytes.toByteArray();
  }

  /** This key with the number of threads that 0 stands for. */
  ModelKey withThreads(int n) {
    return new ModelKey(uid, content, backend, precision, n, rows, outputs);
  }

  /** This key for batches of another size. */
  ModelKey withRows(int n) {
    return new ModelKey(uid, content, backend, precision, threads, n, outputs);
  }

  /** This key for some of its columns, by position among them. */
  ModelKey only(int[] positions) {
    List<Integer> kept = IntStream.of(positions).mapToObj(outputs::get).toList();
    return new ModelKey(uid, content, backend, precision, threads, rows, kept);
  }

  /** The columns that are wanted. */
  List<OutputSpec> outputs(ScoreModel m) {
    return outputs.stream().map(m.outputs()::get).toList();
  }
}
