/**
 * Estimators and models: neural networks as Spark ML stages.
 *
 * <p>{@code NeuralEstimator} and {@code NeuralModel} hold everything that does not depend on what
 * is predicted; an {@code Objective} holds the rest (classes or amounts), and the public classes
 * are thin. {@code fit} checks the schema, collects statistics in one pass, builds the network as
 * graphs and hands them to the trainer; {@code transform} adds one node to the plan. Everything
 * that can be found wrong is found on the driver, before the training starts.
 */
package io.fragua.spark.estimator;
