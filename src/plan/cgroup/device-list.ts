/**
 * Device rules as cgroup v1 holds them: all devices allowed or none, and exceptions from that. Later rules of a config win
 * over earlier ones, but an exception is nothing but a set of accesses to one device (or to all of a type); what takes
 * away part of a wider one cannot be written, and is refused rather than left out.
 */
import { failedPrecondition } from "#errdefs";
import type { DeviceRule } from "#spec";
import type { Step } from "../plan.ts";
import { deviceRuleText, effectiveRules } from "./device-rules.ts";
import { LimitWriter } from "./limit-writer.ts";
import { whyDevices } from "./reasons.ts";

interface DeviceList {
  readonly allowAll: boolean;
  /** By type and number. Their accesses are allowed where `allowAll` is not, and the other way round. */
  readonly exceptions: ReadonlyMap<string, DeviceRule>;
}

const keyOf = ({ type, major, minor }: DeviceRule): string => `${type} ${major ?? "*"}:${minor ?? "*"}`;
const pick = (letters: string, keep: (letter: string) => boolean): string => letters.split("").filter(keep).join("");
const only = (letters: string, others: string): string => pick(letters, (l) => others.includes(l));
const without = (letters: string, others: string): string => pick(letters, (l) => !others.includes(l));
const union = (a: string, b: string): string => ["r", "w", "m"].filter((l) => a.includes(l) || b.includes(l)).join("");

const overlap = (a: DeviceRule, b: DeviceRule): boolean =>
  a.type === b.type &&
  (a.major === undefined || b.major === undefined || a.major === b.major) &&
  (a.minor === undefined || b.minor === undefined || a.minor === b.minor);

const covers = (wide: DeviceRule, narrow: DeviceRule): boolean =>
  wide.type === narrow.type &&
  (wide.major === undefined || wide.major === narrow.major) &&
  (wide.minor === undefined || wide.minor === narrow.minor);

/** To the kernel `a` is everything, whatever numbers and accesses follow it. */
const byType = (rule: DeviceRule): readonly DeviceRule[] =>
  rule.type === "a"
    ? [
        { ...rule, type: "b" },
        { ...rule, type: "c" },
      ]
    : [rule];

export function deviceList(given: readonly DeviceRule[]): DeviceList {
  const { allowAll, rules } = effectiveRules(given);
  const exceptions = new Map<string, DeviceRule>();
  for (const rule of rules.flatMap(byType)) {
    const key = keyOf(rule);
    if (rule.allow === allowAll) {
      for (const [otherKey, other] of exceptions) {
        if (!overlap(rule, other) || only(other.access, rule.access) === "") continue;
        if (!covers(rule, other))
          throw failedPrecondition(
            `Cannot ${rule.allow ? "allow" : "deny"} device "${deviceRuleText(rule)}": cgroup v1 cannot take it out of "${deviceRuleText(other)}"`,
          );
        const left = without(other.access, rule.access);
        if (left === "") exceptions.delete(otherKey);
        else exceptions.set(otherKey, { ...other, access: left });
      }
    } else exceptions.set(key, { ...rule, access: union(exceptions.get(key)?.access ?? "", rule.access) });
  }
  return { allowAll, exceptions };
}

/**
 * Steps from one list to another. Between lists of the same kind only what differs is written, so that a running
 * container is at no time without the devices that it may use before and after.
 *
 * @param before rules that hold now; undefined for a new group, which allows what its parent allows
 */
export function deviceSteps(
  before: readonly DeviceRule[] | undefined,
  after: readonly DeviceRule[],
  paths: ReadonlyMap<string, string>,
): readonly Step[] {
  const writer = new LimitWriter(paths, []);
  const target = deviceList(after);
  const old = before === undefined ? undefined : deviceList(before);
  if (old === undefined && target.allowAll && target.exceptions.size === 0) return [];
  if (!paths.has("devices"))
    throw failedPrecondition('Cannot restrict devices: this host has no "devices" cgroup controller', {
      remedy: "Run privileged, or boot a kernel with the devices controller",
    });
  const write = (allow: boolean, data: string, why: string): void =>
    writer.write("devices", "devices", allow ? "devices.allow" : "devices.deny", data, why);
  const except = (rule: DeviceRule, allow: boolean): void =>
    write(
      allow,
      deviceRuleText(rule),
      `${allow ? "This kind of device may" : "This kind of device must not"} be used in the container`,
    );
  const same = old?.allowAll === target.allowAll;
  if (!same) write(target.allowAll, "a", whyDevices);
  const known = same ? old.exceptions : new Map<string, DeviceRule>();
  for (const [key, rule] of known) {
    const access = without(rule.access, target.exceptions.get(key)?.access ?? "");
    if (access !== "") except({ ...rule, access }, target.allowAll);
  }
  for (const [key, rule] of target.exceptions) {
    const access = without(rule.access, known.get(key)?.access ?? "");
    if (access !== "") except({ ...rule, access }, !target.allowAll);
  }
  return writer.steps;
}
