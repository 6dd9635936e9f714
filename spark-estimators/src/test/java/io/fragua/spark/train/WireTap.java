package io.fragua.spark.train;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Passes connections on, looks for a pattern in what goes by, and may change one byte of it. */
final class WireTap implements AutoCloseable {
  static final float PATTERN = 1.2345678f;

  private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getByName(Ranks.HOST));
  private final CompletableFuture<Integer> target = new CompletableFuture<>();
  private final List<Socket> sockets = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();
  private final long changeAt;
  private volatile boolean seen;

  /**
   * A tap.
   *
   * @param changeAt which byte of each direction to change
   */
  WireTap(long changeAt) throws IOException {
    this.changeAt = changeAt;
    start(this::accept);
  }

  int port() {
    return server.getLocalPort();
  }

  void forwardTo(int port) {
    target.complete(port);
  }

  /** True if four floats of the pattern in a row went by in clear text. */
  boolean sawPattern() {
    return seen;
  }

  private synchronized void start(Runnable r) {
    Thread t = new Thread(r, "wire tap");
    threads.add(t);
    t.start();
  }

  private void accept() {
    try {
      while (true) {
        Socket a = keep(server.accept());
        Socket b = keep(new Socket(Ranks.HOST, target.join()));
        a.setTcpNoDelay(true);
        b.setTcpNoDelay(true);
        start(() -> pump(a, b));
        start(() -> pump(b, a));
      }
    } catch (IOException e) {
      return; // closed
    }
  }

  private synchronized Socket keep(Socket s) {
    sockets.add(s);
    return s;
  }

  private void pump(Socket from, Socket to) {
    byte[] buffer = new byte[4096];
    long passed = 0;
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        look(buffer, n);
        if (changeAt >= passed && changeAt < passed + n) {
          buffer[(int) (changeAt - passed)] ^= 1;
        }
        passed += n;
        out.write(buffer, 0, n);
      }
    } catch (IOException e) {
      return; // an end closed
    }
  }

  private void look(byte[] buffer, int n) {
    ByteBuffer b = ByteBuffer.wrap(buffer, 0, n).order(ByteOrder.nativeOrder());
    for (int i = 0; i + 16 <= n; i++) {
      boolean all = true;
      for (int k = 0; k < 16; k += 4) {
        all &= b.getFloat(i + k) == PATTERN;
      }
      seen |= all;
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    synchronized (this) {
      for (Socket s : sockets) {
        s.close();
      }
    }
    try {
      for (Thread t : List.copyOf(threads)) {
        t.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
