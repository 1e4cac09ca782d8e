import type { CapabilitySets } from "#spec";
import type { HostFacts } from "../host-facts.ts";
import { capabilitiesOf, capabilityNumber } from "../tables/capabilities.ts";

/** Masks of the five sets. */
export interface CapabilityMasks {
  readonly bounding: bigint;
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
  readonly ambient: bigint;
}

/**
 * Names to masks. A name that is unknown, or that this kernel does not have, is left out with a warning, as the spec
 * wants it; so is a capability that keel itself does not have.
 *
 * @param all the process is in a user namespace of its own, where it has every capability
 */
export function capabilityMasks(
  sets: CapabilitySets | undefined,
  facts: HostFacts,
  all: boolean,
  warnings: string[],
): CapabilityMasks {
  if (sets === undefined) return { bounding: 0n, effective: 0n, permitted: 0n, inheritable: 0n, ambient: 0n };
  const left = new Set<string>();
  const read = (names: readonly string[]): bigint => {
    let mask = 0n;
    for (const name of names) {
      const number = capabilityNumber(name);
      if (number === undefined || number > facts.lastCapability) left.add(name);
      else mask |= 1n << BigInt(number);
    }
    return mask;
  };
  const known = { bounding: read(sets.bounding), permitted: read(sets.permitted), effective: read(sets.effective) };
  const inheritable = read(sets.inheritable);
  const ambient = read(sets.ambient);
  for (const name of left) warnings.push(`Capability ${name} is left out, because this kernel does not have it`);
  const own = all ? ~0n : facts.capabilities;
  const permitted = known.permitted & own;
  // The kernel wants effective within permitted, and ambient within both permitted and inheritable (capabilities(7)).
  const masks = {
    bounding: known.bounding & own,
    permitted,
    effective: known.effective & permitted,
    inheritable: inheritable & own,
    ambient: ambient & permitted & inheritable,
  };
  const asked = known.bounding | known.permitted | known.effective | inheritable | ambient;
  for (const name of capabilitiesOf(asked & ~own))
    warnings.push(`Capability ${name} is left out, because Sampan itself does not have it`);
  return masks;
}
