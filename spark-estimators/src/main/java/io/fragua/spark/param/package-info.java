/**
 * Parameters of the estimators and models, one interface a family.
 *
 * <p>Each family is an interface whose default methods return its parameters, over a group object
 * that holds them. Spark finds parameters by calling public methods without arguments that return a
 * {@code Param}, so the same interface serves estimator and model. A stage creates its {@link
 * io.fragua.spark.param.ParamGroups} in its constructor, after the uid is set: Spark's own column
 * traits would create theirs before, when the uid is still null.
 *
 * <p>Every value is a number, a truth value, a text or an array of these, so that it can travel
 * over Spark Connect and into JSON. A wrong value is refused when it is set; what depends on
 * several parameters is checked in {@code transformSchema}, on the driver, before any job.
 */
package io.fragua.spark.param;
