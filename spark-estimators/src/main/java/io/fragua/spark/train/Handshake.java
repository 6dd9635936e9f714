package io.fragua.spark.train;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Proves both ends of a connection know the same key without sending it. The acceptor speaks first:
 *
 * <pre>
 * acceptor  -&gt; connector  magic, nonce a
 * connector -&gt; acceptor   magic, nonce c, rank, HMAC(key, "connect", a, c, ranks)
 * acceptor  -&gt; connector  HMAC(key, "accept", a, c, ranks)
 * </pre>
 *
 * Each side signs the other's fresh nonce, so a recording proves nothing, and the word in front
 * keeps one side's answer from being played back as the other's.
 */
final class Handshake {
  static final int NONCE = 16;
  static final int MAC = 32;

  /** Length of the acceptor's first message. */
  static final int HELLO = 8 + NONCE;

  /** Length of the connector's answer. */
  static final int ANSWER = 8 + NONCE + 4 + MAC;

  private static final long MAGIC = 0x4652414755410001L; // "FRAGUA", version 1
  private static final SecureRandom RANDOM = new SecureRandom();

  private Handshake() {}

  static byte[] nonce() {
    byte[] n = new byte[NONCE];
    RANDOM.nextBytes(n);
    return n;
  }

  static ByteBuffer hello(byte[] a) {
    return ByteBuffer.allocate(HELLO).putLong(MAGIC).put(a).flip();
  }

  /** The acceptor's nonce, or null if this is no hello. */
  static byte[] readHello(ByteBuffer b) {
    if (b.getLong() != MAGIC) {
      return null;
    }
    byte[] a = new byte[NONCE];
    b.get(a);
    return a;
  }

  static ByteBuffer answer(byte[] key, byte[] a, byte[] c, int from, int to) {
    return ByteBuffer.allocate(ANSWER)
        .putLong(MAGIC)
        .put(c)
        .putInt(from)
        .put(mac(key, "connect", a, c, from, to))
        .flip();
  }

  /** The connector's nonce if the answer is right and comes from {@code from}, else null. */
  static byte[] readAnswer(ByteBuffer b, byte[] key, byte[] a, int from, int to) {
    byte[] c = new byte[NONCE];
    byte[] mac = new byte[MAC];
    if (b.getLong() != MAGIC) {
      return null;
    }
    b.get(c);
    if (b.getInt() != from) {
      return null;
    }
    b.get(mac);
    return MessageDigest.isEqual(mac, mac(key, "connect", a, c, from, to)) ? c : null;
  }

  static ByteBuffer proof(byte[] key, byte[] a, byte[] c, int from, int to) {
    return ByteBuffer.wrap(mac(key, "accept", a, c, from, to));
  }

  static boolean readProof(ByteBuffer b, byte[] key, byte[] a, byte[] c, int from, int to) {
    byte[] mac = new byte[MAC];
    b.get(mac);
    return MessageDigest.isEqual(mac, mac(key, "accept", a, c, from, to));
  }

  /** HMAC-SHA256 over the word, both nonces and both ranks. */
  private static byte[] mac(byte[] key, String word, byte[] a, byte[] c, int from, int to) {
    Mac m = hmac(key);
    m.update(word.getBytes(StandardCharsets.US_ASCII));
    m.update(a);
    m.update(c);
    return m.doFinal(ByteBuffer.allocate(8).putInt(from).putInt(to).array());
  }

  static Mac hmac(byte[] key) {
    try {
      Mac m = Mac.getInstance("HmacSHA256");
      m.init(new SecretKeySpec(key, "HmacSHA256"));
      return m;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("collective: every JDK has HMAC-SHA256", e);
    }
  }
}
