/** What a network's `--opt` say, by Sampan's words or Docker's. */
import { invalidArgument } from "#errdefs";
import type { Driver, NetworkRecord } from "./records.ts";

export interface NetworkTraits {
  /** Largest packet, in bytes. */
  readonly mtu?: number;
  /** Its containers and those of other networks that are not isolated either reach each other, when it is false. */
  readonly isolate: boolean;
  /** Its containers reach each other. */
  readonly icc: boolean;
  /** What leaves the host does so by the host's address. */
  readonly masquerade: boolean;
  /** Link-local addresses, where clouds give credentials to whoever asks, are reachable. */
  readonly metadata: boolean;
  /** Bytes a second that each of its containers may send, and receive. */
  readonly rate?: number;
  /** Bytes that may come at once; those of 20 milliseconds at `rate`, or ten packets, when missing. */
  readonly burst?: number;
  /** Interface of the host that macvlan and ipvlan are on; `NAME.VLAN` is made when it is missing. */
  readonly parent?: string;
  /** Of macvlan: `bridge`, `private`, `vepa`, `passthru`; of ipvlan: `l2`, `l3`, `l3s`. */
  readonly mode?: string;
}

type Name = keyof NetworkTraits;

const dockerNames: Readonly<Record<string, Name>> = {
  "com.docker.network.driver.mtu": "mtu",
  "com.docker.network.bridge.enable_icc": "icc",
  "com.docker.network.bridge.enable_ip_masquerade": "masquerade",
  macvlan_mode: "mode",
  ipvlan_mode: "mode",
};

const namesOf: Readonly<Record<Driver, readonly Name[]>> = {
  bridge: ["mtu", "isolate", "icc", "masquerade", "metadata", "rate", "burst"],
  macvlan: ["mtu", "parent", "mode", "rate", "burst"],
  ipvlan: ["mtu", "parent", "mode", "rate", "burst"],
};

const modes: Readonly<Record<Driver, readonly string[]>> = {
  bridge: [],
  macvlan: ["bridge", "private", "vepa", "passthru"],
  ipvlan: ["l2", "l3", "l3s"],
};

const truth: Readonly<Record<string, boolean>> = {
  true: true,
  "1": true,
  yes: true,
  false: false,
  "0": false,
  no: false,
};

type Refuse = (state: string) => never;

function parseWhole(text: string, refuse: Refuse): number {
  return /^\d{1,7}$/.test(text) ? Number(text) : refuse("it is no whole number");
}

const bitUnits: Readonly<Record<string, number>> = { "": 1, k: 1e3, m: 1e6, g: 1e9 };

/** `10mbit`, `500kbit`, `1gbit`: to bytes a second. */
function parseRate(text: string, refuse: Refuse): number {
  const [, number, unit = ""] = /^(\d{1,12}(?:\.\d{1,6})?)([kmg]?)(?:bit)?$/i.exec(text) ?? [];
  const bits = Number(number) * (bitUnits[unit.toLowerCase()] ?? Number.NaN);
  if (!(bits >= 8000) || bits > 1e12) return refuse("it is not a rate from 8kbit to 1000gbit, such as 10mbit");
  return Math.floor(bits / 8);
}

const byteUnits: Readonly<Record<string, number>> = { "": 1, k: 2 ** 10, m: 2 ** 20 };

function parseBurst(text: string, refuse: Refuse): number {
  const [, number, unit = ""] = /^(\d{1,9})([km]?)b?$/i.exec(text) ?? [];
  const bytes = Number(number) * (byteUnits[unit.toLowerCase()] ?? Number.NaN);
  return bytes >= 2000 && bytes < 2 ** 31 ? bytes : refuse("it is not from 2000 to 2047m bytes");
}

function parseValue(driver: Driver, name: Name, text: string, refuse: Refuse): boolean | number | string {
  switch (name) {
    case "mtu":
      return parseWhole(text, refuse);
    case "rate":
      return parseRate(text, refuse);
    case "burst":
      return parseBurst(text, refuse);
    case "parent":
      return /^[^\s/:%]{1,15}$/.test(text) ? text : refuse("it is no interface's name");
    case "mode":
      return modes[driver].includes(text) ? text : refuse(`modes of ${driver} are ${modes[driver].join(", ")}`);
    case "isolate":
    case "icc":
    case "masquerade":
    case "metadata":
      return truth[text] ?? refuse("it is true or false");
  }
}

/** @throws SampanError `invalid-argument` for an option that the driver has not, or a value that it can't have */
export function networkTraits({ driver, options = {} }: Pick<NetworkRecord, "driver" | "options">): NetworkTraits {
  const known = namesOf[driver];
  const found: Record<string, boolean | number | string> = {};
  for (const [given, value] of Object.entries(options)) {
    const refuse = (state: string, remedy?: string): never => {
      throw invalidArgument(`Cannot use --opt "${given}=${value}": ${state}`, remedy === undefined ? {} : { remedy });
    };
    const short = Object.hasOwn(dockerNames, given) ? dockerNames[given] : known.find((name) => name === given);
    if (short === undefined || !known.includes(short))
      return refuse(`networks of driver ${driver} have no such option`, `They have ${known.join(", ")}`);
    found[short] = parseValue(driver, short, value, refuse);
  }
  return { isolate: true, icc: true, masquerade: true, metadata: false, ...found };
}
