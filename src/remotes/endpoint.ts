/** One way to reach a registry. */
export interface Endpoint {
  /** Without a path, e.g. `http://127.0.0.1:5000`. */
  readonly origin: string;
  /** Whether the server's certificate must be valid. */
  readonly verify: boolean;
}

/** Docker Hub's registry is not at its own name. */
const hubDomain = "docker.io";
const hubHost = "registry-1.docker.io";

/**
 * The ways to reach a registry, to be tried in order. https always, but for loopback addresses, which speak plain http
 * (except on port 443); one that is declared insecure is tried without verification, then with plain http, as Docker does.
 */
export function endpointsOf(domain: string, insecure: ReadonlySet<string>): readonly Endpoint[] {
  const host = domain === hubDomain ? hubHost : domain;
  const https = `https://${host}`;
  if (isLoopback(host)) {
    return [host.endsWith(":443") ? { origin: https, verify: false } : { origin: `http://${host}`, verify: false }];
  }
  if (!insecure.has(domain)) return [{ origin: https, verify: true }];
  return [
    { origin: https, verify: false },
    { origin: `http://${host}`, verify: false },
  ];
}

/** Whether `host[:port]` is this machine: `localhost`, 127.0.0.0/8 or ::1. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, "").toLowerCase();
  return name === "localhost" || name === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(name);
}
