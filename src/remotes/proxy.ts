import { isIP, BlockList } from "node:net";
import { isLoopback } from "./endpoint.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for an address, as `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` (or in small letters, which come first) say.
 * `NO_PROXY` is a list with commas: `*`, hosts (with all that is below them, or only that with a dot in front), addresses
 * and their ranges (`10.0.0.0/8`), each but a range with a port behind it if wanted. This machine itself is never asked
 * for through a proxy.
 *
 * @returns its address, or undefined to connect directly
 */
export function proxyFor(url: URL, environment: Environment): string | undefined {
  const secure = url.protocol === "https:";
  const proxy = setting(environment, secure ? "HTTPS_PROXY" : "HTTP_PROXY");
  if (proxy === undefined || isLoopback(url.host)) return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const port = url.port === "" ? (secure ? "443" : "80") : url.port;
  const excepted = (setting(environment, "NO_PROXY") ?? "").split(",").some((item) => matches(item, host, port));
  if (excepted) return undefined;
  return /^[a-z]+:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
}

function setting(environment: Environment, name: string): string | undefined {
  const value = (environment[name.toLowerCase()] ?? environment[name] ?? "").trim();
  return value === "" ? undefined : value;
}

function matches(text: string, host: string, port: string): boolean {
  const item = text.trim().toLowerCase();
  if (item === "*") return true;
  if (item === "") return false;
  const [, address = "", bits] = /^([0-9a-f.:]+)\/(\d+)$/.exec(item) ?? [];
  if (bits !== undefined) return isInRange(host, address, Number(bits));
  const [, name = "", wanted] = /^(.*?)(?::(\d+))?$/.exec(isIP(item) === 6 ? `[${item}]` : item) ?? [];
  if (wanted !== undefined && wanted !== port) return false;
  const pattern = name.replace(/^\[|\]$/g, "").replace(/^\*\./, ".");
  if (isIP(pattern) > 0) return pattern === host;
  if (pattern.startsWith(".")) return host.endsWith(pattern);
  return host === pattern || host.endsWith(`.${pattern}`);
}

function isInRange(host: string, address: string, bits: number): boolean {
  const version = isIP(address);
  if (version === 0 || version !== isIP(host) || bits > (version === 4 ? 32 : 128)) return false;
  const family = version === 4 ? "ipv4" : "ipv6";
  const list = new BlockList();
  list.addSubnet(address, bits, family);
  return list.check(host, family);
}
