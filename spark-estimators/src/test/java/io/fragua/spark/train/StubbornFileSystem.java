package io.fragua.spark.train;

import java.io.IOException;
import java.net.URI;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/** The local file system as {@code stubborn:}, which removes no file that is there. */
public final class StubbornFileSystem extends RawLocalFileSystem {
  private static final URI NAME = URI.create("stubborn:///");

  @Override
  public URI getUri() {
    return NAME;
  }

  @Override
  public String getScheme() {
    return "stubborn";
  }

  @Override
  public boolean delete(Path p, boolean recursive) throws IOException {
    if (exists(p)) {
      throw new IOException("it stays: " + p);
    }
    return false;
  }
}
