package io.fragua.arrow;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.SparkEnv;
import org.apache.spark.util.ShutdownHookManager;

/**
 * Where native libraries unpack: in one of Spark's local folders, which an executor may write to,
 * instead of below the user's home, which it often may not. The folder is beside the block
 * manager's, which goes when a session stops: libraries are unpacked as their classes are first
 * used, also after that. It is deleted when the process ends.
 */
public final class NativeCache {
  /** Where JavaCPP unpacks (oneDNN, CUDA). */
  public static final String JAVACPP = "org.bytedeco.javacpp.cachedir";

  /** Where JNA unpacks. */
  public static final String JNA = "jna.tmpdir";

  private NativeCache() {}

  /**
   * Points the libraries' loaders there, unless the user has set them. To be called on a driver or
   * executor before the first use of native code; cheap when called again.
   *
   * @throws IllegalStateException if no local folder can be written to
   */
  public static synchronized void prepare() {
    if (System.getProperty(JAVACPP) != null && System.getProperty(JNA) != null) {
      return;
    }
    Path folder = create(candidates());
    for (String property : List.of(JAVACPP, JNA)) {
      if (System.getProperty(property) == null) {
        System.setProperty(property, folder.toString());
      }
    }
  }

  private static List<Path> candidates() {
    List<Path> all = new ArrayList<>();
    SparkEnv env = SparkEnv.get();
    if (env != null) {
      for (File f : env.blockManager().diskBlockManager().localDirs()) {
        all.add(f.getParentFile().toPath());
      }
    }
    all.add(Path.of(System.getProperty("java.io.tmpdir")));
    return all;
  }

  private static Path create(List<Path> parents) {
    List<String> reasons = new ArrayList<>();
    for (Path p : parents) {
      try {
        Path folder = Files.createTempDirectory(p, "fragua-native-");
        ShutdownHookManager.registerShutdownDeleteDir(folder.toFile());
        return folder;
      } catch (IOException e) {
        reasons.add(p + " (" + e + ")");
      }
    }
    throw new IllegalStateException(
        "native libraries: one of Spark's local folders must be writable: "
            + String.join(", ", reasons)
            + "; set spark.local.dir, or "
            + JAVACPP
            + " and "
            + JNA
            + ", to a folder that is");
  }
}
