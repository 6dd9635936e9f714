package io.fragua.spark.train;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.security.GeneralSecurityException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * An encrypted connection: records of a length, AES-GCM text and its tag. Each direction has a key
 * of its own, used for this connection alone, and counts its records; the count is the nonce, so a
 * record that is changed, repeated, left out or moved does not open.
 */
final class SealedLink extends Link {
  /** Bytes of a record's text: two copies of it stay in the second-level cache. */
  static final int RECORD = 1 << 16;

  private static final int TAG = 16;

  /** One direction. */
  private static final class Side {
    final SecretKeySpec key;
    final Cipher cipher;
    final ByteBuffer nonce = ByteBuffer.allocate(12);
    final byte[] clear = new byte[RECORD];
    final byte[] sealed = new byte[4 + RECORD + TAG];
    final ByteBuffer wire = ByteBuffer.allocateDirect(sealed.length).limit(0);
    private long records;

    Side(byte[] key) {
      try {
        this.key = new SecretKeySpec(key, "AES");
        cipher = Cipher.getInstance("AES/GCM/NoPadding");
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException("collective: every JDK has AES-GCM", e);
      }
    }

    void init(int mode) throws GeneralSecurityException {
      nonce.putLong(4, records++);
      cipher.init(mode, key, new GCMParameterSpec(8 * TAG, nonce.array()));
    }
  }

  private final Side out;
  private final Side in;
  private final ByteBuffer opened;

  /** A connection whose directions have these keys. */
  SealedLink(Peer peer, SocketChannel channel, byte[] outKey, byte[] inKey) {
    super(peer, channel);
    out = new Side(outKey);
    in = new Side(inKey);
    opened = ByteBuffer.wrap(in.clear).limit(0);
    in.wire.limit(4);
  }

  @Override
  boolean write(ByteBuffer from) throws IOException {
    boolean moved = false;
    if (!out.wire.hasRemaining() && from.hasRemaining()) {
      seal(from);
      moved = true;
    }
    return out.wire.hasRemaining() && channel.write(out.wire) > 0 || moved;
  }

  private void seal(ByteBuffer from) throws IOException {
    int n = Math.min(RECORD, from.remaining());
    from.get(out.clear, 0, n);
    try {
      out.init(Cipher.ENCRYPT_MODE);
      int length = out.cipher.doFinal(out.clear, 0, n, out.sealed, 0);
      out.wire.clear().putInt(length).put(out.sealed, 0, length).flip();
    } catch (GeneralSecurityException e) {
      throw new IOException("a record cannot be encrypted: " + e, e);
    }
  }

  @Override
  boolean pending() {
    return out.wire.hasRemaining();
  }

  @Override
  boolean read(ByteBuffer to) throws IOException {
    boolean moved = false;
    if (!opened.hasRemaining()) {
      moved = some(channel.read(in.wire));
      if (!in.wire.hasRemaining() && in.wire.position() == 4) {
        int length = in.wire.getInt(0);
        if (length <= TAG || length > RECORD + TAG) {
          throw new IOException("it sent a record of impossible length " + length);
        }
        in.wire.limit(4 + length);
        moved |= some(channel.read(in.wire));
      }
      if (!in.wire.hasRemaining()) {
        open();
      }
    }
    if (opened.hasRemaining()) {
      int n = Math.min(opened.remaining(), to.remaining());
      to.put(in.clear, opened.position(), n);
      opened.position(opened.position() + n);
      moved |= n > 0;
    }
    return moved;
  }

  private void open() throws IOException {
    int length = in.wire.limit() - 4;
    in.wire.get(4, in.sealed, 0, length);
    try {
      in.init(Cipher.DECRYPT_MODE);
      opened.clear().limit(in.cipher.doFinal(in.sealed, 0, length, in.clear, 0));
    } catch (GeneralSecurityException e) {
      throw new IOException("a record was changed on its way: " + e.getMessage(), e);
    }
    in.wire.clear().limit(4);
  }
}
