package io.fragua.pipelines.cli;

import io.fragua.cpu.CpuInfo;
import io.fragua.exec.DeviceProvider;
import io.fragua.exec.DeviceProvider.DeviceInfo;
import io.fragua.exec.DeviceProvider.Discovery;
import io.fragua.exec.Devices;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code fragua devices}: what programs can run on here. */
@Command(
    name = "devices",
    description = "List the CPU features in use and the GPUs of this machine.")
final class DevicesCommand implements Callable<Integer> {
  private static final double GIB = 1L << 30;

  @Spec CommandSpec spec;

  @Override
  public Integer call() {
    print(spec.commandLine().getOut(), CpuInfo.read(), Devices.providers());
    return 0;
  }

  static void print(PrintWriter out, CpuInfo cpu, List<DeviceProvider> providers) {
    out.printf("cpu         %s%n", cpu.model());
    out.printf(
        "  cores     %d, of which this JVM may use %d threads%n", cpu.cores(), cpu.threads());
    out.printf(
        "  features  %s%n",
        cpu.features().isEmpty()
            ? "none known (the system does not tell)"
            : String.join(", ", cpu.features()));
    out.printf("  oneDNN    %s%n", cpu.oneDnn());
    out.printf("  Vector API %s%n", cpu.vectorApi());
    if (providers.isEmpty()) {
      out.println(
          "gpu         not looked for: fragua-gpu-executor is not on the class path; add its jar");
    }
    for (DeviceProvider provider : providers) {
      Discovery found = Devices.discover(provider);
      if (found.devices().isEmpty()) {
        out.printf("%-11s none: %s%n", provider.kind(), found.reasonIfNone());
      }
      for (DeviceInfo d : found.devices()) {
        out.printf(
            Locale.ROOT,
            "%-11s %s, %.1f GiB, compute capability %s, driver %s%n",
            provider.kind() + ":" + d.index(),
            d.name(),
            d.memoryBytes() / GIB,
            d.capability(),
            d.driver());
        String refusal = provider.refusal(d);
        if (refusal != null) {
          out.printf("  %s%n", refusal);
        }
      }
    }
    out.flush();
  }
}
