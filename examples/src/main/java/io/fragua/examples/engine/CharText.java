package io.fragua.examples.engine;

import io.fragua.tensor.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A text as numbers: each different character has one, in the order of their codes. */
final class CharText {
  private final char[] alphabet;
  private final int[] ids;

  private CharText(String text) {
    char[] all = text.toCharArray();
    Arrays.sort(all);
    StringBuilder different = new StringBuilder();
    for (char c : all) {
      if (different.isEmpty() || different.charAt(different.length() - 1) != c) {
        different.append(c);
      }
    }
    alphabet = different.toString().toCharArray();
    ids = text.chars().map(c -> Arrays.binarySearch(alphabet, (char) c)).toArray();
  }

  /** The Constitution of the United States, with its amendments. */
  static CharText load() {
    try (InputStream in = CharText.class.getResourceAsStream("constitution.txt")) {
      return new CharText(new String(in.readAllBytes(), StandardCharsets.US_ASCII));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  int length() {
    return ids.length;
  }

  int vocabulary() {
    return alphabet.length;
  }

  char character(int id) {
    return alphabet[id];
  }

  /** i32 [places, length]: pieces that start this much after these places. */
  Tensor pieces(int[] places, int length, int after) {
    int[] out = new int[places.length * length];
    for (int i = 0; i < places.length; i++) {
      System.arraycopy(ids, places[i] + after, out, i * length, length);
    }
    return Tensor.of(out, places.length, length);
  }

  /** i32 [1, length]: these characters, then anything. */
  Tensor ids(String text, int length) {
    int[] out = new int[length];
    for (int i = 0; i < text.length(); i++) {
      out[i] = Arrays.binarySearch(alphabet, text.charAt(i));
    }
    return Tensor.of(out, 1, length);
  }
}
