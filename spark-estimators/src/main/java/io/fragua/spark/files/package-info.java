/**
 * Files on any Hadoop file system: written whole, and read only if they are as they were written.
 * What models and checkpoints share.
 */
package io.fragua.spark.files;
