package io.fragua.spark.train;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.UnresolvedAddressException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Connects the workers: each connects to those of lower rank and accepts those of higher, all at
 * once in one thread, since every rank waits for answers from others. A connection that does not
 * prove the key is dropped and the wait goes on; one that says nothing holds nobody up.
 */
final class Rendezvous implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Rendezvous.class);

  /** More unproven connections than this are refused, so that strangers cannot use up sockets. */
  private static final int MAX_PENDING = 64;

  /** Connections that may wait to be accepted; the system has a limit of its own. */
  private static final int BACKLOG = 1024;

  /** Room for the send and receive side of one exchange, so that a write seldom has to wait. */
  private static final int SOCKET_BUFFER = 1 << 20;

  /** What a connection is for: sums, or signs of life. */
  private static final int DATA = 0;

  private static final int LIFE = 1;

  private final ServerSocketChannel server;
  private final Set<SocketChannel> open = new HashSet<>();
  private final Links links = new Links();

  /** Connections that do not stand yet. */
  private final Set<Handshake.Ends> missing = new HashSet<>();

  private int rank;
  private List<Peer> peers;
  private Secret secret;
  private String last = "nothing was heard";

  private Rendezvous(ServerSocketChannel server) {
    this.server = server;
  }

  /**
   * Of workers that are all in this process, to whom nobody connects: so it works where the
   * advertised host is no address of this machine, as that of a container or a VPN.
   */
  static Rendezvous inProcess() {
    return new Rendezvous(null);
  }

  /**
   * Listens on a free port of one address.
   *
   * @throws IllegalStateException if the host is not an address of this machine
   */
  static Rendezvous listen(String host) {
    ServerSocketChannel s = null;
    try {
      InetAddress address = InetAddress.getByName(host);
      if (address.isAnyLocalAddress()) {
        throw new IOException("it means every interface");
      }
      s = ServerSocketChannel.open();
      s.setOption(StandardSocketOptions.SO_RCVBUF, SOCKET_BUFFER); // inherited by what it accepts
      s.bind(new InetSocketAddress(address, 0), BACKLOG);
      return new Rendezvous(s);
    } catch (IOException e) {
      close(s);
      throw new IllegalStateException(
          "collective: a worker listens on its executor's address: "
              + host
              + " ("
              + e
              + "); set SPARK_LOCAL_IP or spark.driver.host to an address of the machine",
          e);
    }
  }

  /** Port it listens on; 0 for none. */
  int port() {
    return server == null ? 0 : server.socket().getLocalPort();
  }

  /**
   * Joins the others, or the shared memory of workers that are all in this process.
   *
   * @param peers by rank
   * @param topology of the connections
   * @param secret that all of them know
   * @param memory whether other processes of this machine may be reached through shared memory
   * @param check called ten times a second; throws to give up
   * @throws CollectiveException naming a worker that could not be reached in time
   */
  Collective join(
      int rank,
      List<Peer> peers,
      Topology topology,
      Secret secret,
      Timeouts timeouts,
      boolean memory,
      Runnable check) {
    if (SharedCollective.canJoin(peers)) {
      close();
      return new SharedCollective(rank, peers, timeouts, check);
    }
    Links all = connect(rank, peers, topology, secret, timeouts, check);
    if (memory && secret.cipherBytes() == 0) {
      try {
        new SharedMemory(rank, peers, timeouts, check).join(all.data());
      } catch (Throwable t) {
        all.close();
        throw t;
      }
    }
    return new LinkedCollective(rank, peers, all, timeouts, check);
  }

  /** As {@link #join}, over TCP in any case, and only until all connections stand. */
  Links connect(
      int rank,
      List<Peer> peers,
      Topology topology,
      Secret secret,
      Timeouts timeouts,
      Runnable check) {
    this.rank = rank;
    this.peers = peers;
    this.secret = secret;
    try (Selector selector = Selector.open()) {
      server.configureBlocking(false);
      server.register(selector, SelectionKey.OP_ACCEPT);
      for (int p : topology.partners(rank)) {
        tie(p, DATA, selector);
      }
      for (int p : topology.watched(rank)) {
        tie(p, LIFE, selector);
      }
      long deadline = System.nanoTime() + timeouts.connectMs() * 1_000_000L;
      while (!missing.isEmpty()) {
        check.run();
        if (System.nanoTime() - deadline > 0) {
          throw failure(
              other(missing.iterator().next()),
              "did not join within " + timeouts.connectMs() + " ms; " + last,
              null);
        }
        selector.select(100);
        for (SelectionKey k : selector.selectedKeys()) {
          if (k.isAcceptable()) {
            accept(selector);
          } else if (k.isValid()) {
            ((Side) k.attachment()).ready(k);
          }
        }
        selector.selectedKeys().clear();
      }
    } catch (IOException e) {
      close();
      links.close();
      throw new CollectiveException("collective: sockets can be waited for: " + e, e);
    } catch (RuntimeException e) {
      close();
      links.close();
      throw e;
    }
    close(); // strangers still waiting, and the listening socket
    return links;
  }

  /** One end of a handshake in progress. */
  private interface Side {
    void ready(SelectionKey k) throws IOException;
  }

  private Peer other(Handshake.Ends e) {
    return peers.get(e.from() == rank ? e.to() : e.from());
  }

  /** Connects to a lower rank, or gets ready to be connected to. */
  private void tie(int other, int kind, Selector selector) throws IOException {
    int use = kind | secret.cipherBytes() << 8; // so both ends mean the same
    var ends = new Handshake.Ends(Math.max(rank, other), Math.min(rank, other), use);
    missing.add(ends);
    if (other > rank) {
      return;
    }
    SocketChannel c = opened(SocketChannel.open());
    c.setOption(StandardSocketOptions.SO_RCVBUF, SOCKET_BUFFER);
    c.setOption(StandardSocketOptions.SO_SNDBUF, SOCKET_BUFFER);
    c.setOption(StandardSocketOptions.TCP_NODELAY, true);
    c.configureBlocking(false);
    Outbound o = new Outbound(c, ends);
    boolean done;
    try {
      done = c.connect(new InetSocketAddress(peers.get(other).host(), peers.get(other).port()));
    } catch (IOException | UnresolvedAddressException e) {
      throw failure(peers.get(other), "cannot be reached: " + e, e);
    }
    c.register(selector, done ? SelectionKey.OP_READ : SelectionKey.OP_CONNECT, o);
  }

  /** A connection stands. */
  private void proven(SocketChannel c, Handshake.Ends ends, byte[] a, byte[] nonce) {
    missing.remove(ends);
    open.remove(c);
    Peer peer = other(ends);
    Link link = new Link(peer, c);
    int n = secret.cipherBytes();
    if (n > 0) {
      byte[] up = Handshake.derive(secret.key(), a, nonce, "connector's", n);
      byte[] down = Handshake.derive(secret.key(), a, nonce, "acceptor's", n);
      boolean connector = ends.from() == rank;
      link = new SealedLink(peer, c, connector ? up : down, connector ? down : up);
    }
    ((ends.use() & 0xff) == DATA ? links.data() : links.life()).put(peer.rank(), link);
  }

  private void accept(Selector selector) throws IOException {
    for (SocketChannel c = server.accept(); c != null; c = server.accept()) {
      if (open.size() > MAX_PENDING + missing.size()) {
        drop(c, "too many connections that prove nothing");
        continue;
      }
      opened(c);
      try {
        c.setOption(StandardSocketOptions.SO_SNDBUF, SOCKET_BUFFER);
        c.setOption(StandardSocketOptions.TCP_NODELAY, true);
        c.configureBlocking(false);
        Inbound in = new Inbound(c);
        in.start();
        c.register(selector, SelectionKey.OP_READ, in);
      } catch (IOException e) {
        drop(c, e.toString()); // it left at once
      }
    }
  }

  private SocketChannel opened(SocketChannel c) {
    open.add(c);
    return c;
  }

  private void drop(SocketChannel c, String why) {
    LOG.warn("collective: rank {} dropped a connection on port {}: {}", rank, port(), why);
    last = "a connection was dropped: " + why;
    open.remove(c);
    close(c);
  }

  /** The acceptor's side: a failure here is a stranger's, not an error of the training. */
  private final class Inbound implements Side {
    private final SocketChannel c;
    private final byte[] a = Handshake.nonce();
    private final ByteBuffer in = ByteBuffer.allocate(Handshake.ANSWER);

    Inbound(SocketChannel c) {
      this.c = c;
    }

    void start() throws IOException {
      c.write(Handshake.hello(a)); // a new socket's buffer has room for it
    }

    @Override
    public void ready(SelectionKey k) {
      try {
        if (c.read(in) < 0) {
          drop(c, "it closed before it proved the key");
        } else if (!in.hasRemaining()) {
          Handshake.Ends ends = Handshake.claimed(in.flip(), rank);
          byte[] nonce =
              missing.contains(ends) ? Handshake.readAnswer(in, secret.key(), a, ends) : null;
          if (nonce == null) {
            drop(c, "it does not know the key, or is not waited for");
            return;
          }
          c.write(Handshake.proof(secret.key(), a, nonce, ends));
          k.cancel();
          proven(c, ends, a, nonce);
        }
      } catch (IOException e) {
        drop(c, e.toString());
      }
    }
  }

  /** The connector's side: the address is the peer's own, so a failure is the peer's. */
  private final class Outbound implements Side {
    private final SocketChannel c;
    private final Handshake.Ends ends;
    private final byte[] nonce = Handshake.nonce();
    private ByteBuffer in = ByteBuffer.allocate(Handshake.HELLO);
    private byte[] a;

    Outbound(SocketChannel c, Handshake.Ends ends) {
      this.c = c;
      this.ends = ends;
    }

    @Override
    public void ready(SelectionKey k) {
      try {
        talk(k);
      } catch (IOException e) {
        throw failure(other(ends), "refused the connection: " + e.getMessage(), e);
      }
    }

    private void talk(SelectionKey k) throws IOException {
      if (k.isConnectable()) {
        c.finishConnect();
        k.interestOps(SelectionKey.OP_READ);
        return;
      }
      int got = c.read(in);
      if (got < 0) {
        throw failure(
            other(ends),
            "closed the connection: it holds another key or other settings of encryption",
            null);
      }
      if (in.hasRemaining()) {
        return;
      }
      in.flip();
      if (a == null) {
        a = Handshake.readHello(in);
        if (a == null) {
          throw failure(other(ends), "is not a worker of this version of Fragua", null);
        }
        c.write(Handshake.answer(secret.key(), a, nonce, ends));
        in = ByteBuffer.allocate(Handshake.MAC);
      } else if (Handshake.readProof(in, secret.key(), a, nonce, ends)) {
        k.cancel();
        proven(c, ends, a, nonce);
      } else {
        throw failure(other(ends), "does not know the key", null);
      }
    }
  }

  private CollectiveException failure(Peer peer, String what, Throwable cause) {
    return new CollectiveException(
        "collective: every worker must join the others: "
            + peer
            + " "
            + what
            + " (seen by rank "
            + rank
            + "); look at that executor's log, and let executors reach each other on any port",
        cause);
  }

  /** Closes the listening socket and every connection that was not handed on. */
  @Override
  public void close() {
    close(server);
    open.forEach(Rendezvous::close);
    open.clear();
  }

  /** Closing is the last word on a socket: what it says is logged and never hides a cause. */
  static void close(AutoCloseable c) {
    if (c != null) {
      try {
        c.close();
      } catch (Exception e) {
        LOG.warn("collective: closing a socket failed", e);
      }
    }
  }
}
