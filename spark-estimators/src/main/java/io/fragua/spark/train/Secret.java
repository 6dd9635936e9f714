package io.fragua.spark.train;

import java.nio.charset.StandardCharsets;
import org.apache.spark.SecurityManager;
import org.apache.spark.SparkConf;

/**
 * What the workers of one training know and others do not.
 *
 * @param key that both ends of a connection prove to know
 * @param cipherBytes length of the AES keys that connections are encrypted with; 0 for clear text
 */
record Secret(byte[] key, int cipherBytes) {
  /** Spark's setting of the length of its own AES keys, in bits. */
  private static final String LENGTH = "spark.network.crypto.keyLength";

  /**
   * The secret of one training: its token, which the barrier carries, and with {@code
   * spark.authenticate} Spark's own secret on top, so that having read the token is not enough.
   * Connections are encrypted if Spark's own are, by AES or TLS.
   */
  static Secret of(SecurityManager security, SparkConf conf, byte[] token) {
    String shared = security.isAuthenticationEnabled() ? security.getSecretKey() : null;
    byte[] key =
        shared == null
            ? token
            : Handshake.hmac(shared.getBytes(StandardCharsets.UTF_8)).doFinal(token);
    boolean sealed = security.isEncryptionEnabled() || security.isSslRpcEnabled();
    return new Secret(key, sealed ? conf.getInt(LENGTH, 128) / 8 : 0);
  }
}
