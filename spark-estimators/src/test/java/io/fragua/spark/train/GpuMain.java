package io.fragua.spark.train;

import org.apache.spark.SparkContext;
import org.apache.spark.sql.SparkSession;

/**
 * What {@link GpuSlotsTest} runs in a process of its own: its arguments are the class folders that
 * executors need besides Spark's jars, and a script that says that there is a GPU.
 */
final class GpuMain {
  /** A worker asks for a GPU. */
  private static final Distribution GPU = new Distribution(0, 0, false, false, 0, 1);

  private GpuMain() {}

  public static void main(String[] args) throws java.io.IOException {
    try (SparkSession none = session(args[0], null)) {
      System.out.println("NONE " + said(none.sparkContext(), 1));
    }
    try (SparkSession one = session(args[0], args[1])) {
      System.out.println("ONE " + said(one.sparkContext(), 1));
      System.out.println("TWO " + said(one.sparkContext(), 2));
      int plain =
          one.sparkContext()
              .maxNumConcurrentTasks(
                  WorkerResources.profile(one.sparkContext(), Distribution.PLAIN));
      System.out.println("PLAIN " + plain);
    }
  }

  private static SparkSession session(String folders, String script) {
    SparkSession.Builder b =
        SparkSession.builder()
            .master("local-cluster[1,2,1024]")
            .config("spark.ui.enabled", "false")
            .config("spark.executor.extraClassPath", folders)
            .config("spark.scheduler.maxRegisteredResourcesWaitingTime", "30s");
    for (String who : script == null ? new String[0] : new String[] {"executor", "worker"}) {
      b.config("spark." + who + ".resource.gpu.amount", "1");
      b.config("spark." + who + ".resource.gpu.discoveryScript", script);
    }
    SparkSession s = b.getOrCreate();
    s.sparkContext().setLogLevel("ERROR");
    s.range(10).count(); // its executor is there
    return s;
  }

  private static String said(SparkContext spark, int workers) {
    try {
      Slots.check(spark, workers, GPU);
      return spark.maxNumConcurrentTasks(WorkerResources.profile(spark, GPU)) + " slots";
    } catch (IllegalArgumentException e) {
      return e.getMessage().replace('\n', ' ');
    }
  }
}
