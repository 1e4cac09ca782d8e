/** What the options of limits mean to the engine. */
import { parseBytes, parseInteger, type ContainerOptions, type DeviceRate, type UpdateOptions } from "#engine";
import { invalidArgument } from "#errdefs";
import type { OptionValues } from "./command.ts";
import type { fixedLimitFlags, limitFlags } from "./limit-flags.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const most = Number.MAX_SAFE_INTEGER;

export function limitOptions(values: OptionValues<typeof limitFlags>): UpdateOptions {
  const options: Mutable<UpdateOptions> = {};
  const number = (name: keyof typeof limitFlags, min: number, max: number): number | undefined =>
    values[name] === undefined ? undefined : parseInteger(values[name], `--${name}`, min, max);
  const set = <K extends keyof UpdateOptions>(name: K, value: UpdateOptions[K] | undefined): void => {
    if (value !== undefined) options[name] = value;
  };
  set("blkioWeight", number("blkio-weight", 0, 1000));
  set("cpuPeriod", number("cpu-period", 0, 1_000_000));
  set("cpuQuota", number("cpu-quota", -1, most));
  set("cpuRtPeriod", number("cpu-rt-period", 0, most));
  set("cpuRtRuntime", number("cpu-rt-runtime", -1, most));
  set("cpuShares", number("cpu-shares", 0, 262_144));
  set("cpus", values.cpus);
  set("cpusetCpus", values["cpuset-cpus"]);
  set("cpusetMems", values["cpuset-mems"]);
  set("memory", values.memory);
  set("memoryReservation", values["memory-reservation"]);
  set("memorySwap", values["memory-swap"]);
  set("pidsLimit", number("pids-limit", -1, 4_194_304));
  set("restart", values.restart);
  return options;
}

export function fixedLimitOptions(values: OptionValues<typeof fixedLimitFlags>): Partial<ContainerOptions> {
  const options: Mutable<Partial<ContainerOptions>> = {};
  const rates = (name: keyof typeof fixedLimitFlags, bytes: boolean): DeviceRate[] | undefined => {
    const list = values[name] as readonly string[];
    return list.length === 0 ? undefined : list.map((text) => parseRate(text, `--${name}`, bytes));
  };
  const set = <K extends keyof ContainerOptions>(name: K, value: ContainerOptions[K] | undefined): void => {
    if (value !== undefined) options[name] = value;
  };
  set("blkioWeightDevices", rates("blkio-weight-device", false));
  set("deviceReadBps", rates("device-read-bps", true));
  set("deviceWriteBps", rates("device-write-bps", true));
  set("deviceReadIops", rates("device-read-iops", false));
  set("deviceWriteIops", rates("device-write-iops", false));
  set("cgroupParent", values["cgroup-parent"]);
  if (values["device-cgroup-rule"].length > 0) options.deviceRules = values["device-cgroup-rule"];
  if (values["cgroup-conf"].length > 0) options.cgroupFiles = pairs(values["cgroup-conf"], "--cgroup-conf");
  if (values["hugepage-limit"].length > 0) options.hugepages = pairs(values["hugepage-limit"], "--hugepage-limit");
  if (values["memory-swappiness"] !== undefined)
    options.memorySwappiness = parseInteger(values["memory-swappiness"], "--memory-swappiness", -1, 100);
  set("oomKillDisable", values["oom-kill-disable"]);
  if (values["oom-score-adj"] !== undefined)
    options.oomScoreAdj = parseInteger(values["oom-score-adj"], "--oom-score-adj", -1000, 1000);
  return options;
}

function pairs(texts: readonly string[], what: string): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=");
      if (at <= 0) throw invalidArgument(`Cannot parse ${what} "${text}": it is not NAME=VALUE`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

function parseRate(text: string, what: string, bytes: boolean): DeviceRate {
  const at = text.lastIndexOf(":");
  const path = text.slice(0, at);
  if (at < 0 || !path.startsWith("/")) throw invalidArgument(`Cannot parse ${what} "${text}": it is not DEVICE:NUMBER`);
  const value = text.slice(at + 1);
  return { path, rate: bytes ? parseBytes(value, what) : parseInteger(value, what, 0, most) };
}
