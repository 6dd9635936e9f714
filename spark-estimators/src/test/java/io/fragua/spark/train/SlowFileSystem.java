package io.fragua.spark.train;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;

/** The local file system as {@code slow:}, which pauses half-way through every file it writes. */
public final class SlowFileSystem extends RawLocalFileSystem {
  private static final URI NAME = URI.create("slow:///");

  @Override
  public URI getUri() {
    return NAME;
  }

  @Override
  public String getScheme() {
    return "slow";
  }

  @Override
  public FSDataOutputStream create(
      Path f,
      FsPermission permission,
      boolean overwrite,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress)
      throws IOException {
    return slow(
        super.create(f, permission, overwrite, bufferSize, replication, blockSize, progress));
  }

  @Override
  public FSDataOutputStream create(
      Path f,
      boolean overwrite,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress)
      throws IOException {
    return slow(super.create(f, overwrite, bufferSize, replication, blockSize, progress));
  }

  private static FSDataOutputStream slow(OutputStream out) throws IOException {
    return new FSDataOutputStream(
        new FilterOutputStream(out) {
          @Override
          public void write(byte[] b, int from, int n) throws IOException {
            out.write(b, from, n / 2);
            out.flush();
            try {
              Thread.sleep(100);
            } catch (InterruptedException e) {
              throw new IOException("interrupted", e);
            }
            out.write(b, from + n / 2, n - n / 2);
          }
        },
        null);
  }
}
