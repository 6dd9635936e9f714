package io.fragua.spark.train;

import org.apache.spark.SparkContext;
import org.apache.spark.SparkException;
import org.apache.spark.resource.ResourceProfile;
import org.apache.spark.resource.ResourceProfileBuilder;
import org.apache.spark.resource.TaskResourceRequests;

/** What a worker's task asks of its executor, by stage-level scheduling where that is needed. */
final class WorkerResources {
  private WorkerResources() {}

  /**
   * The profile of the stage in which workers train, known to Spark from then on. It is the
   * application's own unless something else is asked for.
   *
   * @throws IllegalArgumentException if the cluster cannot schedule a stage by its own resources
   */
  static ResourceProfile profile(SparkContext sc, Distribution d) {
    var manager = sc.resourceProfileManager();
    if (d.cpus() == 0 && d.gpus() == 0) {
      return manager.defaultResourceProfile();
    }
    TaskResourceRequests task = new TaskResourceRequests();
    if (d.cpus() > 0) {
      task.cpus(d.cpus());
    }
    if (d.gpus() > 0) {
      task.resource("gpu", d.gpus());
    }
    try {
      ResourceProfile p = new ResourceProfileBuilder().require(task).build();
      manager.addResourceProfile(p); // looks whether it is supported
      return p;
    } catch (Exception e) { // SparkException is checked, but Scala does not say who throws it
      if (!(e instanceof SparkException)) {
        throw e;
      }
      throw new IllegalArgumentException(
          "train: cores and GPUs of a worker need a cluster that schedules stages by their own"
              + " resources: "
              + d.cpus()
              + " cores and "
              + d.gpus()
              + " GPUs with master "
              + sc.master()
              + " ("
              + e.getMessage()
              + "); "
              + remedy(d),
          e);
    }
  }

  private static String remedy(Distribution d) {
    String cpus = "set workerCpus to 0 and spark.task.cpus instead";
    String gpus =
        "start executors with GPUs (spark.executor.resource.gpu.amount and"
            + " spark.executor.resource.gpu.discoveryScript), or set device to cpu";
    return d.gpus() == 0 ? cpus : d.cpus() == 0 ? gpus : gpus + "; " + cpus;
  }
}
