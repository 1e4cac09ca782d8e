/** What the options of looking after mean to the engine. */
import { parseInteger, type ContainerOptions, type HealthOptions } from "#engine";
import { invalidArgument } from "#errdefs";
import type { careFlags } from "./care-flags.ts";
import type { OptionValues } from "./command.ts";
import { parseDuration } from "./time.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function careOptions(values: OptionValues<typeof careFlags>): Partial<ContainerOptions> {
  const options: Mutable<Partial<ContainerOptions>> = {};
  const health = healthOptions(values);
  if (health !== undefined) options.health = health;
  const action = values["health-on-failure"];
  if (action !== undefined) {
    if (action !== "none" && action !== "kill" && action !== "restart" && action !== "stop")
      throw invalidArgument(`Cannot parse --health-on-failure "${action}": it is none, kill, restart or stop`);
    options.healthOnFailure = action;
  }
  if (values["depends-on"].length > 0) options.dependsOn = values["depends-on"];
  const driver = values["log-driver"];
  if (driver !== undefined) {
    // Docker's names of drivers that keep files: here there is one format.
    if (driver !== "none" && !["cri", "json-file", "local", "k8s-file"].includes(driver))
      throw invalidArgument(`Cannot parse --log-driver "${driver}": it is cri or none`);
    options.logDriver = driver === "none" ? "none" : "cri";
  }
  for (const text of values["log-opt"]) {
    const [, name, value = ""] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
    if (name === "max-size") options.logMaxSize = value;
    else if (name === "max-file") options.logMaxFiles = parseInteger(value, "--log-opt max-file", 1, 1000);
    else if (name === "labels") options.logLabels = value.split(",");
    else if (name === "env") options.logEnv = value.split(",");
    else
      throw invalidArgument(`Cannot parse --log-opt "${text}": it is max-size=BYTES, max-file=NUMBER, labels= or env=`);
  }
  return options;
}

function healthOptions(values: OptionValues<typeof careFlags>): HealthOptions | undefined {
  const health: Mutable<HealthOptions> = {};
  const time = (name: keyof typeof careFlags & `health-${string}`): number | undefined => {
    const text = values[name];
    return text === undefined ? undefined : parseDuration(text, `--${name}`);
  };
  const set = (name: Exclude<keyof HealthOptions, "test">, value: number | undefined): void => {
    if (value !== undefined) health[name] = value;
  };
  set("interval", time("health-interval"));
  set("timeout", time("health-timeout"));
  set("startPeriod", time("health-start-period"));
  set("startInterval", time("health-start-interval"));
  if (values["health-retries"] !== undefined)
    health.retries = parseInteger(values["health-retries"], "--health-retries", 0, 1_000_000);
  const command = values["health-cmd"];
  if (values["no-healthcheck"] === true) {
    if (command !== undefined || Object.keys(health).length > 0)
      throw invalidArgument("Cannot take --no-healthcheck with another --health option: they exclude each other");
    return { test: ["NONE"] };
  }
  if (command !== undefined && command !== "") health.test = ["CMD-SHELL", command];
  return Object.keys(health).length === 0 ? undefined : health;
}
