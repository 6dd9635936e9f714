package io.fragua.exec;

/**
 * A device was asked for by name and cannot be used here. The message says why and what to do
 * instead.
 */
public final class DeviceUnavailableException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  /** Takes the whole four-part message: who, rule, what was found, what to do. */
  public DeviceUnavailableException(String message) {
    super(message);
  }
}
