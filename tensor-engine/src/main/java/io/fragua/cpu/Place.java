package io.fragua.cpu;

/**
 * Where a value lies.
 *
 * @param slot 0 the workspace, 1.. the inputs, then the outputs and the constants, last what of the
 *     workspace one buffer does not hold
 * @param offset in bytes
 */
record Place(int slot, int offset) {}
