/** Names and addresses that follow from what they are for, so that whoever cleans up knows them without asking. */
import { createHash } from "node:crypto";
import { bytesToMac, familyOf, ipToBytes } from "../address/text.ts";

const hash = (...parts: readonly string[]): Buffer => createHash("sha256").update(parts.join("\0")).digest();

/** The network that is there without being made, and its bridge. */
export const defaultNetwork = "bridge";
const defaultBridge = "sampan0";

/** An interface's name has 15 characters at most. */
export const bridgeName = (network: string): string =>
  network === defaultNetwork ? defaultBridge : `sampan-${hash(network).toString("hex", 0, 4)}`;

export const hostInterfaceName = (network: string, container: string): string =>
  `sv${hash(network, container).toString("hex", 0, 6)}`;

/** One that the kernel does not reach by counting, beside those of bridges. */
export const hostInterfaceIndex = (name: string): number => 2 ** 25 + hash(name).readUIntBE(0, 3);

/** A locally administered unicast address, from IPv4's where there is one: whoever gets that next has the same. */
export function macFor(container: string, addresses: readonly string[]): string {
  const v4 = addresses.find((address) => familyOf(address) === 4);
  const bytes = v4 === undefined ? hash(container) : ipToBytes(v4.replace(/\/\d+$/, ""));
  return bytesToMac(Uint8Array.of(0x0a, 0x58, ...bytes.subarray(0, 4)));
}

/** Of a bridge: one that stays, whatever ports come and go. */
export const bridgeMac = (bridge: string): string =>
  bytesToMac(Uint8Array.of(0x0a, 0x59, ...hash(bridge).subarray(0, 4)));
