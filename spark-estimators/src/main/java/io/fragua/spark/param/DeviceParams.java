package io.fragua.spark.param;

import io.fragua.exec.Precision;
import java.io.Serializable;
import java.util.Arrays;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.Param;

/** Where and how exactly is computed. */
public interface DeviceParams extends ParamFamily {
  /**
   * The device: {@code "cpu"}, {@code "cuda"} or {@code "cuda:1"}. One that is not there is an
   * error on the driver before any job, never a silent run elsewhere. Default {@code "cpu"}.
   */
  default Param<String> device() {
    return groups().device.device;
  }

  /**
   * {@code "STRICT"} (32-bit floating point everywhere), {@code "BF16_MATH"} (32-bit storage,
   * products may be rounded to bfloat16 where the hardware gains by it) or {@code "BF16"} (what
   * products take and hand on lies in memory as bfloat16 too; parameters stay 32-bit). Default
   * {@code "STRICT"}.
   */
  default Param<String> precision() {
    return groups().device.precision;
  }

  /** Rows that the model scores at once. From 1 to 1048576. Default 1024. */
  default IntParam inferenceBatchSize() {
    return groups().device.inferenceBatchSize;
  }

  /** Value of {@link #device()}. */
  default String getDevice() {
    return getOrDefault(device());
  }

  /** Value of {@link #precision()}. */
  default String getPrecision() {
    return getOrDefault(precision());
  }

  /** Value of {@link #inferenceBatchSize()}. */
  default int getInferenceBatchSize() {
    return (int) getOrDefault(inferenceBatchSize());
  }

  /** The parameters. */
  final class Group implements Serializable {
    private static final long serialVersionUID = 1L;

    final Param<String> device;
    final Param<String> precision;
    final IntParam inferenceBatchSize;

    Group(Declare d) {
      device =
          d.text(
              "device",
              "device that computes",
              "a kind of device with an optional number, as cpu, cuda or cuda:1",
              v -> v.matches("[a-z][a-z0-9]*(:\\d{1,4})?"),
              "cpu");
      precision =
          d.choice(
              "precision",
              "how exactly products are computed",
              Arrays.stream(Precision.values()).map(Enum::name).toList(),
              Precision.STRICT.name());
      inferenceBatchSize =
          d.integer(
              "inferenceBatchSize",
              "rows scored at once",
              "from 1 to 1048576",
              v -> v >= 1 && v <= 1 << 20,
              1024);
    }
  }
}
