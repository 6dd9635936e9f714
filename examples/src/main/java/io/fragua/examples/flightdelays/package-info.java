/** Will a flight be late? The main job of Fragua from a Parquet file to a Parquet file. */
package io.fragua.examples.flightdelays;
