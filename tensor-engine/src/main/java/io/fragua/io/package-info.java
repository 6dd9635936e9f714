/**
 * Files of tensors. Whatever is read comes from outside and is hostile until checked: sizes are
 * compared before memory is taken, and nothing is deserialised as code. May use every package but
 * {@code cpu}.
 */
package io.fragua.io;
