package io.fragua.exec;

import io.fragua.tensor.Check;
import java.util.List;

/**
 * Finds the accelerators of one kind on this machine. An implementation lives in a jar of its own,
 * names itself in {@code META-INF/services/io.fragua.exec.DeviceProvider} and is optional at run
 * time.
 *
 * <p>No method may throw or crash the JVM: a broken driver is a reason, not a failure.
 * Implementations are called from any thread.
 */
public interface DeviceProvider {

  /**
   * The kind's name as users write it in a device string, in lower-case letters: {@code kind} or
   * {@code kind:1}.
   */
  String kind();

  /**
   * Looks for devices now. Costs what opening the driver costs, so callers should keep the answer.
   */
  Discovery discover();

  /**
   * Why this version cannot run programs on a device that {@link #discover()} found, as one
   * sentence that says what to do instead; null when it can.
   */
  String refusal(DeviceInfo device);

  /**
   * One device that was found.
   *
   * @param index its number within the kind, from 0
   * @param name the product name that the driver gives
   * @param memoryBytes its own memory
   * @param driver the driver's version as text
   * @param capability the hardware generation in the vendor's words
   */
  record DeviceInfo(int index, String name, long memoryBytes, String driver, String capability) {}

  /**
   * What a search found: devices, or the reason why there are none.
   *
   * @param devices the devices in index order, perhaps empty
   * @param reasonIfNone one sentence that says why there are none and what to do; null when there
   *     are some
   */
  record Discovery(List<DeviceInfo> devices, String reasonIfNone) {

    /** Copies the list and insists that exactly one of devices and reason is there. */
    public Discovery {
      devices = List.copyOf(devices);
      Check.that(
          devices.isEmpty() == (reasonIfNone != null),
          "Discovery: either devices or a reason must be given, got %d devices and the reason %s;"
              + " use of(devices) or none(reason)",
          devices.size(),
          reasonIfNone);
    }

    /** A search that found at least one device. */
    public static Discovery of(List<DeviceInfo> devices) {
      return new Discovery(devices, null);
    }

    /** A search that found nothing, and why. */
    public static Discovery none(String reason) {
      return new Discovery(List.of(), reason);
    }
  }
}
