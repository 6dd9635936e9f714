package io.fragua.spark.param;

import org.apache.spark.ml.param.Params;

/**
 * The parameters of one stage, a group a family. Created in the stage's constructor, after its uid:
 * each parameter remembers the uid of its owner.
 */
public final class ParamGroups implements java.io.Serializable {
  private static final long serialVersionUID = 1L;

  final InputParams.Group input;
  final OutputParams.Group output;
  final ClassifierParams.Group classifier;
  final RegressorParams.Group regressor;
  final NetworkParams.Group network;
  final OptimizerParams.Group optimizer;
  final TrainingParams.Group training;
  final RecoveryParams.Group recovery;
  final DeviceParams.Group device;
  final DistributionParams.Group distribution;

  /** Creates all parameters, with their defaults, for this stage. */
  public ParamGroups(Params owner) {
    Declare declare = new Declare(owner);
    input = new InputParams.Group(declare);
    output = new OutputParams.Group(declare);
    classifier = owner instanceof ClassifierParams ? new ClassifierParams.Group(declare) : null;
    regressor = owner instanceof RegressorParams ? new RegressorParams.Group(declare) : null;
    network = new NetworkParams.Group(declare);
    optimizer = new OptimizerParams.Group(declare);
    training = new TrainingParams.Group(declare);
    recovery = new RecoveryParams.Group(declare);
    device = new DeviceParams.Group(declare);
    distribution = new DistributionParams.Group(declare);
  }
}
