package io.fragua.spark.train;

import io.fragua.spark.train.Blocks.Use;
import io.fragua.tensor.Buffer;
import java.io.IOException;
import java.util.List;

/** The collective of workers in several processes, over the links between them. */
final class LinkedCollective implements Collective {
  /*
   * Large vectors go round a ring (Ring). For two ranks this is the exchange of halves.
   *
   * Small vectors: recursive doubling (Thakur, Rabenseifner and Gropp, 2005). Ranks whose numbers
   * differ in one bit exchange whole vectors, bit after bit. Both add the same two numbers, so all
   * hold the same bits here too. Ranks beyond the largest power of two hand their vector in before
   * and receive the sum after.
   */
  /** Floats of a tree's sums that are on their way at a time. */
  private static final int PART = 1 << 16;

  private final int rank;
  private final int size;
  private final Links links;
  private final Pulse pulse;
  private final Exchange exchange;
  private final Ring ring;
  private boolean closed;

  /** Takes over the links. */
  LinkedCollective(int rank, List<Peer> peers, Links links, Timeouts timeouts, Runnable check) {
    this.rank = rank;
    this.size = peers.size();
    this.links = links;
    ring = new Ring(rank, size);
    Pulse p = null;
    try {
      p = new Pulse(rank, List.copyOf(peers), links.life().values(), timeouts);
      exchange = new Exchange(rank, links.data().values(), p, check);
    } catch (IOException e) {
      end(p, links);
      throw new CollectiveException("collective: sockets can be waited for: " + e, e);
    } catch (RuntimeException | Error e) { // as where direct memory runs out
      end(p, links);
      throw e;
    }
    pulse = p;
  }

  private static void end(Pulse pulse, Links links) {
    Rendezvous.close(pulse);
    links.close();
  }

  @Override
  public int rank() {
    return rank;
  }

  @Override
  public int size() {
    return size;
  }

  @Override
  public void allReduce(Buffer buffer, int from, int count, boolean bf16) {
    if (count == 0 || size == 1) {
      return;
    }
    pulse.begin();
    exchange.bind(buffer);
    if (count <= SMALL) {
      doubling(from, count);
    } else {
      Link next = links.data().get((rank + 1) % size);
      Link prev = links.data().get((rank + size - 1) % size);
      exchange.run(next, prev, ring.over(from, count), bf16);
    }
    pulse.end();
  }

  /**
   * Whether the worker computes while another thread calls this: then that thread does not spin.
   */
  void computes(boolean now) {
    exchange.computes(now);
  }

  /*
   * The open sums go from worker to worker, each of which goes on with them, and the result comes
   * back the same way; in parts, so that all workers are busy with different parts at a time.
   */
  @Override
  public void allReduce(ShardTree tree) {
    pulse.begin();
    exchange.bind(tree.memory());
    Link next = rank + 1 < size ? links.data().get(rank + 1) : null;
    Link prev = rank > 0 ? links.data().get(rank - 1) : null;
    for (int at = 0; at < tree.stride(); at += PART) {
      int n = Math.min(PART, tree.stride() - at);
      for (int slot : tree.arrivals()) {
        receive(prev, slot * tree.stride() + at, n);
      }
      tree.merge(at, n);
      if (next == null) {
        tree.copy(tree.departures()[0], 0, at, n);
        continue;
      }
      for (int slot : tree.departures()) {
        send(next, slot * tree.stride() + at, n);
      }
    }
    for (int at = 0; at < tree.stride(); at += PART) {
      int n = Math.min(PART, tree.stride() - at);
      if (next != null) {
        receive(next, at, n);
      }
      if (prev != null) {
        send(prev, at, n);
      }
    }
    pulse.end();
  }

  @Override
  public void swap(int partner, Buffer buffer, int count) {
    pulse.begin(); // also without a partner: operations are counted alike everywhere
    if (count > 0) {
      exchange.bind(buffer);
      Link link = links.data().get(partner);
      exchange.run(link, 0, count, link, buffer.size() / 8, count, Use.STORE);
    }
    pulse.end();
  }

  private void send(Link to, int from, int count) {
    exchange.run(to, from, count, null, from, 0, Use.STORE);
  }

  private void receive(Link from, int at, int count) {
    exchange.run(null, at, 0, from, at, count, Use.STORE);
  }

  private void doubling(int from, int count) {
    int p = Topology.paired(size);
    if (rank >= p) {
      Link in = links.data().get(rank - p);
      send(in, from, count);
      receive(in, from, count);
      return;
    }
    Link out = rank + p < size ? links.data().get(rank + p) : null;
    if (out != null) {
      exchange.run(null, from, 0, out, from, count, Use.ADD);
    }
    for (int d = 1; d < p; d *= 2) {
      Link partner = links.data().get(rank ^ d);
      exchange.run(partner, from, count, partner, from, count, Use.ADD_AFTER);
    }
    if (out != null) {
      send(out, from, count);
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    pulse.close();
    exchange.close();
    links.close();
  }
}
