/** Figures of Fragua beside those of other systems, measured one after the other on one machine. */
package io.fragua.examples.bench;
