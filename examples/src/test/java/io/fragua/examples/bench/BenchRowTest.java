package io.fragua.examples.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.fragua.examples.bench.BenchRow.Better;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;

class BenchRowTest {
  private static final BenchRow FASTER =
      new BenchRow("training", 654_321.0, "rows/s", Better.HIGHER, "Peer 1.2", 327_160.5, 600e3);
  private static final BenchRow LESS =
      new BenchRow("log loss", 0.40871, "", Better.LOWER, "Peer 1.2", 0.204355, 0.3);
  private static final BenchRow ALONE =
      new BenchRow("start", 9.87654, "s", Better.LOWER, null, null, 10.0);
  private static final BenchRow PLAIN =
      new BenchRow("other", 12.0, "s", Better.LOWER, null, null, null);

  @Test
  void aRatioAboveOneIsBetterWhicheverWayTheFigureRuns() {
    assertEquals(2, FASTER.ratio(), 1e-12);
    assertEquals(0.5, LESS.ratio(), 1e-12);
    assertNull(ALONE.ratio());
  }

  @Test
  void tableAndLines() {
    StringWriter out = new StringWriter();
    BenchRow.print(new PrintWriter(out), List.of(FASTER, LESS, ALONE, PLAIN));
    assertEquals(
        """

        row                                      Fragua unit             peer   ratio  reach
        training                                654,321 rows/s        327,161    2.00  >= 600,000 yes
        log loss                                 0.4087                0.2044    0.50  <= 0.3000 NO
        start                                     9.877 s                   -       -  <= 10.00 yes
        other                                     12.00 s                   -       -  -
        peer: Peer 1.2

        BENCH {"row":"training","ours":654300.0,"unit":"rows/s","peer":"Peer 1.2","theirs":327200.0,"ratio":2.0,"reach":600000.0}
        BENCH {"row":"log loss","ours":0.4087,"unit":"","peer":"Peer 1.2","theirs":0.2044,"ratio":0.5,"reach":0.3}
        BENCH {"row":"start","ours":9.877,"unit":"s","peer":null,"theirs":null,"ratio":null,"reach":10.0}
        BENCH {"row":"other","ours":12.0,"unit":"s","peer":null,"theirs":null,"ratio":null,"reach":null}
        """,
        out.toString().replace(System.lineSeparator(), "\n"));
  }

  @Test
  void aPeerHasNameAndFigure() {
    assertEquals(
        "bench: a peer has a name and a figure: row \"x\" has one of them; give both",
        assertThrows(
                IllegalArgumentException.class,
                () -> new BenchRow("x", 1, "", Better.LOWER, "Peer", null, null))
            .getMessage());
  }
}
