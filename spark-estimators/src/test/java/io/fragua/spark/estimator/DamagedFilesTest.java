package io.fragua.spark.estimator;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.Allocator;
import io.fragua.spark.train.Patience;
import io.fragua.spark.train.TrainListener;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A Parquet file that is damaged or gone when it is read is named, and nothing stays behind. */
class DamagedFilesTest {
  private static final int ROWS = 4000;

  private enum Damage {
    CUT(f -> open(f, c -> c.truncate(c.size() / 2))),
    OVERWRITTEN(f -> open(f, c -> c.write(ByteBuffer.allocate((int) c.size() / 2), 4))),
    GONE(Files::delete);

    final Change<Path> change;

    Damage(Change<Path> change) {
      this.change = change;
    }

    private static void open(Path f, Change<FileChannel> change) throws IOException {
      try (FileChannel c = FileChannel.open(f, StandardOpenOption.WRITE)) {
        change.to(c);
      }
    }
  }

  private interface Change<T> {
    void to(T file) throws IOException;
  }

  private Path folder;
  private Dataset<Row> rows;
  private long held;

  private static NeuralClassifier classifier() {
    return new NeuralClassifier()
        .setNumericCols("a", "b")
        .setLabelCol("label")
        .setHiddenLayers(4)
        .setEpochs(1);
  }

  @BeforeEach
  void write() {
    folder = Spark.folder("damaged");
    Spark.session()
        .range(0, ROWS, 1, 2)
        .selectExpr("sin(id) as a", "cos(id * 7) as b", "cast(id % 2 as int) as label")
        .write()
        .parquet(folder.toString());
    held = Allocator.held();
    rows = Spark.session().read().parquet(folder.toString());
  }

  /** Damages the last file; its name. */
  private String damage(Damage d) {
    try (Stream<Path> all = Files.list(folder)) {
      Path last =
          all.filter(p -> p.toString().endsWith(".parquet")).sorted().reduce((a, b) -> b).get();
      Files.deleteIfExists(last.resolveSibling("." + last.getFileName() + ".crc"));
      d.change.to(last);
      return last.getFileName().toString();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void names(String file, Exception e) {
    String all = BehaviourTest.chain(e);
    assertTrue(all.contains(file), () -> file + " is not in " + all);
  }

  @ParameterizedTest
  @EnumSource(Damage.class)
  void fitNamesTheFile(Damage d) {
    String file = damage(d);
    names(file, assertThrows(Exception.class, () -> classifier().fit(rows)));
  }

  /** After the statistics, when workers begin to read their rows. */
  @ParameterizedTest
  @EnumSource(Damage.class)
  void fitNamesTheFileThatFailsItsWorkers(Damage d) {
    String[] file = new String[1];
    TrainListener damaging =
        new TrainListener() {
          @Override
          public void phase(String name) {
            if (name.equals("compile")) {
              file[0] = damage(d);
            }
          }
        };
    NeuralClassifier c = classifier().setListener(damaging).setNumWorkers(2);
    Exception e = assertThrows(Exception.class, () -> c.fit(rows));
    names(file[0], e);
  }

  @ParameterizedTest
  @EnumSource(Damage.class)
  void transformNamesTheFile(Damage d) {
    Dataset<Row> scored = classifier().fit(rows).transform(rows);
    scored.agg(functions.sum("prediction")).collectAsList();
    held = Allocator.held(); // with the program, which stays for the model's next use
    String file = damage(d);
    names(
        file,
        assertThrows(
            Exception.class, () -> scored.agg(functions.sum("prediction")).collectAsList()));
  }

  /**
   * The driver hears of a failed task before the others of its stage have ended. Less may be held
   * than before: functions that earlier tests forgot are freed when the collector sees it.
   */
  @AfterEach
  void nothingIsHeld() {
    assertTrue(
        Patience.until(() -> Allocator.held() <= held),
        () -> (Allocator.held() - held) + " bytes of memory");
  }
}
