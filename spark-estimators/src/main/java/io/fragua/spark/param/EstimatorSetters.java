package io.fragua.spark.param;

/**
 * Setters of an estimator alone; each returns the estimator itself.
 *
 * @param <S> the estimator's own class
 */
public interface EstimatorSetters<S> extends Setters<S> {
  /** Sets {@link #featuresShape()}. */
  default S setFeaturesShape(int... value) {
    return put(featuresShape(), value);
  }

  /** Sets {@link #numericCols()}. */
  default S setNumericCols(String... value) {
    return put(numericCols(), value);
  }

  /** Sets {@link #categoricalCols()}. */
  default S setCategoricalCols(String... value) {
    return put(categoricalCols(), value);
  }

  /** Sets {@link #sparseCols()}. */
  default S setSparseCols(String... value) {
    return put(sparseCols(), value);
  }

  /** Sets {@link #standardize()}. */
  default S setStandardize(boolean value) {
    return put(standardize(), value);
  }

  /** Sets {@link #hiddenLayers()}. */
  default S setHiddenLayers(int... value) {
    return put(hiddenLayers(), value);
  }

  /** Sets {@link #activation()}. */
  default S setActivation(String value) {
    return put(activation(), value);
  }

  /** Sets {@link #dropout()}. */
  default S setDropout(double value) {
    return put(dropout(), value);
  }

  /** Sets {@link #embeddingDim()}. */
  default S setEmbeddingDim(int value) {
    return put(embeddingDim(), value);
  }

  /** Sets {@link #optimizer()}. */
  default S setOptimizer(String value) {
    return put(optimizer(), value);
  }

  /** Sets {@link #learningRate()}. */
  default S setLearningRate(double value) {
    return put(learningRate(), value);
  }

  /** Sets {@link #learningRateSchedule()}. */
  default S setLearningRateSchedule(String value) {
    return put(learningRateSchedule(), value);
  }

  /** Sets {@link #momentum()}. */
  default S setMomentum(double value) {
    return put(momentum(), value);
  }

  /** Sets {@link #weightDecay()}. */
  default S setWeightDecay(double value) {
    return put(weightDecay(), value);
  }

  /** Sets {@link #clipNorm()}. */
  default S setClipNorm(double value) {
    return put(clipNorm(), value);
  }

  /** Sets {@link #sparseUpdates()}. */
  default S setSparseUpdates(boolean value) {
    return put(sparseUpdates(), value);
  }

  /** Sets {@link #labelCol()}. */
  default S setLabelCol(String value) {
    return put(labelCol(), value);
  }

  /** Sets {@link #weightCol()}. */
  default S setWeightCol(String value) {
    return put(weightCol(), value);
  }

  /** Sets {@link #batchSize()}. */
  default S setBatchSize(int value) {
    return put(batchSize(), value);
  }

  /** Sets {@link #epochs()}. */
  default S setEpochs(int value) {
    return put(epochs(), value);
  }

  /** Sets {@link #seed()}. */
  default S setSeed(long value) {
    return put(seed(), value);
  }

  /** Sets {@link #validationIndicatorCol()}. */
  default S setValidationIndicatorCol(String value) {
    return put(validationIndicatorCol(), value);
  }

  /** Sets {@link #validationFraction()}. */
  default S setValidationFraction(double value) {
    return put(validationFraction(), value);
  }

  /** Sets {@link #patience()}. */
  default S setPatience(int value) {
    return put(patience(), value);
  }

  /** Sets {@link #numWorkers()}. */
  default S setNumWorkers(int value) {
    return put(numWorkers(), value);
  }

  /** Sets {@link #checkpointDir()}. */
  default S setCheckpointDir(String value) {
    return put(checkpointDir(), value);
  }

  /** Sets {@link #checkpointInterval()}. */
  default S setCheckpointInterval(int value) {
    return put(checkpointInterval(), value);
  }

  /** Sets {@link #checkpointSteps()}. */
  default S setCheckpointSteps(int value) {
    return put(checkpointSteps(), value);
  }

  /** Sets {@link #checkpointsKept()}. */
  default S setCheckpointsKept(int value) {
    return put(checkpointsKept(), value);
  }

  /** Sets {@link #maxRetries()}. */
  default S setMaxRetries(int value) {
    return put(maxRetries(), value);
  }

  /** Sets {@link #deterministic()}. */
  default S setDeterministic(boolean value) {
    return put(deterministic(), value);
  }

  /** Sets {@link #distribution()}. */
  default S setDistribution(String value) {
    return put(distribution(), value);
  }

  /** Sets {@link #localSteps()}. */
  default S setLocalSteps(int value) {
    return put(localSteps(), value);
  }

  /** Sets {@link #workerCpus()}. */
  default S setWorkerCpus(int value) {
    return put(workerCpus(), value);
  }

  /** Sets {@link #shuffle()}. */
  default S setShuffle(String value) {
    return put(shuffle(), value);
  }

  /** Sets {@link #gradientCompression()}. */
  default S setGradientCompression(String value) {
    return put(gradientCompression(), value);
  }
}
