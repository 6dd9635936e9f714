package io.fragua.gpu;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/**
 * The file that JCuda unpacks a native library to. It has a fixed name, and JCuda loads whatever it
 * finds there: half a file, as of a process that was killed while it wrote, ends the JVM with a
 * SIGBUS. So the file is made whole before JCuda looks.
 */
final class NativeFile {
  /** Says why the file cannot be made whole; an error, as failures to link are. */
  static final class Refused extends LinkageError {
    private static final long serialVersionUID = 1;

    Refused(String message, Throwable cause) {
      super(message, cause);
    }
  }

  private NativeFile() {}

  /**
   * Makes the file what the library's jar has. One that is so already is left alone; another is
   * replaced as a whole, so that processes that have it loaded, or load it now, are not disturbed.
   *
   * @param folder where JCuda unpacks to
   * @param name of the file, which is that of the resource in /lib
   * @throws Refused if that is not permitted
   */
  static void prepare(Path folder, String name) {
    Path file = folder.resolve(name);
    try (InputStream resource = NativeFile.class.getResourceAsStream("/lib/" + name)) {
      if (resource == null) {
        return; // JCuda finds none either and says so
      }
      byte[] whole = resource.readAllBytes();
      if (!same(file, whole)) {
        replace(folder, file, whole);
      }
    } catch (IOException e) {
      throw new Refused(
          "JCuda's native library must lie in the folder for temporary files as its jar has it: "
              + file
              + " does not and cannot be replaced ("
              + e
              + "); remove it, or set java.io.tmpdir to a folder that can be written",
          e);
    }
  }

  private static boolean same(Path file, byte[] whole) {
    try {
      return Files.isRegularFile(file)
          && Files.size(file) == whole.length
          && Arrays.equals(Files.readAllBytes(file), whole);
    } catch (IOException e) {
      return false; // what cannot be read cannot be loaded
    }
  }

  private static void replace(Path folder, Path file, byte[] whole) throws IOException {
    if (!Files.isDirectory(folder)) {
      Files.createDirectories(folder);
    }
    // Not createTempFile, whose files other users of the folder may not read.
    Path part =
        folder.resolve(
            file.getFileName() + "." + ProcessHandle.current().pid() + "." + System.nanoTime());
    try {
      Files.write(part, whole, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(part);
    }
  }
}
