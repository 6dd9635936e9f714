/**
 * What a fitted model is as data, and how it is saved and loaded.
 *
 * <p>A model folder holds {@code metadata/} (Spark's own, so that pipelines can load it, with the
 * size and SHA-256 of every other file), {@code data.json} (columns, categories, statistics,
 * history of the training), {@code graph.json} and {@code graph-next.json} (the network) and {@code
 * weights.safetensors}. Nothing is ever Java-serialised or run as code. Files are hostile until
 * checked: size and sum first, then names, types and shapes.
 */
package io.fragua.spark.persist;
