import type { HostConfig, Trust } from "./hosts-directory.ts";
import { allCapabilities, type Capability } from "./capability.ts";

/** One way to reach a registry. */
export interface Endpoint {
  /** Without a path, e.g. `http://127.0.0.1:5000`. */
  readonly origin: string;
  /** Where the API begins: `/v2`, or what `override_path` says. */
  readonly path: string;
  /** Whether the server's certificate must be valid. */
  readonly verify: boolean;
  readonly trust?: Trust | undefined;
}

/** A host that has a registry's images: the registry itself, or a mirror. */
export interface RegistryHost {
  /** `host[:port]`, for messages. */
  readonly host: string;
  /** Tried in order, of which the first that answers is kept. */
  readonly endpoints: readonly Endpoint[];
  readonly capabilities: ReadonlySet<Capability>;
  /** Sent to this host only. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** Whose credentials it gets: its own. */
  readonly domain: string;
  /** Of a mirror: the registry whose images are asked for, which it is told as `ns`. */
  readonly mirrorOf: string | undefined;
  /** Milliseconds until a connection must be made. */
  readonly dialTimeout: number | undefined;
}

/** Docker Hub's registry is not at its own name. */
const hubDomain = "docker.io";
const hubHost = "registry-1.docker.io";

/**
 * The hosts of a registry, in the order in which they are asked.
 *
 * @param configs what {@link readHosts} found; the last one is the registry itself, unless it names another server
 */
export function registryHosts(
  domain: string,
  configs: readonly HostConfig[] | undefined,
  insecure: ReadonlySet<string>,
): readonly RegistryHost[] {
  if (configs === undefined) return [ownHost(domain, undefined, insecure)];
  return configs.map((config) => {
    if (config.origin === undefined) return ownHost(domain, config, insecure);
    const { scheme, host, path } = config.origin;
    const isOwn = host === domain || (domain === hubDomain && host === hubHost);
    const common = { path, verify: config.skipVerify !== true, trust: config.trust };
    // Plain http with anything said about TLS: that is tried first, but on the port that is never TLS (as containerd does).
    const tls =
      (config.trust !== undefined || config.skipVerify !== undefined) && new URL(`${scheme}://${host}`).port !== "";
    return {
      host,
      endpoints: [
        ...(scheme === "https" || tls ? [{ ...common, origin: `https://${host}` }] : []),
        ...(scheme === "http" ? [{ ...common, origin: `http://${host}` }] : []),
      ],
      capabilities: config.capabilities ?? allCapabilities,
      headers: config.headers,
      domain: isOwn ? domain : host === hubHost ? hubDomain : host,
      mirrorOf: isOwn ? undefined : domain,
      dialTimeout: config.dialTimeout,
    };
  });
}

/** The registry at its own name. */
function ownHost(domain: string, config: HostConfig | undefined, insecure: ReadonlySet<string>): RegistryHost {
  const host = domain === hubDomain ? hubHost : domain;
  const endpoints = endpointsOf(domain, insecure);
  const { trust, skipVerify } = config ?? {};
  // With something said about TLS it speaks TLS, on a loopback address too; plain http comes second where it is allowed.
  const verify = skipVerify === undefined ? !insecure.has(domain) : !skipVerify;
  const secure = { origin: `https://${host}`, path: "/v2", verify, trust };
  const plain = endpoints.filter(({ origin }) => origin.startsWith("http:"));
  return {
    host,
    endpoints: trust === undefined && skipVerify === undefined ? endpoints : [secure, ...plain],
    capabilities: config?.capabilities ?? allCapabilities,
    headers: config?.headers ?? new Map(),
    domain,
    mirrorOf: undefined,
    dialTimeout: config?.dialTimeout,
  };
}

/**
 * The ways to reach a registry, to be tried in order. https always, but for loopback addresses, which speak plain http
 * (except on port 443); one that is declared insecure is tried without verification, then with plain http, as Docker does.
 */
export function endpointsOf(domain: string, insecure: ReadonlySet<string>): readonly Endpoint[] {
  const host = domain === hubDomain ? hubHost : domain;
  const https = `https://${host}`;
  const path = "/v2";
  if (isLoopback(host)) {
    return [{ origin: host.endsWith(":443") ? https : `http://${host}`, path, verify: false }];
  }
  if (!insecure.has(domain)) return [{ origin: https, path, verify: true }];
  return [
    { origin: https, path, verify: false },
    { origin: `http://${host}`, path, verify: false },
  ];
}

/** Whether `host[:port]` is this machine: `localhost`, 127.0.0.0/8 or ::1. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, "").toLowerCase();
  return name === "localhost" || name === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(name);
}
