package io.fragua.spark.persist;

import java.util.function.Function;
import org.apache.hadoop.fs.Path;
import org.apache.spark.ml.param.Params;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.MLReader;

/**
 * Loads a saved estimator, which is its parameters. Spark's own reader would make whatever class
 * the metadata name, and fail later with a cast or a missing constructor.
 *
 * @param <E> the estimator's class
 */
public final class EstimatorReader<E extends Params> extends MLReader<E> {
  private final Class<E> type;
  private final Function<String, E> factory;

  /**
   * A reader of estimators of this class.
   *
   * @param factory makes one of its uid
   */
  public EstimatorReader(Class<E> type, Function<String, E> factory) {
    this.type = type;
    this.factory = factory;
  }

  /**
   * Loads it.
   *
   * @throws IllegalArgumentException if the folder holds no estimator of this class
   */
  @Override
  public E load(String path) {
    DefaultParamsReader.Metadata meta = SavedMetadata.load(path, false, sparkSession(), type);
    E estimator = factory.apply(meta.uid());
    SavedMetadata.setParams(new Path(path, ModelFolder.METADATA).toString(), meta, estimator);
    return estimator;
  }
}
