package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.Arrays;
import org.apache.spark.SecurityManager;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import scala.Option;

class SecretTest {
  private static final byte[] TOKEN = {4, 5, 6};

  private static Secret secret(String... settings) {
    SparkConf conf = new SparkConf(false);
    for (String s : settings) {
      if (s != null) {
        conf.set(s.split("=")[0], s.split("=")[1]);
      }
    }
    var file = org.apache.spark.internal.config.package$.MODULE$.AUTH_SECRET_FILE();
    return Secret.of(new SecurityManager(conf, Option.empty(), file), conf, TOKEN);
  }

  /** Workers encrypt what they exchange exactly if Spark does, with keys as long as Spark's. */
  @ParameterizedTest
  @CsvSource({
    "0, spark.authenticate=false,",
    "0, spark.authenticate=true,",
    "16, spark.authenticate=true, spark.network.crypto.enabled=true",
    "16, spark.authenticate=true, spark.authenticate.enableSaslEncryption=true",
    "16, spark.ssl.rpc.enabled=true,",
  })
  void encryptionFollowsSpark(int cipherBytes, String first, String second) {
    String own = first.equals("spark.authenticate=true") ? "spark.authenticate.secret=x" : null;
    assertEquals(cipherBytes, secret(first, second, own).cipherBytes());
    int longer = cipherBytes == 0 ? 0 : 32;
    assertEquals(
        longer, secret(first, second, own, "spark.network.crypto.keyLength=256").cipherBytes());
  }

  @Test
  void sparksSecretIsPartOfTheKey() {
    assertArrayEquals(TOKEN, secret().key());
    byte[] one = secret("spark.authenticate=true", "spark.authenticate.secret=x").key();
    byte[] two = secret("spark.authenticate=true", "spark.authenticate.secret=y").key();
    assertFalse(Arrays.equals(one, two));
    assertFalse(Arrays.equals(one, TOKEN));
    assertEquals(32, one.length);
  }
}
