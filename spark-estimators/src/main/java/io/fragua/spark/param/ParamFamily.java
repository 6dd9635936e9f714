package io.fragua.spark.param;

import org.apache.spark.ml.param.Params;

/** What every family of parameters rests on: a Spark stage that holds the groups. */
public interface ParamFamily extends Params {
  /** This stage's parameters, created in its constructor. */
  ParamGroups groups();
}
