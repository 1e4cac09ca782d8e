/** /etc/hostname, /etc/hosts and /etc/resolv.conf of a container, made at each start in its state directory and bound into it. */
import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { addedLines, hostsFile, ownLine, resolvConf } from "./network/hosts.ts";
import type { NetworkMode } from "./network/mode.ts";
import type { ContainerOptions } from "./options.ts";

export interface NetworkFiles {
  readonly hosts: string;
  readonly resolvConf: string;
}

/** The files of a container that is on no network: the host's with its network, and what the options say. */
export function plainNetworkFiles(options: ContainerOptions, hostname: string, mode: NetworkMode): NetworkFiles {
  if (mode.kind === "host") {
    const added = hostsFile(addedLines(options, "127.0.0.1")).slice(hostsFile([]).length);
    return {
      hosts: read("/etc/hosts", hostsFile([])) + added,
      resolvConf: hasDns(options) ? resolvConf(hostResolvConf(), options, []) : read("/etc/resolv.conf", ""),
    };
  }
  return {
    hosts: hostsFile([ownLine("127.0.1.1", hostname, options.domainname), ...addedLines(options, undefined)]),
    resolvConf: hasDns(options) ? resolvConf("", options, []) : "# This container has no network\n",
  };
}

const hasDns = ({ dns, dnsSearch, dnsOptions }: ContainerOptions): boolean =>
  [dns, dnsSearch, dnsOptions].some((list) => list !== undefined && list.length > 0);

/** @param files undefined where another container's are bound */
export function writeNetworkFiles(directory: string, hostname: string, files: NetworkFiles | undefined): void {
  writeFileSync(join(directory, "hostname"), `${hostname}\n`, { mode: 0o644 });
  if (files === undefined) return;
  writeFileSync(join(directory, "hosts"), files.hosts, { mode: 0o644 });
  writeFileSync(join(directory, "resolv.conf"), files.resolvConf, { mode: 0o644 });
}

/** Changes a file that is bound into a running container: in place, so that it stays the same file. */
export function rewriteInPlace(path: string, text: string): void {
  const fd = openSync(path, "r+");
  try {
    const bytes = Buffer.from(text);
    writeSync(fd, bytes, 0, bytes.length, 0);
    ftruncateSync(fd, bytes.length);
  } finally {
    closeSync(fd);
  }
}

/** The host's name servers: behind systemd-resolved's own one, which only the host can ask, those that it asks. */
export function hostResolvConf(): string {
  const text = read("/etc/resolv.conf", "");
  if (!/^nameserver\s+127\.0\.0\.53\s*$/m.test(text)) return text;
  return read("/run/systemd/resolve/resolv.conf", text);
}

function read(path: string, fallback: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return fallback;
  }
}
