import type { DeviceRule } from "#spec";

const allow = (type: "c" | "b", major: number | undefined, minor: number | undefined, access: string): DeviceRule => ({
  allow: true,
  type,
  major,
  minor,
  access,
});

/**
 * What every container may use, as with Docker and runc: any device node may be made, and the default devices, terminals
 * and their multiplexer may be used.
 */
export const defaultDeviceRules: readonly DeviceRule[] = [
  allow("c", undefined, undefined, "m"),
  allow("b", undefined, undefined, "m"),
  allow("c", 1, 3, "rwm"),
  allow("c", 1, 5, "rwm"),
  allow("c", 1, 7, "rwm"),
  allow("c", 1, 8, "rwm"),
  allow("c", 1, 9, "rwm"),
  allow("c", 5, 0, "rwm"),
  allow("c", 136, undefined, "rwm"),
  allow("c", 5, 2, "rwm"),
];

const coversAll = (rule: DeviceRule): boolean =>
  rule.type === "a" && rule.major === undefined && rule.minor === undefined && rule.access === "rwm";

/**
 * The rules in effect, for a group in which nothing is allowed at first: those after the last one that covers all
 * devices, then the defaults. `allowAll` when everything is allowed and nothing more need be said.
 */
export function effectiveRules(rules: readonly DeviceRule[]): {
  readonly allowAll: boolean;
  readonly rules: readonly DeviceRule[];
} {
  const last = rules.findLastIndex(coversAll);
  const rest = rules.slice(last + 1);
  const allowAll = rules[last]?.allow === true;
  if (allowAll && rest.every((rule) => rule.allow)) return { allowAll, rules: [] };
  return { allowAll, rules: [...rest, ...defaultDeviceRules] };
}

const number = (value: number | undefined): string => (value === undefined ? "*" : String(value));

/** A rule as devices.allow and devices.deny of cgroup v1 read it, e.g. `c 1:3 rwm`. */
export function deviceRuleText(rule: DeviceRule): string {
  return `${rule.type} ${number(rule.major)}:${number(rule.minor)} ${rule.access}`;
}
