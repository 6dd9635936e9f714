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
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes a ring: connects to the next rank and accepts the previous one, both at once in one thread,
 * since every rank waits for an answer from its neighbour. A connection that does not prove the key
 * is dropped and the wait goes on; one that says nothing holds nobody up.
 */
final class Rendezvous implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Rendezvous.class);

  /** More unproven connections than this are refused, so that strangers cannot use up sockets. */
  private static final int MAX_PENDING = 64;

  /** Room for the send and receive side of one exchange, so that a write seldom has to wait. */
  private static final int SOCKET_BUFFER = 1 << 20;

  private final ServerSocketChannel server;
  private final Set<SocketChannel> open = new HashSet<>();

  private int rank;
  private Peer nextPeer;
  private Peer prevPeer;
  private byte[] key;
  private SocketChannel next;
  private SocketChannel prev;
  private String last = "nothing was heard";

  private Rendezvous(ServerSocketChannel server) {
    this.server = server;
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
      s.bind(new InetSocketAddress(address, 0));
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

  /** Port it listens on. */
  int port() {
    return server.socket().getLocalPort();
  }

  /**
   * Joins the ring, or the shared memory of workers that are all in this process.
   *
   * @param peers by rank
   * @param key that all of them know
   * @param check called ten times a second; throws to give up
   * @throws CollectiveException naming the neighbour that could not be reached in time
   */
  Collective join(int rank, List<Peer> peers, byte[] key, Timeouts timeouts, Runnable check) {
    int n = peers.size();
    if (SharedCollective.canJoin(peers)) {
      close();
      return new SharedCollective(rank, peers, timeouts, check);
    }
    this.rank = rank;
    this.key = key;
    nextPeer = peers.get((rank + 1) % n);
    prevPeer = peers.get((rank + n - 1) % n);
    try (Selector selector = Selector.open()) {
      server.configureBlocking(false);
      server.register(selector, SelectionKey.OP_ACCEPT);
      connect(selector);
      long deadline = System.nanoTime() + timeouts.connectMs() * 1_000_000L;
      while (next == null || prev == null) {
        check.run();
        if (System.nanoTime() - deadline > 0) {
          throw failure(
              next == null ? nextPeer : prevPeer,
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
      throw failure(next == null ? nextPeer : prevPeer, "cannot be reached: " + e, e);
    } catch (RuntimeException e) {
      close();
      throw e;
    }
    open.remove(next);
    open.remove(prev);
    close(); // strangers still waiting, and the listening socket
    return new RingCollective(rank, peers, next, prev, timeouts, check);
  }

  /** One end of a handshake in progress. */
  private interface Side {
    void ready(SelectionKey k) throws IOException;
  }

  private void connect(Selector selector) throws IOException {
    SocketChannel c = opened(SocketChannel.open());
    c.setOption(StandardSocketOptions.SO_RCVBUF, SOCKET_BUFFER);
    c.setOption(StandardSocketOptions.SO_SNDBUF, SOCKET_BUFFER);
    c.setOption(StandardSocketOptions.TCP_NODELAY, true);
    c.configureBlocking(false);
    boolean done = c.connect(new InetSocketAddress(nextPeer.host(), nextPeer.port()));
    Outbound o = new Outbound(c);
    c.register(selector, done ? SelectionKey.OP_READ : SelectionKey.OP_CONNECT, o);
  }

  private void accept(Selector selector) throws IOException {
    for (SocketChannel c = server.accept(); c != null; c = server.accept()) {
      if (open.size() > MAX_PENDING) {
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
          byte[] nonce = Handshake.readAnswer(in.flip(), key, a, prevPeer.rank(), rank);
          if (nonce == null || prev != null) {
            drop(c, "it does not know the key");
            return;
          }
          c.write(Handshake.proof(key, a, nonce, prevPeer.rank(), rank));
          k.cancel();
          prev = c;
        }
      } catch (IOException e) {
        drop(c, e.toString());
      }
    }
  }

  /** The connector's side: the address is the peer's own, so a failure is the peer's. */
  private final class Outbound implements Side {
    private final SocketChannel c;
    private final byte[] nonce = Handshake.nonce();
    private ByteBuffer in = ByteBuffer.allocate(Handshake.HELLO);
    private byte[] a;

    Outbound(SocketChannel c) {
      this.c = c;
    }

    @Override
    public void ready(SelectionKey k) throws IOException {
      if (k.isConnectable()) {
        try {
          c.finishConnect();
        } catch (IOException e) {
          throw failure(nextPeer, "refused the connection: " + e.getMessage(), e);
        }
        k.interestOps(SelectionKey.OP_READ);
        return;
      }
      int got = c.read(in);
      if (got < 0) {
        throw failure(nextPeer, "closed the connection: it holds another key", null);
      }
      if (in.hasRemaining()) {
        return;
      }
      in.flip();
      if (a == null) {
        a = Handshake.readHello(in);
        if (a == null) {
          throw failure(nextPeer, "is not a worker of this version of Fragua", null);
        }
        c.write(Handshake.answer(key, a, nonce, rank, nextPeer.rank()));
        in = ByteBuffer.allocate(Handshake.MAC);
      } else if (Handshake.readProof(in, key, a, nonce, rank, nextPeer.rank())) {
        k.cancel();
        next = c;
      } else {
        throw failure(nextPeer, "does not know the key", null);
      }
    }
  }

  private CollectiveException failure(Peer peer, String what, Throwable cause) {
    return new CollectiveException(
        "collective: every worker must join the ring: "
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
