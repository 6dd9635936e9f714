/** Runnable examples and benchmarks, as commands of {@code bin/fragua}. */
package io.fragua.examples;
