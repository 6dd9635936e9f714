package io.fragua.exec;

import io.fragua.exec.DeviceProvider.DeviceInfo;
import io.fragua.exec.DeviceProvider.Discovery;
import io.fragua.tensor.Check;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The devices a program can be asked to run on: the CPU, which is always there, and whatever the
 * {@link DeviceProvider}s on the class path find. Holds no state; safe from any thread.
 */
public final class Devices {
  /** The device that is always there. */
  public static final String CPU = "cpu";

  private static final Logger LOG = LoggerFactory.getLogger(Devices.class);
  private static final Pattern NAME = Pattern.compile("([a-z][a-z0-9]*)(?::(\\d{1,4}))?");
  private static final int MOST_BROKEN_PROVIDERS = 100;

  private Devices() {}

  /**
   * All providers on the class path. A provider that cannot be loaded disables only itself: it is
   * logged and left out.
   *
   * <p>Both the thread's context class loader and this class's own are asked: jars given to
   * spark-submit are visible to the first alone on Spark's threads, and to the second alone on
   * threads of a JDK pool.
   */
  public static List<DeviceProvider> providers() {
    Map<String, DeviceProvider> found = new LinkedHashMap<>();
    ClassLoader context = Thread.currentThread().getContextClassLoader();
    if (context != null) {
      load(context, found);
    }
    ClassLoader own = Devices.class.getClassLoader();
    if (own != context) {
      load(own, found);
    }
    return List.copyOf(found.values());
  }

  /**
   * Returns when {@code device} can run programs here, and throws otherwise; never falls back to
   * another device.
   *
   * @param device {@code "cpu"}, or a provider's kind with an optional index, as in {@code
   *     "kind:1"}
   * @throws IllegalArgumentException if the text is no device name
   * @throws DeviceUnavailableException if no such device is here, or this version cannot run
   *     programs on it
   */
  public static void require(String device) {
    require(device, providers());
  }

  static void require(String device, List<DeviceProvider> providers) {
    Matcher name = NAME.matcher(device == null ? "" : device);
    Check.that(
        name.matches(),
        "device: a device is a kind with an optional number, as \"cpu\" or \"kind:1\", got %s;"
            + " known kinds here: %s",
        device == null ? "null" : '"' + device + '"',
        kinds(providers));
    String kind = name.group(1);
    int index = name.group(2) == null ? 0 : Integer.parseInt(name.group(2));
    if (kind.equals(CPU)) {
      if (index != 0) {
        throw unavailable(device, "there is one cpu device, number 0", "set device to \"cpu\"");
      }
      return;
    }
    DeviceProvider provider =
        providers.stream().filter(p -> p.kind().equals(kind)).findFirst().orElse(null);
    if (provider == null) {
      throw unavailable(
          device,
          "no jar on the class path finds devices of that kind (known kinds: "
              + kinds(providers)
              + ")",
          "add the jar that does (for GPUs fragua-gpu-executor), or set device to \"cpu\"");
    }
    Discovery discovery = discover(provider);
    if (discovery.devices().isEmpty()) {
      throw unavailable(device, discovery.reasonIfNone(), "or set device to \"cpu\"");
    }
    DeviceInfo info =
        discovery.devices().stream().filter(d -> d.index() == index).findFirst().orElse(null);
    if (info == null) {
      throw unavailable(
          device,
          "this machine has " + describe(kind, discovery.devices()),
          "choose one of these, or set device to \"cpu\"");
    }
    String refusal = provider.refusal(info);
    if (refusal != null) {
      throw new DeviceUnavailableException(
          "device: programs must be able to run on the device that was asked for, found \""
              + device
              + "\" ("
              + info.name()
              + "), but "
              + refusal);
    }
  }

  /**
   * Asks a provider, taking even a provider that breaks its promise not to throw as one that found
   * nothing.
   */
  public static Discovery discover(DeviceProvider provider) {
    try {
      return provider.discover();
    } catch (RuntimeException | LinkageError e) {
      LOG.warn("Device provider {} failed", provider.getClass().getName(), e);
      return Discovery.none(
          "looking for "
              + provider.kind()
              + " devices failed with "
              + e
              + "; the log has the details");
    }
  }

  private static DeviceUnavailableException unavailable(
      String device, String found, String doThis) {
    return new DeviceUnavailableException(
        "device: a device that is asked for must be there, got \""
            + device
            + "\", but "
            + found
            + "; "
            + doThis);
  }

  private static String kinds(List<DeviceProvider> providers) {
    List<String> kinds = new ArrayList<>(List.of(CPU));
    providers.forEach(p -> kinds.add(p.kind()));
    return String.join(", ", kinds);
  }

  private static String describe(String kind, List<DeviceInfo> devices) {
    return String.join(
        ", ", devices.stream().map(d -> kind + ":" + d.index() + " (" + d.name() + ")").toList());
  }

  private static void load(ClassLoader loader, Map<String, DeviceProvider> found) {
    Iterator<DeviceProvider> all = ServiceLoader.load(DeviceProvider.class, loader).iterator();
    // A failing step moves the iterator on, so each broken provider costs one turn; the bound is
    // for a
    // class path that cannot be read at all, where every turn fails alike.
    for (int broken = 0; broken < MOST_BROKEN_PROVIDERS; ) {
      try {
        if (!all.hasNext()) {
          return;
        }
        DeviceProvider provider = all.next();
        found.putIfAbsent(provider.getClass().getName(), provider);
      } catch (ServiceConfigurationError | LinkageError e) {
        broken++;
        LOG.warn("A device provider could not be loaded and is left out: {}", e.toString());
      }
    }
  }
}
