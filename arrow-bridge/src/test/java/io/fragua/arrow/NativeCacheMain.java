package io.fragua.arrow;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Scores with native code and says where it was unpacked; run by {@link NativeCacheTest}. */
final class NativeCacheMain {
  private NativeCacheMain() {}

  public static void main(String[] args) throws Exception {
    var data =
        Session.get()
            .range(0, 100, 1, 2)
            .selectExpr("float(id) as a", "double(id) as b", "'v1' as s");
    // A task that is killed while the library loads must leave it usable for others.
    NativeCache.prepare();
    ScoreModel model = Models.model("home", 16, false);
    Thread.currentThread().interrupt();
    new LoadedModel(model, ModelKey.of(model, "cpu").withThreads(1)).close();
    System.out.println("interrupted " + Thread.interrupted());
    ModelScorer scorer = Models.scorer(model, "cpu");
    int n = ModelScorer.append(data, scorer).select("score").collectAsList().size();
    System.out.println("scored " + n);
    for (String p : new String[] {NativeCache.JAVACPP, NativeCache.JNA}) {
      System.out.println(p + "=" + System.getProperty(p));
    }
    try (Stream<Path> files = Files.walk(Path.of(System.getProperty(NativeCache.JAVACPP)))) {
      System.out.println(
          "unpacked " + files.anyMatch(f -> f.getFileName().toString().contains("dnnl")));
    }
    Session.get().stop();
    boolean kept = Files.isDirectory(Path.of(System.getProperty(NativeCache.JAVACPP)));
    System.out.println("kept after the session " + kept);
  }
}
