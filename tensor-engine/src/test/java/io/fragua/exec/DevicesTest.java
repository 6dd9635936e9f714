package io.fragua.exec;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.fragua.exec.DeviceProvider.DeviceInfo;
import io.fragua.exec.DeviceProvider.Discovery;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DevicesTest {
  private static final DeviceInfo FIRST = new DeviceInfo(0, "Anvil A", 1L << 30, "1.2", "3.4");
  private static final DeviceInfo SECOND = new DeviceInfo(1, "Anvil B", 1L << 30, "1.2", "3.4");

  /** A kind of device that is what the test says. */
  record Fake(Discovery discovery, String refusal) implements DeviceProvider {
    @Override
    public String kind() {
      return "anvil";
    }

    @Override
    public Discovery discover() {
      return discovery;
    }

    @Override
    public String refusal(DeviceInfo device) {
      return refusal;
    }
  }

  /** Found by name through a services file that the test writes. */
  public static final class Loadable implements DeviceProvider {
    @Override
    public String kind() {
      return "loadable";
    }

    @Override
    public Discovery discover() {
      throw new IllegalStateException("broken on purpose");
    }

    @Override
    public String refusal(DeviceInfo device) {
      return null;
    }
  }

  private static String refused(String device, DeviceProvider... providers) {
    return assertThrows(
            DeviceUnavailableException.class, () -> Devices.require(device, List.of(providers)))
        .getMessage();
  }

  @Test
  void theCpuIsAlwaysThere() {
    assertDoesNotThrow(() -> Devices.require("cpu"));
    assertDoesNotThrow(() -> Devices.require("cpu:0"));
    assertEquals(
        "device: a device that is asked for must be there, got \"cpu:1\", but there is one cpu"
            + " device, number 0; set device to \"cpu\"",
        refused("cpu:1"));
  }

  @Test
  void aDeviceThatIsThereAndRunsPasses() {
    Fake two = new Fake(Discovery.of(List.of(FIRST, SECOND)), null);
    assertDoesNotThrow(() -> Devices.require("anvil", List.of(two)));
    assertDoesNotThrow(() -> Devices.require("anvil:1", List.of(two)));
  }

  @Test
  void anAbsentNumberNamesWhatIsThere() {
    Fake two = new Fake(Discovery.of(List.of(FIRST, SECOND)), null);
    assertEquals(
        "device: a device that is asked for must be there, got \"anvil:2\", but this machine has"
            + " anvil:0 (Anvil A), anvil:1 (Anvil B); choose one of these, or set device to"
            + " \"cpu\"",
        refused("anvil:2", two));
  }

  @Test
  void noDeviceGivesTheProvidersReason() {
    assertEquals(
        "device: a device that is asked for must be there, got \"anvil\", but no smith on this"
            + " machine; hire one; or set device to \"cpu\"",
        refused("anvil", new Fake(Discovery.none("no smith on this machine; hire one"), null)));
  }

  @Test
  void aDeviceThatCannotRunProgramsIsRefusedInTheProvidersWords() {
    assertEquals(
        "device: programs must be able to run on the device that was asked for, found \"anvil\""
            + " (Anvil A), but the forge is cold; set device to \"cpu\"",
        refused(
            "anvil",
            new Fake(Discovery.of(List.of(FIRST)), "the forge is cold; set device to \"cpu\"")));
  }

  @Test
  void anUnknownKindNamesTheJar() {
    assertEquals(
        "device: a device that is asked for must be there, got \"tongs\", but no jar on the class"
            + " path finds devices of that kind (known kinds: cpu, anvil); add the jar that does"
            + " (for GPUs fragua-gpu-executor), or set device to \"cpu\"",
        refused("tongs", new Fake(Discovery.of(List.of(FIRST)), null)));
  }

  @Test
  void textThatIsNoDeviceIsRefused() {
    for (String bad :
        new String[] {null, "", "CPU", "anvil:", "anvil:x", "anvil:99999999999", " cpu"}) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> Devices.require(bad)).getMessage();
      assertEquals(
          "device: a device is a kind with an optional number, as \"cpu\" or \"kind:1\", got "
              + (bad == null ? "null" : '"' + bad + '"'),
          message.substring(0, message.indexOf(';')));
    }
  }

  @Test
  void aDiscoveryIsEitherDevicesOrAReason() {
    assertThrows(IllegalArgumentException.class, () -> new Discovery(List.of(), null));
    assertThrows(IllegalArgumentException.class, () -> new Discovery(List.of(FIRST), "why"));
  }

  @Test
  void aBrokenProviderDisablesOnlyItself(@TempDir Path folder) throws IOException {
    Path services = Files.createDirectories(folder.resolve("META-INF/services"));
    Files.writeString(
        services.resolve(DeviceProvider.class.getName()),
        "no.such.Provider\n" + Loadable.class.getName() + "\njava.lang.String\n");
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()}, before)) {
      thread.setContextClassLoader(loader);
      List<String> kinds = Devices.providers().stream().map(DeviceProvider::kind).toList();
      assertEquals(List.of("loadable"), kinds);
      assertEquals(
          "device: a device that is asked for must be there, got \"loadable\", but looking for"
              + " loadable devices failed with java.lang.IllegalStateException: broken on purpose;"
              + " the log has the details; or set device to \"cpu\"",
          assertThrows(DeviceUnavailableException.class, () -> Devices.require("loadable"))
              .getMessage());
    } finally {
      thread.setContextClassLoader(before);
    }
  }
}
