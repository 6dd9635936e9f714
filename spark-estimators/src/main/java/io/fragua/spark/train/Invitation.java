package io.fragua.spark.train;

import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.SparkEnv;

/**
 * What the workers of a barrier stage tell each other before they meet.
 *
 * @param peers where each listens, by rank
 * @param token of rank 0, which the secret is made of
 * @param said what each wanted the others to know
 */
record Invitation(List<Peer> peers, byte[] token, List<String> said) {
  /**
   * Exchanges; all workers must call it.
   *
   * @param say anything without a bar
   */
  static Invitation exchange(
      BarrierTaskContext context, Rendezvous rendezvous, SparkEnv env, String say) {
    byte[] token = new byte[32];
    new SecureRandom().nextBytes(token);
    String mine =
        String.join(
            "|",
            env.blockManager().blockManagerId().host(),
            String.valueOf(rendezvous.port()),
            env.executorId(),
            say,
            context.partitionId() == 0 ? HexFormat.of().formatHex(token) : "");
    // Spark looks for the others' messages once a second, which a worker alone need not wait for.
    String[] all = context.numPartitions() == 1 ? new String[] {mine} : context.allGather(mine);
    List<Peer> peers = new ArrayList<>();
    List<String> said = new ArrayList<>();
    for (int r = 0; r < all.length; r++) {
      String[] s = all[r].split("\\|", -1);
      peers.add(new Peer(r, s[0], Integer.parseInt(s[1]), s[2]));
      said.add(s[3]);
    }
    return new Invitation(peers, HexFormat.of().parseHex(all[0].split("\\|", -1)[4]), said);
  }
}
