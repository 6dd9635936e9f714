/**
 * The tensor engine, one subject a file: each is a command of {@code bin/fragua example} that
 * prints what it computes, and is meant to be copied from.
 */
package io.fragua.examples.engine;
