package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What rank 0 makes of others that are gone before it looks. */
class PulseTest {
  private static final int WORKERS = 9;
  private static final int LEFT = 1;

  /** Rank 0, whose others have said that they leave after so many operations, and are gone. */
  private static Pulse afterAllLeft(long operations, List<Link> links) throws Exception {
    List<Peer> peers = new ArrayList<>();
    for (int r = 0; r < WORKERS; r++) {
      peers.add(new Peer(r, Ranks.HOST, 1 + r, "e" + r));
    }
    try (ServerSocketChannel server = ServerSocketChannel.open()) {
      server.bind(new InetSocketAddress(Ranks.HOST, 0));
      for (int r = 1; r < WORKERS; r++) {
        try (SocketChannel other = SocketChannel.open(server.getLocalAddress())) {
          SocketChannel own = server.accept();
          own.configureBlocking(false);
          links.add(new Link(peers.get(r), own));
          other.write(ByteBuffer.allocate(16).putInt(LEFT).putInt(r).putLong(operations).flip());
        }
      }
    }
    return new Pulse(0, peers, links, Ranks.PATIENT);
  }

  /** Whatever it wrote to them in the meantime. */
  @Test
  void whoLeftAfterTheLastOperationIsNotMissed() throws Exception {
    List<Link> links = new ArrayList<>();
    try (Pulse pulse = afterAllLeft(1, links)) {
      pulse.begin();
      Thread.sleep(200); // what it tells the others of each comes back to it as an error
      pulse.check();
    } finally {
      for (Link l : links) {
        l.close();
      }
    }
  }

  private static String said(Pulse pulse) {
    try {
      pulse.check();
      return "";
    } catch (CollectiveException e) {
      return e.getMessage();
    }
  }

  @Test
  void whoLeftBeforeIsNamed() throws Exception {
    List<Link> links = new ArrayList<>();
    try (Pulse pulse = afterAllLeft(0, links)) {
      pulse.begin();
      assertTrue(Patience.until(() -> said(pulse).contains("is gone: it left")), said(pulse));
    } finally {
      for (Link l : links) {
        l.close();
      }
    }
  }
}
