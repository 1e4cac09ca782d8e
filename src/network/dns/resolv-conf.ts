/** The host's resolvers, as /etc/resolv.conf names them (resolv.conf(5)). */
import { readFileSync, statSync } from "node:fs";
import { parseIp } from "../address/text.ts";

/** resolv.conf(5): at most three count, and without any it is this machine. */
const mostServers = 3;
const otherwise: readonly string[] = ["127.0.0.1"];

const isAddress = (text: string): boolean => parseIp(text.replace(/%[\w.-]+$/, "")) !== undefined;

/** @returns addresses; those of IPv6 may have a zone, as `fe80::1%eth0` */
export function parseResolvConf(text: string): readonly string[] {
  const servers = text.split("\n").flatMap((line) => {
    const [word, address = ""] = line.trim().split(/\s+/);
    return word === "nameserver" && isAddress(address) ? [address] : [];
  });
  return servers.length === 0 ? otherwise : servers.slice(0, mostServers);
}

/** Milliseconds after which the file is looked at again. */
const recheck = 1000;

/** Reads the file anew when it has become another. */
export class HostResolvers {
  readonly #path: string;
  #identity = "";
  #servers: readonly string[] = otherwise;
  #checkedAt = Number.NEGATIVE_INFINITY;

  constructor(path: string) {
    this.#path = path;
  }

  /** @param now milliseconds */
  servers(now: number): readonly string[] {
    if (now - this.#checkedAt < recheck) return this.#servers;
    this.#checkedAt = now;
    try {
      const { ino, size, mtimeNs } = statSync(this.#path, { bigint: true });
      const identity = `${ino} ${size} ${mtimeNs}`;
      if (identity !== this.#identity) this.#servers = parseResolvConf(readFileSync(this.#path, "utf8"));
      this.#identity = identity;
    } catch {
      // It is being replaced, or there is none: what was known goes on.
    }
    return this.#servers;
  }
}
