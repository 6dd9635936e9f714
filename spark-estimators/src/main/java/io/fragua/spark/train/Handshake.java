package io.fragua.spark.train;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Proves both ends of a connection know the same key without sending it. The acceptor speaks first:
 *
 * <pre>
 * acceptor  -&gt; connector  magic, nonce a
 * connector -&gt; acceptor   magic, nonce c, rank, use, HMAC(key, "connect", a, c, ranks, use)
 * acceptor  -&gt; connector  HMAC(key, "accept", a, c, ranks, use)
 * </pre>
 *
 * Each side signs the other's fresh nonce, so a recording proves nothing, and the word in front
 * keeps one side's answer from being played back as the other's. The use says what the connection
 * is for and whether it is encrypted from here on; its keys follow from the nonces (HKDF, RFC
 * 5869).
 */
final class Handshake {
  static final int NONCE = 16;
  static final int MAC = 32;

  /** Length of the acceptor's first message. */
  static final int HELLO = 8 + NONCE;

  /** Length of the connector's answer. */
  static final int ANSWER = 8 + NONCE + 8 + MAC;

  private static final long MAGIC = 0x4652414755410002L; // "FRAGUA", version 2
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

  /** Who connects to whom, and for what. */
  record Ends(int from, int to, int use) {}

  static ByteBuffer answer(byte[] key, byte[] a, byte[] c, Ends ends) {
    return ByteBuffer.allocate(ANSWER)
        .putLong(MAGIC)
        .put(c)
        .putInt(ends.from())
        .putInt(ends.use())
        .put(mac(key, "connect", a, c, ends))
        .flip();
  }

  /** The rank and use that an answer claims, of a connection to {@code to}; proves nothing. */
  static Ends claimed(ByteBuffer b, int to) {
    return new Ends(b.getInt(8 + NONCE), to, b.getInt(8 + NONCE + 4));
  }

  /** The connector's nonce if the answer is right for these ends, else null. */
  static byte[] readAnswer(ByteBuffer b, byte[] key, byte[] a, Ends ends) {
    byte[] c = new byte[NONCE];
    byte[] mac = new byte[MAC];
    if (b.getLong() != MAGIC) {
      return null;
    }
    b.get(c);
    if (b.getInt() != ends.from() || b.getInt() != ends.use()) {
      return null;
    }
    b.get(mac);
    return MessageDigest.isEqual(mac, mac(key, "connect", a, c, ends)) ? c : null;
  }

  static ByteBuffer proof(byte[] key, byte[] a, byte[] c, Ends ends) {
    return ByteBuffer.wrap(mac(key, "accept", a, c, ends));
  }

  static boolean readProof(ByteBuffer b, byte[] key, byte[] a, byte[] c, Ends ends) {
    byte[] mac = new byte[MAC];
    b.get(mac);
    return MessageDigest.isEqual(mac, mac(key, "accept", a, c, ends));
  }

  /** HMAC-SHA256 over the word, both nonces and the ends. */
  private static byte[] mac(byte[] key, String word, byte[] a, byte[] c, Ends ends) {
    Mac m = hmac(key);
    m.update(word.getBytes(StandardCharsets.US_ASCII));
    m.update(a);
    m.update(c);
    ByteBuffer e = ByteBuffer.allocate(12).putInt(ends.from()).putInt(ends.to());
    return m.doFinal(e.putInt(ends.use()).array());
  }

  /**
   * The key of one direction of one connection: HKDF with the nonces as salt.
   *
   * @param word names the direction
   * @param length in bytes, at most 32
   */
  static byte[] derive(byte[] key, byte[] a, byte[] c, String word, int length) {
    byte[] salt = ByteBuffer.allocate(2 * NONCE).put(a).put(c).array();
    Mac expand = hmac(hmac(salt).doFinal(key));
    expand.update(word.getBytes(StandardCharsets.US_ASCII));
    return Arrays.copyOf(expand.doFinal(new byte[] {1}), length);
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
