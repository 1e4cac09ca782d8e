/** /etc/hostname, /etc/hosts and /etc/resolv.conf of a container, made at each start in its state directory and bound into it. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const localhost = [
  "127.0.0.1\tlocalhost",
  "::1\tlocalhost ip6-localhost ip6-loopback",
  "fe00::\tip6-localnet",
  "ff00::\tip6-mcastprefix",
  "ff02::1\tip6-allnodes",
  "ff02::2\tip6-allrouters",
  "",
].join("\n");

export function writeNetworkFiles(directory: string, hostname: string, network: string): void {
  writeFileSync(join(directory, "hostname"), `${hostname}\n`, { mode: 0o644 });
  // With another container's network, its files are bound.
  if (network.startsWith("container:")) return;
  const host = network === "host";
  writeFileSync(
    join(directory, "hosts"),
    host ? read("/etc/hosts", localhost) : `${localhost}127.0.1.1\t${hostname}\n`,
    {
      mode: 0o644,
    },
  );
  writeFileSync(
    join(directory, "resolv.conf"),
    host ? read("/etc/resolv.conf", "") : "# This container has no network\n",
    {
      mode: 0o644,
    },
  );
}

function read(path: string, fallback: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return fallback;
  }
}
