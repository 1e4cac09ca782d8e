import { readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { invalidArgument } from "#errdefs";

export type Credentials =
  | { readonly username: string; readonly password: string }
  /** OAuth 2 refresh token, as `docker login` keeps for some registries. */
  | { readonly identityToken: string }
  /** Bearer token that the registry takes as it is. */
  | { readonly registryToken: string };

/** Gives the credentials for a registry (`host[:port]`), or undefined to be anonymous. */
export type CredentialSource = (domain: string) => Credentials | undefined | Promise<Credentials | undefined>;

const maxFile = 1024 * 1024;

/**
 * Credentials from a Docker client's configuration file, as `docker login` and `skopeo login` write it (`auths`). It is
 * read on the first question, again when it changed, and a missing file has none. Credential helpers are not run.
 *
 * @param path by default `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`
 */
export function dockerCredentials(path: string = defaultPath()): CredentialSource {
  let cached: { modified: number; auths: ReadonlyMap<string, Credentials> } | undefined;
  return async (domain) => {
    const facts = await stat(path).catch(() => undefined);
    if (facts === undefined || !facts.isFile()) return undefined;
    if (cached?.modified !== facts.mtimeMs) {
      if (facts.size > maxFile) throw unreadable(path, `it has more than ${maxFile} bytes`);
      cached = { modified: facts.mtimeMs, auths: parseAuths(await readFile(path, "utf8"), path) };
    }
    const hosts = domain === "docker.io" ? ["docker.io", "index.docker.io", "registry-1.docker.io"] : [domain];
    return hosts.map((host) => cached?.auths.get(host)).find((credentials) => credentials !== undefined);
  };
}

function defaultPath(): string {
  return join(process.env["DOCKER_CONFIG"] ?? join(homedir(), ".docker"), "config.json");
}

function unreadable(path: string, state: string, cause?: unknown): Error {
  return invalidArgument(`Cannot read credentials from "${path}": ${state}`, { path, cause });
}

function parseAuths(text: string, path: string): ReadonlyMap<string, Credentials> {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (error) {
    throw unreadable(path, "it is not JSON", error);
  }
  const result = new Map<string, Credentials>();
  for (const [server, entry] of Object.entries(record(record(file)["auths"]))) {
    const credentials = parseEntry(record(entry), server, path);
    if (credentials !== undefined) result.set(hostOf(server), credentials);
  }
  return result;
}

function parseEntry(entry: Record<string, unknown>, server: string, path: string): Credentials | undefined {
  const { auth, username, password, identitytoken, registrytoken } = entry;
  if (typeof identitytoken === "string" && identitytoken !== "") return { identityToken: identitytoken };
  if (typeof registrytoken === "string" && registrytoken !== "") return { registryToken: registrytoken };
  if (typeof auth === "string" && auth !== "") {
    const decoded = Buffer.from(auth, "base64").toString("utf8").replace(/\0+$/, "");
    const colon = decoded.indexOf(":");
    if (colon < 1) throw unreadable(path, `auths["${server}"].auth is not base64 of user:password`);
    return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
  }
  if (typeof username === "string" && typeof password === "string" && username !== "") return { username, password };
  return undefined;
}

/** Keys are hosts, or URLs in old files. */
function hostOf(server: string): string {
  return server.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
