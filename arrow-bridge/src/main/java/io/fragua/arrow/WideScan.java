package io.fragua.arrow;

import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.execution.FileSourceScanExec;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.datasources.HadoopFsRelation;
import org.apache.spark.sql.internal.SQLConf;

/**
 * Scans of many columns. Spark's scan of files yields rows where there are more than {@code
 * spark.sql.codegen.maxFields} (100), because the code that Spark would generate to read the
 * columns grows too long; a columnar operator above has no such code.
 */
final class WideScan {
  private WideScan() {}

  /** A scan of rows as one of columns; null if the plan is none, or its format has no columns. */
  static SparkPlan instead(SparkPlan plan) {
    if (!(plan instanceof FileSourceScanExec s)
        || !s.relation().fileFormat().supportBatch(s.relation().sparkSession(), s.schema())) {
      return null;
    }
    // A scan asks the session of its relation for the limit, so it gets one with another limit, as
    // Spark's own cache does for the plans that it keeps.
    HadoopFsRelation r = s.relation();
    SparkSession session = ((SparkSession) r.sparkSession()).cloneSession();
    session
        .sessionState()
        .conf()
        .setConfString(
            SQLConf.WHOLESTAGE_MAX_NUM_FIELDS().key(), String.valueOf(Integer.MAX_VALUE));
    FileSourceScanExec wide =
        new FileSourceScanExec(
            new HadoopFsRelation(
                r.location(),
                r.partitionSchema(),
                r.dataSchema(),
                r.bucketSpec(),
                r.fileFormat(),
                r.options(),
                session),
            s.stream(),
            s.output(),
            s.requiredSchema(),
            s.partitionFilters(),
            s.optionalBucketSet(),
            s.optionalNumCoalescedBuckets(),
            s.dataFilters(),
            s.tableIdentifier(),
            s.disableBucketedScan());
    wide.copyTagsFrom(s);
    return wide.supportsColumnar() ? wide : null;
  }
}
